//! Slow calls: which run, which wait, which are done. The runtime is made for the first of them.

use std::collections::{HashMap, VecDeque};
use std::io;

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::{MAX_RUNNING, MAX_WAITING};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, JoinSet};

use super::session::Unit;
use crate::host::envelope::{Address, Id};
use crate::rpc::{Outcome, SlowWork};

/// A slow call.
pub(crate) struct Job {
    pub(crate) address: Address,
    pub(crate) unit: Unit,
    pub(crate) work: SlowWork,
}

impl Job {
    /// The job, finished without having run.
    pub(crate) fn refused(self, error: ErrorObject) -> Finished {
        Finished { address: self.address, unit: self.unit, outcome: Err(error) }
    }
}

/// A slow call that is done.
pub(crate) struct Finished {
    pub(crate) address: Address,
    pub(crate) unit: Unit,
    pub(crate) outcome: Outcome,
}

struct Running {
    address: Address,
    unit: Unit,
    handle: AbortHandle,
}

/// The slow calls of a conversation.
#[derive(Default)]
pub(crate) struct Jobs {
    runtime: Option<Runtime>,
    running: Set,
    waiting: VecDeque<Job>,
}

/// The calls that run.
#[derive(Default)]
pub(crate) struct Set {
    tasks: JoinSet<Outcome>,
    running: HashMap<tokio::task::Id, Running>,
}

impl Jobs {
    pub(crate) fn is_empty(&self) -> bool {
        self.running.running.is_empty() && self.waiting.is_empty()
    }

    /// Whether one more may run or wait.
    pub(crate) fn has_room(&self) -> bool {
        (self.waiting.is_empty() && self.running.running.len() < MAX_RUNNING)
            || self.waiting_units() < MAX_WAITING
    }

    /// A batch waits as one. Its members stand together in the queue.
    fn waiting_units(&self) -> usize {
        let mut last = None;
        self.waiting
            .iter()
            .filter(|job| match job.unit {
                Unit::Single => true,
                Unit::Member { batch, .. } => last.replace(batch) != Some(batch),
            })
            .count()
    }

    /// Takes a job in. It is finished at once, with an error, when there can be no runtime.
    pub(crate) fn submit(&mut self, job: Job) -> Option<Finished> {
        if self.runtime.is_none() {
            match start_runtime() {
                Ok(runtime) => self.runtime = Some(runtime),
                Err(error) => return Some(job.refused(no_runtime(&error))),
            }
        }
        self.waiting.push_back(job);
        self.start_waiting();
        None
    }

    fn start_waiting(&mut self) {
        let Some(runtime) = &self.runtime else { return };
        while self.running.running.len() < MAX_RUNNING
            && let Some(Job { address, unit, work }) = self.waiting.pop_front()
        {
            let handle = self.running.tasks.spawn_on(work, runtime.handle());
            self.running.running.insert(handle.id(), Running { address, unit, handle });
        }
    }

    /// Drives the running calls while `wait` waits for one of them or for something else; none where none runs.
    pub(crate) fn block_on<T>(&mut self, wait: impl AsyncFnOnce(&mut Set) -> T) -> Option<T> {
        let runtime = self.runtime.as_ref().filter(|_| !self.running.running.is_empty())?;
        let step = runtime.block_on(wait(&mut self.running));
        self.start_waiting();
        Some(step)
    }

    /// Stops the call with this id.
    pub(crate) fn cancel(&mut self, id: &Id) -> Option<Finished> {
        let asked = |address: &Address| address.id().is_some_and(|other| other.is(id));
        if let Some(position) = self.waiting.iter().position(|job| asked(&job.address)) {
            return self.waiting.remove(position).map(|job| cancelled(job.address, job.unit));
        }
        let task = self
            .running
            .running
            .iter()
            .find(|(_, call)| asked(&call.address))
            .map(|(task, _)| *task)?;
        let call = self.running.running.remove(&task)?;
        call.handle.abort();
        self.start_waiting();
        Some(cancelled(call.address, call.unit))
    }

    /// Stops every call.
    pub(crate) fn cancel_all(&mut self) -> Vec<Finished> {
        self.running.tasks.abort_all();
        let running = self.running.running.drain().map(|(_, call)| (call.address, call.unit));
        let waiting = self.waiting.drain(..).map(|job| (job.address, job.unit));
        running.chain(waiting).map(|(address, unit)| cancelled(address, unit)).collect()
    }
}

impl Set {
    /// The next call that is done. Pending for ever while none runs.
    pub(crate) async fn next_finished(&mut self) -> Finished {
        loop {
            let (task, outcome) = match self.tasks.join_next_with_id().await {
                Some(Ok((task, outcome))) => (task, outcome),
                // A call that was aborted is answered already; panics were caught where the method was called.
                Some(Err(error)) => (
                    error.id(),
                    Err(ErrorObject::new(
                        Code::InternalError,
                        "internal error: the log tells where",
                    )),
                ),
                None => std::future::pending().await,
            };
            if let Some(Running { address, unit, .. }) = self.running.remove(&task) {
                return Finished { address, unit, outcome };
            }
        }
    }
}

/// Blocking work (a name that is being looked up, a large body that is being read) must not hold up the exit.
impl Drop for Jobs {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn start_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

fn no_runtime(error: &io::Error) -> ErrorObject {
    ErrorObject::new(
        Code::InternalError,
        format!("no network: the system refused what a connection needs: {error}"),
    )
}

fn cancelled(address: Address, unit: Unit) -> Finished {
    Finished { address, unit, outcome: Err(ErrorObject::new(Code::Cancelled, "cancelled")) }
}
