//! The loop's queue of events.
//!
//! The standard library's channel wakes its receiver before it lets go of a lock that the receiver then wants: on one core
//! that is two more switches between threads for each event.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Thread, current, park, park_timeout};
use std::time::Instant;

use super::Event;

/// A queue. Any thread may send to it; the thread that made it receives.
#[derive(Clone)]
pub struct Events {
    queue: Arc<Mutex<VecDeque<Event>>>,
    receiver: Thread,
}

impl Events {
    /// The calling thread's queue.
    pub fn new() -> Self {
        Self { queue: Arc::default(), receiver: current() }
    }

    pub fn send(&self, event: Event) {
        self.add(event);
        self.wake();
    }

    /// Sends an event, and leaves it to the caller to [`wake`](Self::wake) the receiver.
    pub(super) fn add(&self, event: Event) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }

    pub(super) fn wake(&self) {
        self.receiver.unpark();
    }

    /// The next event, if there is one already.
    pub(super) fn try_next(&self) -> Option<Event> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Waits for the next event; `None` if `due` comes first.
    pub(super) fn next(&self, due: Option<Instant>) -> Option<Event> {
        loop {
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            match due.map(|due| due.saturating_duration_since(Instant::now())) {
                None => park(),
                Some(left) if left.is_zero() => return None,
                Some(left) => park_timeout(left),
            }
        }
    }
}
