//! The account's files on disk: read with no-follow, replaced whole under `account.lock`, which is held for file work
//! only. All of it may block.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::{AccountFile, ServerFile, SignInFile};
use crate::files::{self, Access, Lock, NoLock, Obstacle, Problem, Replaced};
use crate::secret::Secrets;

const ACCOUNT: &str = "account.json";
const SIGN_IN: &str = "sign_in.json";
const SERVER: &str = "server.json";
const LOCK: &str = "account.lock";
/// Largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;
/// Longest wait for the lock where a sign-in depends on it: others hold it for a few writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for the lock for the sake of a cache.
const SHORT_PATIENCE: Duration = Duration::from_millis(200);

/// The account's files in one data folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    secrets: Secrets,
}

/// A file that can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    pub path: PathBuf,
    pub problem: Problem,
}

impl FileError {
    fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }
}

/// What is under a name.
enum Content<T> {
    Whole(T),
    /// Nothing.
    Absent,
    /// Something that is not understood.
    Torn,
}

impl<T> Content<T> {
    fn whole(self) -> Option<T> {
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

/// What became of a PIN that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// The sign-in is stored, by us or by another process.
    Stored,
    /// The PIN is not the one that waits any more: it was given up for another, or the user has signed out.
    GivenUp,
}

impl Store {
    /// The files in `folder`. Tokens that are read are remembered in `secrets`.
    pub fn new(folder: PathBuf, secrets: Secrets) -> Self {
        Self { folder, secrets }
    }

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

    /// The sign-in that was completed. A file that is not understood counts as absent, with a warning in the log.
    ///
    /// # Errors
    /// [`FileError`] if the file can't be read.
    pub fn account(&self) -> Result<Option<AccountFile>, FileError> {
        self.read_account(Torn::Warned)
    }

    /// The sign-in that was completed, and the PIN that waits, of whatever device.
    ///
    /// # Errors
    /// [`FileError`] if one can't be read.
    pub fn look(&self, torn: Torn) -> Result<(Option<AccountFile>, Option<SignInFile>), FileError> {
        // A PIN goes when its account is there: read in the other order both could be missed.
        let pending = self.read(SIGN_IN, torn, "the code that waited")?.whole();
        Ok((self.read_account(torn)?, pending))
    }

    /// The cache of ways to servers; empty, with a warning in the log, where it can't be read.
    pub fn servers(&self) -> ServerFile {
        const LOST: &str = "the chosen server, and the ways to the servers";
        let content =
            self.read(SERVER, Torn::Warned, LOST).unwrap_or_else(|FileError { path, problem }| {
                let Problem { reason, hint } = problem;
                tracing::warn!(
                    "`{}`: {reason}; {hint}; servers are looked for anew",
                    path.display()
                );
                Content::Absent
            });
        content.whole().unwrap_or_default()
    }

    /// Changes the cache, as it is on disk now, under the lock. What fails is a warning in the log: who can't have the
    /// lock within 200 ms goes on without it.
    pub fn change_servers(&self, change: impl FnOnce(&mut ServerFile)) {
        let changed = self.lock(SHORT_PATIENCE).and_then(|_lock| self.write_servers(change));
        if let Err(FileError { path, problem: Problem { reason, hint } }) = changed {
            tracing::warn!(
                "`{}`: {reason}; {hint}; the way to the server is not remembered",
                path.display()
            );
        }
    }

    /// Lets a search for a server begin again at once.
    pub fn end_pauses(&self) {
        if self.servers().servers.values().any(|server| server.failed_at.is_some()) {
            self.change_servers(|servers| {
                servers.servers.values_mut().for_each(|server| server.failed_at = None);
            });
        }
    }

    /// Remembers the PIN that waits.
    ///
    /// # Errors
    /// [`FileError`] if it can't be written.
    pub fn save_pending(&self, pending: &SignInFile) -> Result<(), FileError> {
        let _lock = self.lock(PATIENCE)?;
        self.write(SIGN_IN, pending)
    }

    /// Forgets the PIN `pin_id`, if it still is the one that waits.
    ///
    /// # Errors
    /// [`FileError`] if it can't be removed.
    pub fn forget_pending(&self, pin_id: u64) -> Result<(), FileError> {
        let _lock = self.lock(PATIENCE)?;
        match self.look(Torn::Silent)?.1 {
            Some(pending) if pending.pin_id == pin_id => self.remove(SIGN_IN),
            _ => Ok(()),
        }
    }

    /// Stores a claimed sign-in, if its PIN still is the one that waits; then forgets the servers of the one before, and
    /// last of all the PIN: after a crash in between this is done again.
    ///
    /// # Errors
    /// [`FileError`] if it can't be stored: the PIN still waits then.
    pub fn complete(&self, account: &AccountFile) -> Result<Completed, FileError> {
        self.secrets.remember(&account.token);
        let _lock = self.lock(PATIENCE)?;
        let (stored, pending) = self.look(Torn::Silent)?;
        let is_stored = stored.is_some_and(|stored| stored.pin_id == account.pin_id);
        if pending.is_none_or(|pending| pending.pin_id != account.pin_id) {
            return Ok(if is_stored { Completed::Stored } else { Completed::GivenUp });
        }
        if !is_stored {
            self.write(ACCOUNT, account)?;
        }
        self.forget_servers();
        self.remove(SIGN_IN)?;
        Ok(Completed::Stored)
    }

    /// Changes the stored sign-in of the PIN `pin_id`, if it still is the one that is stored.
    ///
    /// # Errors
    /// [`FileError`] if it can't be read or written.
    pub fn change_account(
        &self,
        pin_id: u64,
        change: impl FnOnce(&mut AccountFile),
    ) -> Result<(), FileError> {
        let _lock = self.lock(PATIENCE)?;
        match self.look(Torn::Silent)?.0 {
            Some(mut account) if account.pin_id == pin_id => {
                change(&mut account);
                self.write(ACCOUNT, &account)
            }
            _ => Ok(()),
        }
    }

    /// Removes all three files, with the lock or, where it can't be had, without.
    ///
    /// # Errors
    /// The first [`FileError`]; what could be removed is gone.
    pub fn remove_all(&self) -> Result<(), FileError> {
        let _lock = self.lock(PATIENCE);
        // The PIN first: who polls must not store a sign-in any more.
        let removed = [SIGN_IN, ACCOUNT, SERVER].map(|name| self.remove(name));
        removed.into_iter().collect()
    }

    fn read_account(&self, torn: Torn) -> Result<Option<AccountFile>, FileError> {
        let account = self.read::<AccountFile>(ACCOUNT, torn, "the sign-in")?.whole();
        account.iter().for_each(|account| self.secrets.remember(&account.token));
        Ok(account)
    }

    fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        torn: Torn,
        lost: &str,
    ) -> Result<Content<T>, FileError> {
        let path = self.folder.join(name);
        match files::read(&path, LARGEST) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_or_else(
                |_| {
                    if torn == Torn::Warned {
                        tracing::warn!(
                            "`{}` is not understood, which loses {lost}",
                            path.display()
                        );
                    }
                    Content::Torn
                },
                Content::Whole,
            )),
            Err(Obstacle::Missing) => Ok(Content::Absent),
            Err(obstacle) => Err(FileError::new(&path, Problem::from(&obstacle))),
        }
    }

    /// The servers of another sign-in, all but the choice. A cache that can't be kept is no reason to fail.
    fn forget_servers(&self) {
        let forgotten = match self.read::<ServerFile>(SERVER, Torn::Silent, "") {
            Ok(Content::Absent) => Ok(()),
            Ok(Content::Whole(_)) => self.write_servers(ServerFile::forget_but_chosen),
            Ok(Content::Torn) | Err(_) => self.remove(SERVER),
        };
        if let Err(FileError { path, problem: Problem { reason, hint } }) = forgotten {
            tracing::warn!("`{}`: {reason}; {hint}", path.display());
        }
    }

    fn write_servers(&self, change: impl FnOnce(&mut ServerFile)) -> Result<(), FileError> {
        let mut servers = self.read(SERVER, Torn::Silent, "")?.whole().unwrap_or_default();
        change(&mut servers);
        self.write(SERVER, &servers)
    }

    /// For the holder of the lock.
    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), FileError> {
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

    fn remove(&self, name: &str) -> Result<(), FileError> {
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
    fn lock(&self, patience: Duration) -> Result<Lock, FileError> {
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

#[cfg(test)]
mod tests;
