//! Slow calls: which run, which wait, which are done. The runtime is made for the first of them, and driven from then
//! on, busy or idle: a cancelled call is dropped at once, and an idle connection is watched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plexsync_protocol::error::{Code, ErrorObject, PlexTimeout, TimeoutPhase};
use plexsync_protocol::message::{MAX_RUNNING, MAX_WAITING, Progress};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use super::batch::Slot;
use super::envelope::{Id, ReplyTo};
use super::events::Events;
use super::{CallKey, Event};
use crate::rpc::{ProgressSender, SlowWork};

/// Most threads for work that blocks: files, names, large bodies.
const BLOCKING_THREADS: usize = 8;
/// So long after its own timeout a call is answered by the loop.
const LATE: Duration = Duration::from_millis(250);

/// A slow call.
pub(super) struct Job {
    pub(super) key: CallKey,
    pub(super) reply_to: ReplyTo,
    pub(super) slot: Slot,
    pub(super) timeout: Option<Duration>,
    pub(super) work: SlowWork,
}

struct Running {
    reply_to: ReplyTo,
    slot: Slot,
    task: AbortHandle,
    due: Option<Instant>,
}

/// The newest unsent progress of each call.
type Reports = Arc<Mutex<BTreeMap<CallKey, Progress>>>;

/// The slow calls of a conversation.
pub(super) struct SlowCalls {
    events: Events,
    network: Option<Network>,
    running: BTreeMap<CallKey, Running>,
    waiting: VecDeque<Job>,
    /// When which call is overdue.
    due: BTreeSet<(Instant, CallKey)>,
    reports: Reports,
    keys: CallKey,
}

impl SlowCalls {
    pub(super) fn new(events: Events) -> Self {
        Self {
            events,
            network: None,
            running: BTreeMap::new(),
            waiting: VecDeque::new(),
            due: BTreeSet::new(),
            reports: Reports::default(),
            keys: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// A key for the next call.
    pub(super) fn next_key(&mut self) -> CallKey {
        self.keys += 1;
        self.keys
    }

    /// Whether one more may run or wait.
    pub(super) fn has_room(&self) -> bool {
        (self.waiting.is_empty() && self.running.len() < MAX_RUNNING)
            || self.waiting_units() < MAX_WAITING
    }

    /// A batch counts as one. Its members are next to each other in the queue.
    fn waiting_units(&self) -> usize {
        let mut last = None;
        let unit = |job: &&Job| match job.slot {
            Slot::Single => true,
            Slot::Member { batch, .. } => last.replace(batch) != Some(batch),
        };
        self.waiting.iter().filter(unit).count()
    }

    /// Takes a call. Returns it with an error if the runtime can't be started.
    pub(super) fn submit(&mut self, job: Job) -> Option<(ReplyTo, Slot, ErrorObject)> {
        if self.network.is_none() {
            match Network::start(&self.events) {
                Ok(network) => self.network = Some(network),
                Err(error) => return Some((job.reply_to, job.slot, no_runtime(&error))),
            }
        }
        self.waiting.push_back(job);
        self.start_waiting();
        None
    }

    fn start_waiting(&mut self) {
        let Some(network) = &self.network else { return };
        while self.running.len() < MAX_RUNNING
            && let Some(Job { key, reply_to, slot, timeout, work }) = self.waiting.pop_front()
        {
            let (events, ended) = (self.events.clone(), network.ended.clone());
            let task = network.runtime.spawn(async move {
                events.add(Event::Slow(key, work.await));
                ended.notify_one();
            });
            let due = timeout.and_then(|timeout| Instant::now().checked_add(timeout + LATE));
            self.due.extend(due.map(|due| (due, key)));
            self.running.insert(key, Running { reply_to, slot, task: task.abort_handle(), due });
        }
    }

    /// Removes a call that is done or cancelled. Its future is dropped on its own thread.
    pub(super) fn remove(&mut self, key: CallKey) -> Option<(ReplyTo, Slot)> {
        let call = self.running.remove(&key)?;
        call.task.abort();
        if let Some(due) = call.due {
            self.due.remove(&(due, key));
        }
        self.reports().remove(&key);
        self.start_waiting();
        Some((call.reply_to, call.slot))
    }

    /// Stops the call with this id, if it is one of these.
    pub(super) fn cancel(&mut self, id: &Id) -> Option<(ReplyTo, Slot)> {
        let asked = |reply_to: &ReplyTo| reply_to.id().is_some_and(|other| other.is(id));
        if let Some(position) = self.waiting.iter().position(|job| asked(&job.reply_to)) {
            return self.waiting.remove(position).map(|job| (job.reply_to, job.slot));
        }
        let (key, _) = self.running.iter().find(|(_, call)| asked(&call.reply_to))?;
        self.remove(*key)
    }

    /// Stops every call.
    pub(super) fn cancel_all(&mut self) -> Vec<(ReplyTo, Slot)> {
        let waiting: Vec<Job> = self.waiting.drain(..).collect();
        let running: Vec<CallKey> = self.running.keys().copied().collect();
        let running = running.into_iter().filter_map(|key| self.remove(key));
        running.chain(waiting.into_iter().map(|job| (job.reply_to, job.slot))).collect()
    }

    /// When the next call is overdue.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Removes a call that is overdue: the runtime has not ended it in its time.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<((ReplyTo, Slot), ErrorObject)> {
        let (_, key) = *self.due.first().filter(|(due, _)| *due <= now)?;
        let error = ErrorObject::new(
            Code::PlexTimeout,
            "the call did not end in its time; try again, or give it more time",
        );
        Some((self.remove(key)?, error.with_data(&PlexTimeout { phase: TimeoutPhase::Response })))
    }

    /// Sends progress for the call with this key. Of several reports that wait the newest is sent.
    pub(super) fn progress_sender(&self, key: CallKey) -> ProgressSender {
        let (reports, events) = (self.reports.clone(), self.events.clone());
        Box::new(move |progress| {
            let before = locked(&reports).insert(key, progress);
            if before.is_none() {
                events.send(Event::Progress(key));
            }
        })
    }

    /// The newest progress of this call; `None` if it was answered already.
    pub(super) fn report(&self, key: CallKey) -> Option<Progress> {
        self.reports().remove(&key).filter(|_| self.running.contains_key(&key))
    }

    fn reports(&self) -> std::sync::MutexGuard<'_, BTreeMap<CallKey, Progress>> {
        locked(&self.reports)
    }
}

fn locked(reports: &Reports) -> std::sync::MutexGuard<'_, BTreeMap<CallKey, Progress>> {
    reports.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that drives the network. It ends when this is dropped; blocking work (a name that is looked up, a large
/// body that is read) does not hold it up.
struct Network {
    runtime: Handle,
    /// Some calls have ended.
    ended: Arc<Notify>,
    _ends_when_dropped: oneshot::Sender<()>,
}

impl Network {
    fn start(events: &Events) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(BLOCKING_THREADS)
            .enable_io()
            .enable_time()
            .build()?;
        let handle = runtime.handle().clone();
        let ended = Arc::new(Notify::new());
        handle.spawn(wake_for_all(ended.clone(), events.clone()));
        let (sender, dropped) = oneshot::channel();
        std::thread::Builder::new().name("network".to_owned()).spawn(move || {
            let _no_more_calls = runtime.block_on(dropped);
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, ended, _ends_when_dropped: sender })
    }
}

/// Wakes the loop once for all calls that end in one turn of the runtime: waking another core takes as long as half a call.
async fn wake_for_all(ended: Arc<Notify>, events: Events) {
    loop {
        ended.notified().await;
        events.wake();
    }
}

fn no_runtime(error: &io::Error) -> ErrorObject {
    ErrorObject::new(
        Code::InternalError,
        format!("the network can't be used: the system refused a thread or a descriptor: {error}"),
    )
}
