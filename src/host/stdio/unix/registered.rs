//! What the runtime of the slow calls watches for the loop.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::unix::pipe::Receiver;

/// Second handles of what the loop watches. None of them is read or written here, so none has to be a pipe.
pub(super) struct Registered {
    /// None for a file: it never makes one wait, and epoll(7) takes none.
    input: Option<Receiver>,
    signals: Option<Receiver>,
    replies: Option<Receiver>,
}

impl Registered {
    /// Registers with the runtime that this runs on.
    pub(super) fn new(input: impl AsFd, signals: impl AsFd, replies: impl AsFd) -> Self {
        Self { input: register(input), signals: register(signals), replies: register(replies) }
    }

    /// Waits until something may have changed, at most for `rest`; for input only if `more_input` may come.
    pub(super) async fn change(&mut self, more_input: bool, rest: Option<Duration>) {
        let Self { input, signals, replies } = self;
        let file = more_input && input.is_none();
        tokio::select! {
            () = changed(input.as_ref()), if more_input && !file => {}
            () = tokio::task::yield_now(), if file => {}
            () = changed(signals.as_ref()) => {}
            // Once: what is left of a socket that only goes one way would never be quiet again.
            () = changed(replies.as_ref()) => drop(replies.take()),
            () = tokio::time::sleep(rest.unwrap_or_default()), if rest.is_some() => {}
        }
    }
}

fn register(fd: impl AsFd) -> Option<Receiver> {
    Receiver::from_owned_fd_unchecked(fd.as_fd().try_clone_to_owned().ok()?).ok()
}

/// Waits for a change, and forgets it. A pipe whose reader is gone has an error, a socket an end.
async fn changed(fd: Option<&Receiver>) {
    let Some(fd) = fd else { return std::future::pending().await };
    // The only error is a runtime that is being dropped, and this with it.
    let _ready = fd.ready(Interest::READABLE.add(Interest::ERROR)).await;
    let _forgotten = fd.try_io(|| io::Result::<()>::Err(ErrorKind::WouldBlock.into()));
}
