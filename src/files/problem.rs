//! What is wrong with a file or a folder, and a hint.

use std::io::{self, ErrorKind};

use super::system;

/// A reason and a hint, for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Problem {
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Problem {
    /// A problem of this reason and with this hint.
    pub fn new(reason: impl Into<String>, hint: &'static str) -> Self {
        Self { reason: reason.into(), hint }
    }

    /// The same, with what could not be done in front of the reason.
    #[must_use]
    pub fn because(self, what: &str) -> Self {
        Self { reason: format!("{what}: {}", self.reason), ..self }
    }
}

impl From<&io::Error> for Problem {
    fn from(error: &io::Error) -> Self {
        let known = error.get_ref().and_then(|inner| inner.downcast_ref().cloned());
        if let Some(known) = known.or_else(|| system::problem(error)) {
            return known;
        }
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => "give the user that this process runs as access to it",
            ErrorKind::ReadOnlyFilesystem => {
                "mount it so that it can be written, or choose another data folder"
            }
            ErrorKind::NotADirectory => "move away the file that is in the place of a folder",
            ErrorKind::IsADirectory => "move away the folder that is in the place of a file",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
            ErrorKind::ResourceBusy => {
                "if the file itself is mounted, mount its folder instead; else close what uses it"
            }
            ErrorKind::Unsupported => "choose a data folder on a local disk",
            _ => "check the disk and the data folder",
        };
        Self::new(error.to_string(), hint)
    }
}
