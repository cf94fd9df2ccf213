//! Stdin, on a plain thread: it reads, and it watches for what ends a conversation from outside: a signal, a host
//! that no longer reads replies, a Stash that died.
//!
//! tokio's stdin can't be cancelled, and would keep the process from ending.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc;

use crate::serve::Event;

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod plain;
mod typed;

pub use self::typed::by_hand;

/// Bytes that are read at once: what a Linux pipe holds.
const CHUNK: usize = 64 * 1024;
/// Chunks that may wait for the loop.
const CHUNKS_AHEAD: usize = 16;
/// Nothing large lives on this thread's stack.
const STACK: usize = 128 * 1024;

/// What the reader shares with the rest of the process.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Set when a signal asks the process to stop.
    pub stop: Arc<AtomicBool>,
    /// Set by whoever finds out that Stash is the host: then the process ends with its parent.
    pub stash: Arc<AtomicBool>,
}

/// What the reader watches.
pub struct Watched<Input, Replies> {
    /// Where messages come from.
    pub input: Input,
    /// Where replies go. It is watched, never written.
    pub replies: Replies,
}

/// Starts reading. `exit` ends the process when it does not end by itself after a signal.
///
/// # Errors
/// When there is no thread or no pipe to be had.
#[cfg(unix)]
pub fn start<Input, Replies>(
    watched: Watched<Input, Replies>,
    flags: Flags,
    exit: fn(),
) -> io::Result<mpsc::Receiver<Event>>
where
    Input: std::os::fd::AsFd + Send + 'static,
    Replies: std::os::fd::AsFd + Send + 'static,
{
    let signals = unix::signals()?;
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let reader = unix::Reader::new(watched, signals, flags, sender, exit);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .stack_size(STACK)
        .spawn(move || reader.run())?;
    Ok(receiver)
}

/// Starts reading. Signals keep their default effect.
///
/// # Errors
/// When there is no thread to be had.
#[cfg(not(unix))]
pub fn start<Input, Replies>(
    watched: Watched<Input, Replies>,
    _: Flags,
    _: fn(),
) -> io::Result<mpsc::Receiver<Event>>
where
    Input: io::Read + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let input = watched.input;
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .stack_size(STACK)
        .spawn(move || plain::read_to_end(input, &sender))?;
    Ok(receiver)
}
