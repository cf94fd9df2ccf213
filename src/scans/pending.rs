//! What waits, for people.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::state::{Note, What};
use super::time::Time;

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// A folder as Stash sees it, or a scene's id.
    pub what: Waits,
    /// The only section that it waits for.
    pub section: Option<String>,
    /// Since when.
    pub since: SystemTime,
    /// Why.
    pub reason: String,
}

/// What it is that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// As Stash sees it, before `path_map`.
    Folder(String),
    /// A scene's id in Stash.
    Scene(String),
}

/// A scene that waits, and what its note was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// Its id in Stash.
    pub id: String,
    pub(super) number: u64,
}

/// For `doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many folders and scenes wait.
    pub waiting: usize,
    /// Since when the oldest does, and why.
    pub oldest: Option<(SystemTime, String)>,
    /// The servers that are away: key, since when, why.
    pub away: Vec<(String, SystemTime, String)>,
}

impl Note {
    pub(super) fn pending(self, now: Time) -> Pending {
        let section = self.what.section().map(str::to_owned);
        let what = match self.what {
            What::Scene(id) => Waits::Scene(id),
            What::Folder(folder) | What::Tree(folder) | What::Part { folder, .. } => {
                Waits::Folder(folder)
            }
        };
        let (since, reason) = (self.since.min(now).into(), self.reason.to_string());
        Pending { what, section, since, reason }
    }
}

/// A time as users read it (RFC 3339), to the second.
pub fn rfc3339(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).replace_nanosecond(0);
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}
