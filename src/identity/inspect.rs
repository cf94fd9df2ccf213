//! A look at the data folder for `doctor`: nothing is written, no lock is waited for.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decide::Decision;
use super::format::State;
use super::store::Store;
use crate::files::{self, Exposed, Obstacle, Problem};

/// What is in a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Path and state of the identity's file.
    pub main: (PathBuf, Finding),
    /// Path and state of the backup.
    pub backup: (PathBuf, Finding),
    /// Whether the backup holds what a load would want it to hold.
    pub backed_up: bool,
    /// Names of temporary files that killed writers left; the next writer removes them.
    pub temporary: Vec<String>,
    /// Names of the broken files that were kept, oldest first.
    pub broken: Vec<String>,
    /// Path and state of the lock.
    pub lock: (PathBuf, LockState),
    /// What others could change: the folder, the identity's file (the link and its target), the backup. The next
    /// write takes others' right to write from the two files; a backup becomes this user's own.
    pub exposed: Vec<Exposed>,
}

/// What is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Nothing.
    Missing,
    /// An identity, exactly as on disk.
    Good(String),
    /// A damaged file, and the id that can be salvaged.
    Damaged(Option<String>),
    /// Something that can't be read.
    Unreadable(Problem),
}

impl Finding {
    /// The id, whole or salvaged from a damaged file.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Good(id) | Self::Damaged(Some(id)) => Some(id),
            Self::Missing | Self::Damaged(None) | Self::Unreadable(_) => None,
        }
    }
}

impl From<State> for Finding {
    fn from(state: State) -> Self {
        match state {
            State::Absent => Self::Missing,
            State::Valid { id, .. } => Self::Good(id),
            State::Torn { salvaged, .. } => Self::Damaged(salvaged),
            State::Passing { problem, .. } | State::Unreadable(problem) => {
                Self::Unreadable(problem)
            }
        }
    }
}

/// What is known about the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockState {
    /// It was never needed.
    Missing,
    /// No process holds it.
    Free,
    /// Another process creates, recovers or resets at this moment.
    Held,
    /// It can't be used.
    Unusable(Problem),
}

/// Looks at a data folder.
pub fn inspect(folder: &Path) -> Report {
    let store = Store::new(folder.to_owned(), Arc::default());
    let view = store.look();
    let mut places = vec![folder.to_owned(), store.main.clone(), store.backup.clone()];
    places.extend(files::follow(&store.main).ok().filter(|target| *target != store.main));
    Report {
        backed_up: matches!(view.decide(), Decision::Keep(kept) if kept.backed_up),
        temporary: files::temporary_files(&store.main),
        broken: files::kept_broken(&store.main),
        lock: (store.lock_file.clone(), lock_state(&store.lock_file)),
        exposed: places.iter().flat_map(|path| files::exposed(path)).collect(),
        main: (store.main, view.main.into()),
        backup: (store.backup, view.backup.into()),
    }
}

/// A shared lock is asked for, and given back at once: two doctors don't see each other.
fn lock_state(path: &Path) -> LockState {
    match files::open(path).map(|file| file.try_lock_shared()) {
        Ok(Ok(())) => LockState::Free,
        Ok(Err(TryLockError::WouldBlock)) => LockState::Held,
        Ok(Err(TryLockError::Error(error))) => LockState::Unusable(Problem::from(&error)),
        Err(Obstacle::Missing) => LockState::Missing,
        Err(obstacle) => LockState::Unusable(Problem::from(&obstacle)),
    }
}
