//! The lock: held only while something is written, and never the only guard.
//!
//! Some file systems grant an exclusive lock to two holders (Docker Desktop's VirtioFS, docker/for-mac 7004) or know
//! none. So the lock saves work and orders writers, and names that must be unique are made with calls that check.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::system;

/// How often a wait looks whether it is over.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// The lock, or that there is none to be had.
#[derive(Debug)]
pub enum Lock {
    /// Held until this is dropped.
    Held {
        /// Closing it gives the lock back.
        _file: File,
    },
    /// No lock file can be made here, or the file system has no locks.
    None(io::Error),
}

/// Why the lock could not be tried.
#[derive(Debug, PartialEq, Eq)]
pub enum NoLock {
    /// Another process held it all the time.
    Busy,
    /// The worker stops.
    Interrupted,
}

impl Lock {
    /// Takes the lock of the file at `path`, waiting at most `patience` for another holder. The file is made where it
    /// is missing, stays empty, and is never removed: a lock on a removed file excludes no process.
    ///
    /// # Errors
    ///
    /// [`NoLock`].
    pub fn take(path: &Path, patience: Duration, stop: &AtomicBool) -> Result<Self, NoLock> {
        let (start, wait) = (Instant::now(), patience.min(system::REFUSALS));
        let mut options = OpenOptions::new();
        options.create(true).truncate(false);
        let file = loop {
            match system::open_own(&mut options, 0o600, path) {
                Ok(file) => break file,
                Err(error) if system::may_pass(&error) && start.elapsed() < wait => {}
                Err(error) => return Ok(Self::None(error)),
            }
            pause(stop).map_err(|Stopped| NoLock::Interrupted)?;
        };
        loop {
            match system::try_lock(&file) {
                Ok(true) => return Ok(Self::Held { _file: file }),
                Ok(false) => {}
                Err(error) => return Ok(Self::None(error)),
            }
            if start.elapsed() >= patience {
                return Err(NoLock::Busy);
            }
            pause(stop).map_err(|Stopped| NoLock::Interrupted)?;
        }
    }
}

/// The worker stops.
#[derive(Debug)]
pub struct Stopped;

/// Goes on unless `stop` is set.
///
/// # Errors
///
/// [`Stopped`].
pub fn unless_stopped(stop: &AtomicBool) -> Result<(), Stopped> {
    if stop.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
}

/// Waits for one [`POLL`], unless `stop` is set.
///
/// # Errors
///
/// [`Stopped`].
pub fn pause(stop: &AtomicBool) -> Result<(), Stopped> {
    unless_stopped(stop)?;
    thread::sleep(POLL);
    Ok(())
}
