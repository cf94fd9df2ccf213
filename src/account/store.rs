//! The account's files on disk: read with no-follow, replaced whole under `account.lock`, which is held for file work
//! only. All of it may block.

mod disk;

use std::path::PathBuf;
use std::time::Duration;

pub use disk::{FileError, Torn};

use super::files::{AccountFile, ServerFile, SignInFile};
use crate::files::Problem;
use crate::secret::Secrets;
use disk::Content;

const ACCOUNT: &str = "account.json";
const SIGN_IN: &str = "sign_in.json";
const SERVER: &str = "server.json";
/// Every file that holds a credential.
pub const FILES: [&str; 3] = [SIGN_IN, ACCOUNT, SERVER];
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

    /// Changes the cache, as it is on disk now, under the lock, if the sign-in of the PIN `pin_id` still is the one that
    /// is stored: nothing of one that is gone may come back. What fails is a warning in the log: who can't have the lock
    /// within 200 ms goes on without it.
    pub fn change_servers(&self, pin_id: u64, change: impl FnOnce(&mut ServerFile)) {
        let changed = self.lock(SHORT_PATIENCE).and_then(|_lock| {
            let stored = self.read_account(Torn::Silent)?;
            match stored.is_some_and(|stored| stored.pin_id == pin_id) {
                true => self.write_servers(change),
                false => Ok(()),
            }
        });
        if let Err(FileError { path, problem: Problem { reason, hint } }) = changed {
            tracing::warn!(
                "`{}`: {reason}; {hint}; the way to the server is not remembered",
                path.display()
            );
        }
    }

    /// Lets a search for a server of this sign-in begin again at once.
    pub fn end_pauses(&self, pin_id: u64) {
        if self.servers().servers.values().any(|server| server.failed_at.is_some()) {
            self.change_servers(pin_id, |servers| {
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
        // Without the lock, if it can't be had: plex.tv may tell the token only once.
        let _lock = self.lock(PATIENCE);
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

    /// Waits until nobody holds the lock, for as long as others may.
    pub fn wait_for_writers(&self) {
        drop(self.lock(PATIENCE));
    }

    /// Removes all three files, with the lock or, where it can't be had, without.
    ///
    /// # Errors
    /// The first [`FileError`]; what could be removed is gone.
    pub fn remove_all(&self) -> Result<(), FileError> {
        let _lock = self.lock(PATIENCE);
        // The PIN first: who polls must not store a sign-in any more.
        let removed = FILES.map(|name| self.remove(name));
        removed.into_iter().collect()
    }

    fn read_account(&self, torn: Torn) -> Result<Option<AccountFile>, FileError> {
        let account = self.read::<AccountFile>(ACCOUNT, torn, "the sign-in")?.whole();
        account.iter().for_each(|account| self.secrets.remember(&account.token));
        Ok(account)
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
}

#[cfg(test)]
mod tests;
