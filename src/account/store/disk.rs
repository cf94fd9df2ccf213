//! One file under one name: read with no-follow, replaced whole, and the locks.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Store;
use crate::files::{self, Access, Lock, NoLock, Obstacle, Problem, Replaced};

const LOCK: &str = "account.lock";
/// Largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// How long a file is looked at that may be there in a moment: some disks fail while another process replaces it.
const SETTLES: Duration = Duration::from_millis(500);

/// A file that can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    pub path: PathBuf,
    pub problem: Problem,
}

impl FileError {
    pub(super) fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }
}

/// What is under a name.
pub(super) enum Content<T> {
    Whole(T),
    /// Nothing.
    Absent,
    /// Something that is not understood.
    Torn,
}

impl<T> Content<T> {
    pub(super) fn whole(self) -> Option<T> {
        match self {
            Self::Whole(content) => Some(content),
            Self::Absent | Self::Torn => None,
        }
    }
}

/// What is said of a file that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Torn {
    /// A warning in the log.
    Warned,
    /// Nothing: it was said before.
    Silent,
}

impl Store {
    /// Takes a lock that is held over requests. None where another process holds it now; a folder that knows no locks
    /// is used without.
    ///
    /// # Errors
    /// [`FileError`] if the folder can't be made.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, FileError> {
        let path = self.folder.join(name);
        self.make_folder()?;
        match Lock::take(&path, Duration::ZERO, &AtomicBool::new(false)) {
            Ok(lock) => Ok(Some(lock)),
            Err(NoLock::Busy | NoLock::Interrupted) => Ok(None),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        torn: Torn,
        lost: &str,
    ) -> Result<Content<T>, FileError> {
        let path = self.folder.join(name);
        match files::read_understood(&path, LARGEST, SETTLES, |bytes| serde_json::from_slice(bytes))
        {
            Ok((_, Ok(content))) => Ok(Content::Whole(content)),
            Ok((_, Err(_))) => {
                if torn == Torn::Warned {
                    tracing::warn!("`{}` is not understood, which loses {lost}", path.display());
                }
                Ok(Content::Torn)
            }
            Err(Obstacle::Missing) => Ok(Content::Absent),
            Err(obstacle) => Err(FileError::new(&path, Problem::from(&obstacle))),
        }
    }

    /// For the holder of the lock.
    pub(super) fn write(&self, name: &str, content: &impl Serialize) -> Result<(), FileError> {
        let path = self.folder.join(name);
        let failed = |error: &std::io::Error| {
            FileError::new(&path, Problem::from(error).because("it can't be written"))
        };
        let bytes = serde_json::to_vec_pretty(content).map_err(|error| failed(&error.into()))?;
        files::remove_temporary(&path);
        match files::replace(&path, &bytes, Access::Ours, || true) {
            Ok(Replaced::Unsynced(error)) | Err(error) => Err(failed(&error)),
            Ok(Replaced::Done | Replaced::Stale) => Ok(()),
        }
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.folder.join(name);
        files::remove_temporary(&path);
        match files::remove(&path) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(FileError::new(&path, Problem::from(&error).because("it can't be removed")))
            }
        }
    }

    fn make_folder(&self) -> Result<(), FileError> {
        let made = files::make_folder(&self.folder);
        made.map_err(|error| FileError::new(&self.folder, Problem::from(&error)))
    }

    /// A folder that knows no locks is used without: replacing is whole in any case.
    pub(super) fn lock(&self, patience: Duration) -> Result<Lock, FileError> {
        let path = self.folder.join(LOCK);
        self.make_folder()?;
        Lock::take(&path, patience, &AtomicBool::new(false)).map_err(|why| {
            let reason = match why {
                NoLock::Busy => "another process holds it all the time",
                NoLock::Interrupted => "interrupted",
            };
            FileError::new(&path, Problem::new(reason, "end the other process, then try again"))
        })
    }
}
