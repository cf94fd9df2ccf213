//! The file: read and written whole, under a lock that is held for this alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::state::State;
use super::time::Time;
use crate::files::{self, Access, Lock, NoLock, Obstacle, Problem, Replaced};

/// The name of the file.
pub const FILE_NAME: &str = "scans.json";
const LOCK_NAME: &str = "scans.lock";
/// Longest file that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long what may pass in a moment is looked at: a hook comes here several times.
const SETTLES: Duration = Duration::from_millis(300);
/// After what time half a note beside the file is taken for the rest of a process that was killed.
const ABANDONED: Duration = Duration::from_secs(60);
/// How often everything is done again when others write without the lock.
const ROUNDS: usize = 5;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it is in the file.
    Whole,
    /// The lock was not to be had, or the file can't be read now: what was noted is in a file of its own.
    Aside,
    /// Nothing could be written.
    Lost,
}

/// What was in the file at one moment.
#[derive(Debug, Default)]
pub struct Seen {
    /// `None` where there was no file, or none of ours.
    raw: Option<Vec<u8>>,
    pub(super) state: State,
}

#[derive(Debug)]
pub struct Store {
    pub(super) file: PathBuf,
    lock_file: PathBuf,
    stop: AtomicBool,
    has_warned: AtomicBool,
}

impl Store {
    pub fn new(folder: &Path) -> Self {
        let (file, lock_file) = (folder.join(FILE_NAME), folder.join(LOCK_NAME));
        Self { file, lock_file, stop: AtomicBool::new(false), has_warned: AtomicBool::new(false) }
    }

    /// What is in the file; changes nothing, waits for nobody.
    ///
    /// # Errors
    /// The reason why it can't be read.
    pub fn read(&self) -> Result<State, Problem> {
        self.seen().map(|seen| self.with_asides(seen))
    }

    /// The same, but for what is in files of its own.
    ///
    /// # Errors
    /// As of [`Store::read`].
    pub fn seen(&self) -> Result<Seen, Problem> {
        self.load(None).map_err(|obstacle| Problem::from(&obstacle))
    }

    /// What is in the file, and what others have noted beside it.
    pub fn with_asides(&self, Seen { mut state, .. }: Seen) -> State {
        self.asides().iter().for_each(|(_, aside)| merge(&mut state, aside));
        state
    }

    /// Changes the state, in one hold of the lock and one write at most. `change` is called once more where another
    /// process has written meanwhile. What was `seen` is not parsed again where the file is still the same: much may wait.
    pub fn update<T>(
        &self,
        mut seen: Option<Seen>,
        now: impl Fn() -> Time,
        mut change: impl FnMut(&mut State, Time) -> T,
    ) -> (T, Kept) {
        if let Err(error) = files::make_folder(files::parent(&self.file)) {
            self.warn("written", &Problem::from(&error));
            return (change(&mut State::default(), now()), Kept::Lost);
        }
        for _ in 0..ROUNDS {
            let lock = match Lock::take(&self.lock_file, PATIENCE, &self.stop) {
                Ok(lock) => lock,
                Err(NoLock::Busy | NoLock::Interrupted) => break,
            };
            let Seen { raw, state: before } = match self.load(seen.take()) {
                Ok(loaded) => loaded,
                // It will be there again for others.
                Err(obstacle) if obstacle.may_pass() => break,
                Err(obstacle) => {
                    self.warn("read", &Problem::from(&obstacle));
                    return (change(&mut State::default(), now()), Kept::Lost);
                }
            };
            let (now, mut state) = (now(), before.clone());
            let asides = self.asides();
            asides.iter().for_each(|(_, aside)| merge(&mut state, aside));
            let outcome = change(&mut state, now);
            if state == before && asides.is_empty() {
                return (outcome, Kept::Whole);
            }
            state.tidy(now);
            match self.write((&before, &state), raw.as_deref(), &lock) {
                Ok(true) => {
                    asides.iter().for_each(|(path, _)| drop(fs::remove_file(path)));
                    return (outcome, Kept::Whole);
                }
                Ok(false) => {}
                Err(problem) => {
                    self.warn("written", &problem);
                    return (outcome, Kept::Lost);
                }
            }
        }
        self.update_aside(now(), &mut change)
    }

    /// Without the lock or the file: what is newly noted goes to a file of its own.
    fn update_aside<T>(
        &self,
        now: Time,
        change: &mut impl FnMut(&mut State, Time) -> T,
    ) -> (T, Kept) {
        let mut state = self.load(None).map(|seen| seen.state).unwrap_or_default();
        let before = state.next;
        let outcome = change(&mut state, now);
        state.waiting.retain(|note| note.number > before);
        if state.waiting.is_empty() {
            return (outcome, Kept::Aside);
        }
        let noted = State { waiting: state.waiting, ..State::default() };
        let mut random = [0; 8];
        let name = getrandom::fill(&mut random).map(|()| {
            let random = u64::from_ne_bytes(random);
            format!("{FILE_NAME}.{}-{random:016x}", std::process::id())
        });
        let written = name
            .map_err(std::io::Error::other)
            .and_then(|name| files::create(&self.file.with_file_name(name), &noted.to_bytes()));
        match written {
            Ok(_) => (outcome, Kept::Aside),
            Err(error) => {
                self.warn("written", &Problem::from(&error));
                (outcome, Kept::Lost)
            }
        }
    }

    /// The bytes and what they mean. What is torn or foreign is begun anew; a link is never followed.
    fn load(&self, seen: Option<Seen>) -> Result<Seen, Obstacle> {
        let known = seen.as_ref().and_then(|seen| seen.raw.as_deref());
        let parse = |bytes: &[u8]| match known == Some(bytes) {
            true => Ok(None),
            false => State::from_bytes(bytes).map(Some),
        };
        match files::read_understood(&self.file, MAX_BYTES, SETTLES, parse) {
            Ok((_, Ok(None))) => Ok(seen.unwrap_or_default()),
            Ok((raw, Ok(Some(state)))) => Ok(Seen { raw: Some(raw), state }),
            Ok((raw, Err(reason))) => {
                self.warn_anew(&reason);
                Ok(Seen { raw: Some(raw), state: State::default() })
            }
            Err(Obstacle::Missing) => Ok(Seen::default()),
            Err(obstacle @ (Obstacle::Link | Obstacle::DanglingLink | Obstacle::TooLong(_))) => {
                self.warn_anew(&Problem::from(&obstacle).reason);
                Ok(Seen::default())
            }
            Err(obstacle) => Err(obstacle),
        }
    }

    /// Whether it was written: not where the file is not what was read. What waits from now on is on the disk then; the
    /// rest may get there when the system likes.
    fn write(
        &self,
        (before, state): (&State, &State),
        raw: Option<&[u8]>,
        lock: &Lock,
    ) -> Result<bool, Problem> {
        if matches!(lock, Lock::Held { .. }) {
            files::remove_temporary(&self.file);
        }
        let still = || match (files::read(&self.file, MAX_BYTES), raw) {
            (Ok(now), Some(raw)) => now == raw,
            (Err(Obstacle::Missing), Some(_)) | (Ok(_), None) => false,
            _ => true,
        };
        let bytes = state.to_bytes();
        let replaced = match state.waits_anew(before) {
            true => files::replace(&self.file, &bytes, Access::Ours, still),
            false => files::replace_soon(&self.file, &bytes, Access::Ours, still),
        };
        match replaced {
            Err(error) => Err(Problem::from(&error)),
            Ok(Replaced::Unsynced(error)) => {
                let Problem { reason, hint } = Problem::from(&error);
                self.warn_once(&format!("may not outlast a power cut ({reason}; {hint})"));
                Ok(true)
            }
            Ok(replaced) => Ok(matches!(replaced, Replaced::Done)),
        }
    }

    fn asides(&self) -> Vec<(PathBuf, State)> {
        let read = |name: String| {
            let path = self.file.with_file_name(name);
            let state = State::from_bytes(&files::read(&path, MAX_BYTES).ok()?);
            // Where a disk knows no links it may be written just now.
            let is_left = || fs::metadata(&path).is_ok_and(|about| is_old(&about));
            state
                .or_else(|reason| is_left().then(State::default).ok_or(reason))
                .ok()
                .map(|state| (path, state))
        };
        self.aside_names().into_iter().filter_map(read).collect()
    }

    fn aside_names(&self) -> Vec<String> {
        let is_aside = |name: &String| {
            let rest = name.strip_prefix(FILE_NAME).and_then(|rest| rest.strip_prefix('.'));
            rest.and_then(|rest| rest.split_once('-')).is_some_and(|(process, random)| {
                process.parse::<u32>().is_ok()
                    && random.len() == 16
                    && random.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        files::names(files::parent(&self.file)).into_iter().filter(is_aside).collect()
    }

    fn warn(&self, what: &str, Problem { reason, hint }: &Problem) {
        self.warn_once(&format!(
            "can't be {what} ({reason}; {hint}): Plex is asked for every folder, and what it misses is not remembered"
        ));
    }

    fn warn_anew(&self, reason: &str) {
        self.warn_once(&format!(
            "is begun anew ({reason}): if Plex was away lately, run the task *Scan Plex library*"
        ));
    }

    /// A call comes here several times.
    fn warn_once(&self, what: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("`{}` {what}", self.file.display());
        }
    }
}

/// Whether nobody can be writing it any more.
fn is_old(about: &fs::Metadata) -> bool {
    about.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED))
}

/// Notes what another process has noted.
fn merge(state: &mut State, aside: &State) {
    for note in &aside.waiting {
        let place = state.note(note.what.clone(), note.reason.clone(), note.since);
        let known = &mut state.waiting[place];
        known.since = known.since.min(note.since);
    }
}
