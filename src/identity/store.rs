//! The data folder: the identity is loaded from it, and only written here.
//!
//! A good file beside a good backup costs two reads: no lock, nothing opened for writing. Everything else goes through
//! [`View::decide`], once to see what is to be done and once more under the lock.

use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use plexsync_protocol::identity::{BACKUP_NAME, FILE_NAME, Origin};

use super::IdentityError;
use super::decide::{Decision, Kept, View, Which};
use super::format::{MAX_BYTES, State, classify, object_in};
use crate::files::{self, Access, Created, Lock, NoLock, Obstacle, Problem, Replaced, Stopped};

/// How often everything is looked at again when others keep changing it.
pub(super) const ROUNDS: usize = 5;

/// How long to wait for others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a torn file to become whole: the Python plugin truncates in place, then writes.
    pub(super) torn: Duration,
    /// For what may pass, at most.
    pub(super) passing: Duration,
    /// For the lock, if there is no answer without it.
    pub(super) lock: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { torn: Duration::from_secs(1), passing: Duration::MAX, lock: Duration::from_secs(5) }
    }
}

impl Patience {
    fn with(&self, view: &View) -> Duration {
        view.passes_within().map_or(self.torn, |within| within.min(self.passing))
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
    /// Nothing was changed on disk: the next process will find the same, and warn again.
    pub(super) lasting: bool,
}

/// One data folder.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) folder: PathBuf,
    pub(super) main: PathBuf,
    pub(super) backup: PathBuf,
    pub(super) lock_file: PathBuf,
    /// Where the identity was kept before.
    pub(super) former: Option<PathBuf>,
    pub(super) patience: Patience,
    pub(super) stop: Arc<AtomicBool>,
}

impl Store {
    pub(super) fn new(folder: PathBuf, stop: Arc<AtomicBool>) -> Self {
        let main = folder.join(FILE_NAME);
        let (backup, lock_file) =
            (folder.join(BACKUP_NAME), folder.join(format!("{FILE_NAME}.lock")));
        let patience = Patience::default();
        Self { folder, main, backup, lock_file, former: None, patience, stop }
    }

    /// Finds the identity, creates it where there is none, repairs what can be repaired.
    pub(super) fn load(&self) -> Result<Found, IdentityError> {
        let mut view = self.look();
        for _ in 0..ROUNDS {
            view = self.settle(view)?;
            let (decision, mut patience) = (view.decide(), self.patience.lock);
            match &decision {
                Decision::Keep(kept) if kept.backed_up => return Ok(Found::kept(kept)),
                // Only the backup is to be written: if the lock is not free, the next load does it.
                Decision::Keep(_) => patience = Duration::ZERO,
                Decision::Refuse { which, problem } => return Err(self.refused(*which, problem)),
                Decision::Create => self.make_folder()?,
                Decision::Restore { .. } | Decision::Regenerate => {}
            }
            let lock = match (self.lock(patience), &decision) {
                (Ok(lock), _) => lock,
                (Err(_), Decision::Keep(kept)) => return Ok(Found::kept(kept)),
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
            files::pause(&self.stop)?;
            view = self.look();
        }
        Err(self.keeps_changing())
    }

    /// The identity in a good file beside a good backup. Never waits, writes nothing.
    pub(super) fn load_without_waiting(&self) -> Option<Found> {
        match self.look().decide() {
            Decision::Keep(kept) if kept.backed_up && !kept.salvaged => Some(Found::kept(&kept)),
            _ => None,
        }
    }

    fn carry_out(&self, now: &View, lock: &Lock) -> Result<Option<Found>, IdentityError> {
        match now.decide() {
            Decision::Keep(kept) => {
                let unwritten = self.back_up(&now.backup, &kept.bytes);
                let found = Found { lasting: unwritten.is_some(), ..Found::kept(&kept) };
                Ok(Some(found.warned(unwritten)))
            }
            Decision::Restore { id, bytes } => Ok(self.restore(now, id, &bytes)),
            Decision::Create => self.create(now),
            Decision::Regenerate => self.regenerate(now, lock),
            Decision::Refuse { which, problem } => Err(self.refused(which, &problem)),
        }
    }

    /// Looks at both files. The backup comes second: whoever replaces both writes it last.
    pub(super) fn look(&self) -> View {
        let (main, linked) = match files::read(&self.main, MAX_BYTES) {
            Err(Obstacle::Link) => (self.read_through_link(), true),
            read => (read, false),
        };
        View { main: classify(main), backup: self.look_at_backup(), linked }
    }

    /// The target of a link is never "missing": its volume may not be mounted.
    fn read_through_link(&self) -> Result<Vec<u8>, Obstacle> {
        match files::read(&files::follow(&self.main)?, MAX_BYTES) {
            Err(Obstacle::Missing) => Err(Obstacle::DanglingLink),
            Err(Obstacle::Link) => Err(Obstacle::Flickers),
            read => read,
        }
    }

    /// The backup is ours alone: a link in its place is not followed.
    pub(super) fn look_at_backup(&self) -> State {
        classify(files::read(&self.backup, MAX_BYTES))
    }

    /// Waits while what is there may be half written, or be on its way. A torn file that is replaced at the end of its
    /// time may be unreadable for a moment, and has a time of its own for that.
    pub(super) fn settle(&self, mut view: View) -> Result<View, IdentityError> {
        let begin = Instant::now();
        let mut since = begin;
        while view.unsettled()
            && since.elapsed() < self.patience.with(&view)
            && begin.elapsed() < self.patience.torn + self.patience.with(&view)
        {
            files::pause(&self.stop)?;
            let now = self.look();
            if discriminant(&now.main) != discriminant(&view.main) {
                since = Instant::now();
            }
            view = now;
        }
        Ok(view)
    }

    /// Takes the lock, and clears away what killed writers have left.
    pub(super) fn lock(&self, patience: Duration) -> Result<Lock, NoLock> {
        let lock = Lock::take(&self.lock_file, patience, &self.stop)?;
        match &lock {
            Lock::Held { .. } => self.clean_up(),
            Lock::None(error) => tracing::debug!(%error, "no lock in the data folder"),
        }
        Ok(lock)
    }

    fn clean_up(&self) {
        files::remove_temporary(&self.main);
        // The target of a link is written beside the target.
        let target = files::follow(&self.main).ok().filter(|target| *target != self.main);
        target.iter().for_each(|target| files::remove_temporary(target));
    }

    /// Writes the backup unless it holds `bytes`. A warning if that can't be done.
    pub(super) fn back_up(&self, backup: &State, bytes: &[u8]) -> Option<String> {
        let written = match backup {
            State::Valid { raw, .. } if object_in(raw) == bytes => return None,
            State::Absent => match files::create(&self.backup, bytes) {
                Ok(Created::Done) => return None,
                Ok(Created::Taken) => self.replace_backup(bytes),
                Err(error) => Err(error),
            },
            _ => self.replace_backup(bytes),
        };
        let problem = match written {
            Ok(Replaced::Done | Replaced::Stale) => return None,
            Ok(Replaced::Unsynced(error)) | Err(error) => Problem::from(&error),
        };
        Some(format!(
            "The backup of the identity's file can't be written ({}; {}): should the file get damaged, Plex will show \
             a new device.",
            problem.reason, problem.hint
        ))
    }

    pub(super) fn replace_backup(&self, bytes: &[u8]) -> std::io::Result<Replaced> {
        files::replace(&self.backup, bytes, Access::Ours, || true)
    }

    /// Makes the data folder where it is missing.
    pub(super) fn make_folder(&self) -> Result<(), IdentityError> {
        files::make_folder(&self.folder).map_err(|error| {
            let problem = Problem::from(&error).because("the data folder can't be made");
            IdentityError::unavailable(&self.folder, problem)
        })
    }

    pub(super) fn refused(&self, which: Which, problem: &Problem) -> IdentityError {
        let path = match which {
            Which::Main => &self.main,
            Which::Backup => &self.backup,
        };
        IdentityError::unavailable(path, problem.clone())
    }

    pub(super) fn no_lock(&self, why: &NoLock) -> IdentityError {
        match why {
            NoLock::Interrupted => IdentityError::Interrupted,
            NoLock::Busy => IdentityError::unavailable(
                &self.lock_file,
                Problem::new(
                    "another process holds the lock and doesn't let go",
                    "try again; if it stays so, end that process",
                ),
            ),
        }
    }

    /// The files kept changing between two looks.
    pub(super) fn keeps_changing(&self) -> IdentityError {
        let hint = "end the other programs that write it";
        IdentityError::unavailable(&self.main, Problem::new("it keeps changing", hint))
    }
}

impl Found {
    fn kept(kept: &Kept) -> Self {
        let (id, origin) = (kept.id.clone(), Origin::Loaded);
        let found = Self { id, origin, warning: None, lasting: true };
        let damaged = kept.salvaged.then(|| {
            "The identity's file is damaged, but its id could be read: Plex sees the same device as before. \
             A reset to this very id writes the file anew."
                .to_owned()
        });
        let changed = kept.other.as_ref().map(|other| {
            format!(
                "The identity's file was changed from outside: its backup held `{other}`. The file counts, so Plex may \
                 show a new device. A reset to the other id brings the former device back."
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

impl IdentityError {
    /// The identity is not to be had because of what is at `path`.
    pub(super) fn unavailable(path: &Path, Problem { reason, hint }: Problem) -> Self {
        Self::Unavailable { path: path.to_owned(), reason, hint }
    }
}
