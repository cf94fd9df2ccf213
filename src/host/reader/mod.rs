//! The reader: a thread that reads stdin, and watches for what else ends a conversation: a signal, a host that has
//! closed the replies' pipe, the death of the parent Stash.
//!
//! tokio's stdin can't be cancelled, and would keep the process from ending.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use self::unix::start;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use self::windows::start;

/// Bytes per read: what a Linux pipe holds.
const CHUNK: usize = 64 * 1024;
/// Most undecoded input, in bytes: a host that writes more has to wait.
const CREDIT: usize = 1024 * 1024;
/// The reader's stack, in bytes: its buffer is on the heap.
const STACK: usize = 128 * 1024;

/// What is shared with the rest of the process.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Set when a signal asks the process to stop.
    pub stop: Arc<AtomicBool>,
    /// Set when Stash turns out to be the host: then the process ends with its parent.
    pub stash: Arc<AtomicBool>,
}

/// How much more the reader may read, in bytes.
pub struct Credit {
    left: AtomicUsize,
    /// Wakes a reader that has none left.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Credit {
    /// A full credit. `wake` is called when there is some again.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { left: AtomicUsize::new(CREDIT), wake: Box::new(wake) }
    }

    /// Gives back what was taken.
    pub fn give(&self, count: usize) {
        if count > 0 && self.left.fetch_add(count, Ordering::AcqRel) == 0 {
            (self.wake)();
        }
    }

    fn left(&self) -> usize {
        self.left.load(Ordering::Acquire)
    }

    /// Only the reader takes: never more than is left.
    fn take(&self, count: usize) {
        self.left.fetch_sub(count, Ordering::AcqRel);
    }
}
