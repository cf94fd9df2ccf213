//! The data folder: the identity is loaded from it, and written to it by nobody else.
//!
//! A good file beside a second copy in step costs two reads: no lock, nothing opened for writing. Everything else
//! goes through [`View::step`], once to see what is to be done and once more under the lock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use plexsync_protocol::identity::{FILE_NAME, Origin, SECOND_COPY_NAME};

use super::IdentityError;
use super::disk;
use super::file::{State, advice};
use super::leftover;
use super::lock::{Lock, NoLock, Stopped, pause};
use super::publish::{self, Published, Replaced};
use super::table::{Kept, Step, View};

/// How often everything is looked at again when others keep changing it.
pub(super) const ROUNDS: usize = 5;

/// How long to wait for others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a torn file to become whole: the Python plugin truncates in place, then writes.
    pub(super) torn: Duration,
    /// For the lock.
    pub(super) lock: Duration,
    /// For the lock where only the second copy is to be written, and the answer is known.
    pub(super) copy: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            torn: Duration::from_secs(1),
            lock: Duration::from_secs(5),
            copy: Duration::from_secs(1),
        }
    }
}

/// An identity that is on disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The id.
    pub(super) id: String,
    /// Where it came from.
    pub(super) origin: Origin,
    /// What the user should know.
    pub(super) warning: Option<String>,
}

/// One data folder.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) folder: PathBuf,
    pub(super) main: PathBuf,
    pub(super) copy: PathBuf,
    pub(super) patience: Patience,
    pub(super) stop: Arc<AtomicBool>,
}

impl Store {
    pub(super) fn new(folder: PathBuf, stop: Arc<AtomicBool>) -> Self {
        let (main, copy) = (folder.join(FILE_NAME), folder.join(SECOND_COPY_NAME));
        Self { folder, main, copy, patience: Patience::default(), stop }
    }

    /// Finds the identity, makes it where there is none, mends what can be mended.
    pub(super) fn load(&self) -> Result<Found, IdentityError> {
        let mut view = self.look();
        for _ in 0..ROUNDS {
            view = self.settle(view)?;
            let step = view.step();
            match &step {
                Step::Keep(kept) if kept.in_step => return Ok(Found::kept(kept)),
                Step::Refuse { copy, reason } => return Err(self.refused(*copy, reason)),
                Step::Create => self.make_folder()?,
                _ => {}
            }
            let patience = match &step {
                Step::Keep(_) => self.patience.copy,
                _ => self.patience.lock,
            };
            let lock = match (self.lock(patience), &step) {
                (Ok(lock), _) => lock,
                (Err(why), Step::Keep(kept)) => return Ok(self.kept_without_lock(kept, &why)),
                (Err(why), _) => return Err(self.no_lock(&why)),
            };
            let now = self.look();
            // A torn file that still changes is being written: its writer gets its time.
            if !(now.unsettled() && now != view)
                && let Some(found) = self.carry_out(&now, &lock)?
            {
                return Ok(found);
            }
            drop(lock);
            pause(&self.stop)?;
            view = self.look();
        }
        Err(self.restless())
    }

    fn carry_out(&self, now: &View, lock: &Lock) -> Result<Option<Found>, IdentityError> {
        match now.step() {
            Step::Keep(kept) => {
                let found = Found::kept(&kept);
                Ok(Some(found.warned(self.bring_in_step(&now.copy, &kept.bytes))))
            }
            Step::Restore { id, bytes } => Ok(self.restore(now, id, &bytes)),
            Step::Create => self.create(now, lock),
            Step::Regenerate => self.regenerate(now, lock),
            Step::Refuse { copy, reason } => Err(self.refused(copy, &reason)),
        }
    }

    /// Looks at both files. The second copy comes second: whoever replaces both writes it last.
    pub(super) fn look(&self) -> View {
        let main = disk::look(&self.main);
        View { main, copy: disk::look(&self.copy) }
    }

    /// Waits while what is there may be half written.
    pub(super) fn settle(&self, mut view: View) -> Result<View, IdentityError> {
        let start = Instant::now();
        while view.unsettled() && start.elapsed() < self.patience.torn {
            pause(&self.stop)?;
            view = self.look();
        }
        Ok(view)
    }

    /// Takes the lock, and clears away what killed writers have left.
    pub(super) fn lock(&self, patience: Duration) -> Result<Lock, NoLock> {
        let lock = Lock::take(&self.folder, patience, &self.stop)?;
        match &lock {
            Lock::Held { .. } => self.sweep(),
            Lock::None(error) => tracing::debug!(%error, "no lock in the data folder"),
        }
        Ok(lock)
    }

    fn sweep(&self) {
        leftover::sweep(&self.folder);
        // A symlinked file is written beside what it leads to.
        let target = publish::real_file(&self.main).ok();
        let elsewhere = target.as_ref().and_then(|(target, _)| target.parent());
        elsewhere.filter(|folder| *folder != self.folder).into_iter().for_each(leftover::sweep);
    }

    /// Writes the second copy unless it holds `bytes`. A warning if that can't be done.
    pub(super) fn bring_in_step(&self, copy: &State, bytes: &[u8]) -> Option<String> {
        let written = match copy {
            State::Valid { raw, .. } if raw == bytes => return None,
            State::Absent => {
                publish::publish(&self.copy, bytes, true).and_then(|published| match published {
                    Published::Done => Ok(Replaced::Done),
                    Published::Taken => publish::replace(&self.copy, bytes, || true),
                })
            }
            _ => publish::replace(&self.copy, bytes, || true),
        };
        match written {
            Ok(Replaced::Done | Replaced::Stale) => None,
            Ok(Replaced::Unsynced(error)) | Err(error) => Some(unprotected(&advice(&error))),
        }
    }

    /// Makes the data folder where it is missing.
    pub(super) fn make_folder(&self) -> Result<(), IdentityError> {
        disk::make_folder(&self.folder).map_err(|error| IdentityError::Unavailable {
            path: self.folder.clone(),
            reason: format!("the data folder can't be made: {}", advice(&error)),
        })
    }

    fn kept_without_lock(&self, kept: &Kept, why: &NoLock) -> Found {
        let busy = || unprotected("another process holds the lock");
        Found::kept(kept).warned((*why == NoLock::Busy).then(busy))
    }

    /// The identity is not to be had because of what is at `path`.
    pub(super) fn unavailable(path: &Path, reason: impl Into<String>) -> IdentityError {
        IdentityError::Unavailable { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn refused(&self, copy: bool, reason: &str) -> IdentityError {
        Self::unavailable(if copy { &self.copy } else { &self.main }, reason)
    }

    pub(super) fn no_lock(&self, why: &NoLock) -> IdentityError {
        match why {
            NoLock::Interrupted => IdentityError::Interrupted,
            NoLock::Busy => Self::unavailable(
                &super::lock::path(&self.folder),
                "another process holds the lock and doesn't let go: end it",
            ),
        }
    }

    /// Others change the files faster than anything can be done about them.
    pub(super) fn restless(&self) -> IdentityError {
        Self::unavailable(&self.main, "it keeps changing: end the other programs that write it")
    }
}

impl Found {
    fn kept(kept: &Kept) -> Self {
        let found = Self { id: kept.id.clone(), origin: Origin::Loaded, warning: None };
        let damaged = kept.salvaged.then(|| {
            "The identity's file is damaged, but its id could be made out: Plex sees the same device as before. \
             A reset to this very id writes the file anew."
                .to_owned()
        });
        let changed = kept.other.as_ref().map(|other| {
            format!(
                "The identity's file was changed from outside: its second copy held `{other}`. The file counts, so \
                 Plex may show a new device. A reset to the other id brings the former device back."
            )
        });
        found.warned(damaged).warned(changed)
    }

    /// The same with one more sentence for the user.
    pub(super) fn warned(mut self, warning: Option<String>) -> Self {
        self.warning = match (self.warning, warning) {
            (Some(first), Some(second)) => Some(format!("{first} {second}")),
            (first, second) => first.or(second),
        };
        self
    }
}

impl From<Stopped> for IdentityError {
    fn from(Stopped: Stopped) -> Self {
        Self::Interrupted
    }
}

fn unprotected(reason: &str) -> String {
    format!(
        "The identity's second copy can't be written ({reason}): should the file get damaged, Plex will show a new \
         device. Let the data folder be written."
    )
}
