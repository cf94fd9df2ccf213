//! A look at the data folder for `doctor`: nothing is written, no lock is waited for.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk;
use super::file::{State, advice};
use super::leftover;
use super::lock;
use super::store::Store;
use super::table::{Step, View};

/// What is in a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Path and state of the identity's file.
    pub main: (PathBuf, Finding),
    /// Path and state of the second copy.
    pub copy: (PathBuf, Finding),
    /// Whether the second copy holds what a load would want it to hold.
    pub in_step: bool,
    /// Names of temporary files that killed writers left; the next writer removes them.
    pub temporary: Vec<String>,
    /// Names of the broken files that were kept, oldest first.
    pub broken: Vec<String>,
    /// Path and state of the lock.
    pub lock: (PathBuf, LockState),
}

/// What is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Nothing.
    Missing,
    /// An identity, exactly as on disk.
    Good(String),
    /// A damaged file, and the id that can still be made out.
    Damaged(Option<String>),
    /// Something that can't be read, why, and the cure.
    Unreadable(String),
}

impl Finding {
    /// The id that is there, whole or made out in a damaged file.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Good(id) | Self::Damaged(Some(id)) => Some(id),
            Self::Missing | Self::Damaged(None) | Self::Unreadable(_) => None,
        }
    }
}

/// What is known about the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockState {
    /// Nobody has ever needed it.
    Missing,
    /// Nobody holds it.
    Free,
    /// Somebody creates, recovers or resets at this moment.
    Held,
    /// It can't be used: why.
    Unusable(String),
}

/// Looks at a data folder.
pub fn inspect(folder: &Path) -> Report {
    let store = Store::new(folder.to_owned(), Arc::default());
    let view = store.look();
    Report {
        in_step: matches!(view.step(), Step::Keep(kept) if kept.in_step),
        temporary: leftover::temporary_files(folder),
        broken: leftover::broken_files(folder),
        lock: (lock::path(folder), lock_state(&lock::path(folder))),
        main: (store.main, finding(&view, |view| &view.main)),
        copy: (store.copy, finding(&view, |view| &view.copy)),
    }
}

fn finding(view: &View, part: fn(&View) -> &State) -> Finding {
    match part(view) {
        State::Absent => Finding::Missing,
        State::Valid { id, .. } => Finding::Good(id.clone()),
        State::Torn { salvaged, .. } => Finding::Damaged(salvaged.clone()),
        State::Unreadable(reason) => Finding::Unreadable(reason.clone()),
    }
}

/// A shared lock is asked for, and given back at once: two doctors don't see each other.
fn lock_state(path: &Path) -> LockState {
    match disk::open(path).map(|file| file.try_lock_shared()) {
        Ok(Ok(())) => LockState::Free,
        Ok(Err(TryLockError::WouldBlock)) => LockState::Held,
        Ok(Err(TryLockError::Error(error))) => LockState::Unusable(advice(&error)),
        Err(super::file::Obstacle::Missing) => LockState::Missing,
        Err(obstacle) => LockState::Unusable(obstacle.to_string()),
    }
}
