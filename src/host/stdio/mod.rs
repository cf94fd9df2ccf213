//! Stdin, and what ends a conversation from outside: a signal, a host that no longer reads replies, a Stash that
//! died.
//!
//! tokio's stdin can't be cancelled, and would keep the process from ending.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[cfg(not(unix))]
mod other;
mod typed;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use self::other::{Stdio, open};
#[cfg(unix)]
pub use self::unix::{Stdio, open};

/// Bytes that are read at once: what a Linux pipe holds.
const CHUNK: usize = 64 * 1024;
/// Chunks that may wait for the loop: so much may a host write before it reads.
const CHUNKS_AHEAD: usize = 6;
/// Nothing large lives on the reading thread's stack.
const STACK: usize = 128 * 1024;

/// What is shared with the rest of the process.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Set when a signal asks the process to stop.
    pub stop: Arc<AtomicBool>,
    /// Set by whoever finds out that Stash is the host: then the process ends with its parent.
    pub stash: Arc<AtomicBool>,
}

/// What is watched.
pub struct Watched<Input, Replies> {
    /// Where messages come from.
    pub input: Input,
    /// Where replies go. It is watched, never written.
    pub replies: Replies,
}
