//! The way to the host and back, as the loop sees it.

use std::future::Future;
use std::io::{self, Write};

use tokio::sync::mpsc;

/// What happens outside of the loop.
#[derive(Debug)]
pub enum Event {
    /// The host has sent bytes.
    Bytes(Vec<u8>),
    /// The host will send no more.
    End,
    /// The process was asked to stop.
    Stop,
    /// Nobody reads the replies any more.
    HostGone,
}

/// Brings what the host sends, takes what it is told.
pub trait Transport {
    /// An event that is there already, as far as that can be told without asking the system for nothing.
    fn ready(&mut self) -> Option<Event>;

    /// Waits for the next event while no slow call runs.
    fn wait(&mut self) -> Event;

    /// Waits for the next event on the runtime of the slow calls. Dropped while it waits, it loses nothing. After the
    /// end of input it may wait for ever.
    fn next(&mut self) -> impl Future<Output = Event>;

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// As `write(2)`; `BrokenPipe` when nobody reads any more.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A transport whose events come from another thread.
#[derive(Debug)]
pub struct Channel<W> {
    events: mpsc::Receiver<Event>,
    replies: W,
    closed: bool,
}

impl<W> Channel<W> {
    /// A transport of what another thread has seen, and of a place for replies. When the thread is gone, so is the
    /// host.
    pub fn new(events: mpsc::Receiver<Event>, replies: W) -> Self {
        Self { events, replies, closed: false }
    }
}

impl<W: Write> Transport for Channel<W> {
    fn ready(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    fn wait(&mut self) -> Event {
        self.events.blocking_recv().unwrap_or(Event::End)
    }

    async fn next(&mut self) -> Event {
        if self.closed {
            return std::future::pending().await;
        }
        let event = self.events.recv().await;
        self.closed = event.is_none();
        event.unwrap_or(Event::End)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.replies.write_all(bytes)
    }
}
