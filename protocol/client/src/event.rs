//! What a worker does that no call waits for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::sync::Arc;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::message::Progress;

/// Something that happened beside the calls; see [`Builder::on_event`](crate::Builder::on_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker was started.
    Started {
        /// Its process id.
        pid: u32,
    },
    /// A line that the worker wrote to stderr, without its line end; a longer one comes in pieces of 64 KiB.
    Log(String),
    /// A call that the host no longer waits for was answered, and not with "cancelled": it may have been carried out.
    Late {
        /// The call's method.
        method: String,
        /// The worker's error; `None` is a result.
        error: Option<ErrorObject>,
    },
    /// Progress with a token that is not this client's.
    Progress(Progress),
    /// A message that belongs to no call: invalid JSON, an id that was never sent, or an error with a null id.
    Unexpected {
        /// What is wrong with it. What it holds is not quoted, but for an error's message.
        reason: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The worker ended. Calls that were in flight have their error.
    Ended {
        /// Its exit status; `None` if that can't be read.
        status: Option<ExitStatus>,
    },
}

/// Takes the events.
#[derive(Clone, Default)]
pub(crate) struct Handler(Option<Arc<dyn Fn(Event) + Send + Sync>>);

impl Handler {
    pub(crate) fn new(handler: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(handler)))
    }

    /// A host's panic must not end the thread that reads replies.
    pub(crate) fn emit(&self, event: Event) {
        if let Some(handler) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| handler(event)));
        }
    }
}
