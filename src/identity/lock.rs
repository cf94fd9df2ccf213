//! The lock: held only while creating, recovering or resetting, and never the only guard.
//!
//! Some file systems grant an exclusive lock to two holders (Docker Desktop's VirtioFS, docker/for-mac 7004) or know
//! none. So the lock saves work and orders resets, and names that must be unique are made with calls that check.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use plexsync_protocol::identity::FILE_NAME;

use super::disk;

/// How often a wait looks whether it is over.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// The lock, or that there is none to be had.
#[derive(Debug)]
pub(super) enum Lock {
    /// Held until this is dropped.
    Held {
        /// Closing it gives the lock back.
        _file: File,
    },
    /// No lock file can be made here, or the file system has no locks.
    None(io::Error),
}

/// Why nobody knows whether the lock could be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoLock {
    /// Another process held it all the time.
    Busy,
    /// The worker stops.
    Interrupted,
}

impl Lock {
    /// Takes the lock of `folder`, waiting at most `patience` for another holder.
    pub(super) fn take(
        folder: &Path,
        patience: Duration,
        stop: &AtomicBool,
    ) -> Result<Self, NoLock> {
        let file = match disk::owned().create(true).truncate(false).open(path(folder)) {
            Ok(file) => file,
            Err(error) => return Ok(Self::None(error)),
        };
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self::Held { _file: file }),
                Err(TryLockError::Error(error)) => return Ok(Self::None(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if start.elapsed() >= patience {
                return Err(NoLock::Busy);
            }
            pause(stop).map_err(|Stopped| NoLock::Interrupted)?;
        }
    }

    /// Whether it is really held.
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

/// The lock file of a data folder. Empty, and never removed: a lock on a removed file excludes nobody.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE_NAME}.lock"))
}

/// The worker stops.
#[derive(Debug)]
pub(super) struct Stopped;

/// Waits for one [`POLL`].
pub(super) fn pause(stop: &AtomicBool) -> Result<(), Stopped> {
    if stop.load(Ordering::Relaxed) {
        return Err(Stopped);
    }
    thread::sleep(POLL);
    Ok(())
}
