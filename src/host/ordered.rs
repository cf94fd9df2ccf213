//! Ordered calls: one at a time, in the order received, on a thread that may wait for a disk or a lock. The thread is
//! made for the first of them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};

use plexsync_protocol::error::{Code, ErrorObject};

use super::Event;
use super::batch::Slot;
use super::envelope::{Id, ReplyTo};
use super::events::Events;
use crate::rpc::{OrderedWork, Outcome};

/// With so many unfinished, no more input is read.
pub(super) const MAX_ORDERED: usize = 10_000;

/// Where the outcome goes; `None` if the call is not answered.
pub(super) type Asker = Option<(ReplyTo, Slot)>;

/// The ordered calls of a conversation.
pub(super) struct OrderedCalls {
    events: Events,
    /// Set while the running call should stop waiting.
    interrupt: Arc<AtomicBool>,
    worker: Option<Sender<OrderedWork>>,
    running: Option<Asker>,
    waiting: VecDeque<(Asker, OrderedWork)>,
}

impl OrderedCalls {
    pub(super) fn new(events: Events, interrupt: Arc<AtomicBool>) -> Self {
        Self { events, interrupt, worker: None, running: None, waiting: VecDeque::new() }
    }

    /// Unfinished calls.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.running.is_some())
    }

    /// Takes a call. Returns it with an error if no thread can be started.
    pub(super) fn submit(&mut self, asker: Asker, work: OrderedWork) -> Option<(Asker, Outcome)> {
        self.waiting.push_back((asker, work));
        self.start_next()
    }

    /// The running call is done: where its outcome goes. The next one starts.
    pub(super) fn finished(&mut self) -> (Asker, Option<(Asker, Outcome)>) {
        (self.running.take().flatten(), self.start_next())
    }

    fn start_next(&mut self) -> Option<(Asker, Outcome)> {
        if self.running.is_some() {
            return None;
        }
        let (asker, work) = self.waiting.pop_front()?;
        self.interrupt.store(false, Ordering::Relaxed);
        match self.worker() {
            Ok(worker) => {
                // Can't fail: the thread lives as long as this sender.
                let _never_refused = worker.send(work);
                self.running = Some(asker);
                None
            }
            Err(error) => Some((asker, Err(no_thread(&error)))),
        }
    }

    fn worker(&mut self) -> io::Result<&Sender<OrderedWork>> {
        match self.worker {
            Some(ref worker) => Ok(worker),
            None => Ok(self.worker.insert(start_thread(self.events.clone())?)),
        }
    }

    /// Stops the call with this id, if it is one of these. A running one is interrupted, and answered when it
    /// ends; a waiting one is removed.
    pub(super) fn cancel(&mut self, id: &Id) -> Option<(ReplyTo, Slot)> {
        let asked = |asker: &Asker| {
            asker.as_ref().and_then(|(reply_to, _)| reply_to.id()).is_some_and(|other| other.is(id))
        };
        if self.running.as_ref().is_some_and(asked) {
            self.interrupt.store(true, Ordering::Relaxed);
        }
        let position = self.waiting.iter().position(|(asker, _)| asked(asker))?;
        self.waiting.remove(position)?.0
    }

    /// Removes all that wait, and interrupts the one that runs.
    pub(super) fn cancel_all(&mut self) -> Vec<(ReplyTo, Slot)> {
        self.interrupt.store(true, Ordering::Relaxed);
        self.waiting.drain(..).filter_map(|(asker, _)| asker).collect()
    }

    /// Stops waiting for the running call.
    pub(super) fn abandon(&mut self) -> Asker {
        self.running.take().flatten()
    }
}

fn start_thread(events: Events) -> io::Result<Sender<OrderedWork>> {
    let (sender, receiver) = mpsc::channel::<OrderedWork>();
    let run = move || {
        for work in receiver {
            events.send(Event::Ordered(work()));
        }
    };
    std::thread::Builder::new().name("identity".to_owned()).spawn(run)?;
    Ok(sender)
}

fn no_thread(error: &io::Error) -> ErrorObject {
    ErrorObject::new(Code::InternalError, format!("the system refused a thread: {error}"))
}
