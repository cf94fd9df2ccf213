//! The loop: takes input, hands calls over, writes replies. Quick methods run on it, in the order received; slow
//! ones run beside it. It owns the state of the conversation and writes nothing but replies.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::{DRAIN, JsonText, MAX_WAITING, Progress, method};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::output::Output;
use super::queue::{self as jobs, Job, Jobs};
pub use super::transport::{Channel, Event, Transport};
use crate::host::envelope::{self as wire, Address, Call, Id, Inbound, Item};
use crate::host::framing::{Decoder, Framing};
use crate::rpc::{Handling, Methods, Outcome, Request};

/// How long accepted calls go on after a signal. The rest of the 800 ms that a host may count on is for the exit.
const STOP: Duration = Duration::from_millis(650);

/// What a conversation begins with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The framing; none for the one that the first line shows.
    pub framing: Option<Framing>,
    /// Longest message, in bytes.
    pub max_message: usize,
}

/// Serves a conversation to its end. `on_stash` is called when it turns out that Stash is the host.
///
/// # Errors
/// When replies can't be written, other than because the host is gone.
pub fn serve(
    methods: &Methods,
    options: Options,
    transport: impl Transport,
    on_stash: &mut dyn FnMut(),
) -> io::Result<()> {
    let (progress_sender, progress) = mpsc::unbounded_channel();
    let conversation = Conversation {
        methods,
        max_message: options.max_message,
        transport,
        output: Output::default(),
        jobs: Jobs::default(),
        batches: HashMap::new(),
        batch_count: 0,
        progress_sender,
        json_rpc_1: false,
        on_stash,
    };
    let decoder = Decoder::new(options.framing, options.max_message);
    match conversation.run(decoder, progress) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            debug!("host closed its end");
            Ok(())
        }
        ended => ended,
    }
}

struct Conversation<'a, T> {
    methods: &'a Methods,
    max_message: usize,
    transport: T,
    output: Output,
    jobs: Jobs,
    batches: HashMap<u64, Batch>,
    batch_count: u64,
    progress_sender: mpsc::UnboundedSender<Progress>,
    /// A JSON-RPC 1.0 message was seen: to that host a reply without an id is the reply to call 0.
    json_rpc_1: bool,
    on_stash: &'a mut dyn FnMut(),
}

/// Whether a call stands alone or in a batch, and where there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Single,
    Member { batch: u64, index: usize },
}

/// A batch whose members are not all done.
#[derive(Default)]
struct Batch {
    replies: Vec<Option<JsonText>>,
    open: usize,
    /// Whether its slow members were let in, once one of them has asked.
    admitted: Option<bool>,
}

enum Step {
    Input(Event),
    Finished(jobs::Finished),
    Progress(Progress),
    Deadline,
}

impl<T: Transport> Conversation<'_, T> {
    fn run(
        mut self,
        mut decoder: Decoder,
        mut progress: mpsc::UnboundedReceiver<Progress>,
    ) -> io::Result<()> {
        let mut deadline = None;
        while deadline.is_none() || !self.jobs.is_empty() {
            match self.next_step(&mut progress, deadline)? {
                Step::Input(Event::Bytes(bytes)) if deadline.is_none() => {
                    decoder.feed(&bytes);
                    while let Some(frame) = decoder.next_frame() {
                        let inbound = wire::read(&frame, self.max_message);
                        self.output.set_framing(decoder.framing());
                        self.receive(inbound)?;
                    }
                }
                Step::Input(Event::Bytes(_)) => {}
                Step::Input(Event::End) => {
                    while let Some(frame) = decoder.next_frame_at_end() {
                        let inbound = wire::read(&frame, self.max_message);
                        self.output.set_framing(decoder.framing());
                        self.receive(inbound)?;
                    }
                    deadline = deadline.or(Some(Instant::now() + DRAIN));
                }
                Step::Input(Event::Stop) => deadline = Some(Instant::now() + STOP),
                Step::Input(Event::HostGone) => return Err(io::ErrorKind::BrokenPipe.into()),
                Step::Finished(finished) => self.finish(finished)?,
                Step::Progress(progress) => self.report(&progress)?,
                Step::Deadline => self.cancel_all()?,
            }
        }
        self.output.flush(&mut self.transport)
    }

    /// Waits for the next thing to do. Replies are written out before it waits.
    fn next_step(
        &mut self,
        progress: &mut mpsc::UnboundedReceiver<Progress>,
        deadline: Option<Instant>,
    ) -> io::Result<Step> {
        if self.jobs.is_empty() {
            if let Some(event) = self.transport.ready() {
                return Ok(Step::Input(event));
            }
        } else if !self.output.is_empty()
            && let Some(step) = self.done_already(progress)
        {
            return Ok(step);
        }
        self.output.flush(&mut self.transport)?;
        let transport = &mut self.transport;
        let step = self.jobs.block_on(async |running| {
            tokio::select! {
                biased;
                Some(sent) = progress.recv() => Step::Progress(sent),
                finished = running.next_finished() => Step::Finished(finished),
                event = transport.next() => Step::Input(event),
                () = sleep_until(deadline), if deadline.is_some() => Step::Deadline,
            }
        });
        Ok(step.unwrap_or_else(|| Step::Input(self.transport.wait())))
    }

    /// What has come of the slow calls meanwhile: its reply goes out in one write with those that wait.
    fn done_already(&mut self, progress: &mut mpsc::UnboundedReceiver<Progress>) -> Option<Step> {
        let step = self.jobs.block_on(async |running| {
            tokio::select! {
                biased;
                Some(sent) = progress.recv() => Some(Step::Progress(sent)),
                finished = running.next_finished() => Some(Step::Finished(finished)),
                () = one_round() => None,
            }
        });
        step.flatten()
    }

    fn receive(&mut self, inbound: Inbound) -> io::Result<()> {
        match inbound {
            Inbound::Single(item) => self.receive_item(item, Unit::Single),
            Inbound::Batch(items) => {
                self.batch_count += 1;
                let batch = self.batch_count;
                let replies = items.iter().map(|_| None).collect();
                // One more than there are: the batch is not done before all its members were received.
                self.batches
                    .insert(batch, Batch { replies, open: items.len() + 1, admitted: None });
                for (index, item) in items.into_iter().enumerate() {
                    self.receive_item(item, Unit::Member { batch, index })?;
                }
                self.close_member(batch, None)
            }
        }
    }

    fn receive_item(&mut self, item: Item, unit: Unit) -> io::Result<()> {
        match item {
            Item::Call(call) => self.call(call, unit),
            Item::Invalid(address, error) => self.refuse(&address, unit, error),
            Item::Stop(address) => {
                self.note_dialect(&address);
                self.answer(&address, unit, Ok(JsonText::of(&true)))?;
                self.output.flush(&mut self.transport)?;
                self.cancel_all()
            }
            Item::Cancel(id) => {
                self.cancel(&id)?;
                self.answer_nothing(unit)
            }
        }
    }

    fn note_dialect(&mut self, address: &Address) {
        self.json_rpc_1 |= address.is_json_rpc_1();
        if address.is_stash() {
            (self.on_stash)();
        }
    }

    fn call(&mut self, call: Call, unit: Unit) -> io::Result<()> {
        self.note_dialect(&call.address);
        debug!(method = call.method, "call");
        let progress = call.address.takes_notifications().then(|| {
            let sender = self.progress_sender.clone();
            // The loop that reads the other end outlives every call.
            Box::new(move |progress| drop(sender.send(progress))) as crate::rpc::ProgressSender
        });
        let request = Request { params: call.params, stash: call.stash, progress };
        match self.methods.handle(&call.method, request) {
            Handling::Done(outcome) => self.answer(&call.address, unit, outcome),
            Handling::Slow(work) => self.submit(Job { address: call.address, unit, work }),
        }
    }

    fn refuse(&mut self, address: &Address, unit: Unit, error: ErrorObject) -> io::Result<()> {
        self.note_dialect(address);
        if self.json_rpc_1 && !address.is_json_rpc_1() {
            warn!("message not answered: {error}");
            return self.answer_nothing(unit);
        }
        if !address.wants_reply() {
            warn!("notification not carried out: {error}");
        }
        self.answer(address, unit, Err(error))
    }

    fn submit(&mut self, job: Job) -> io::Result<()> {
        let admitted = match job.unit {
            Unit::Single => self.jobs.has_room(),
            Unit::Member { batch, .. } => {
                let jobs = &self.jobs;
                let batch = self.batches.get_mut(&batch);
                batch.is_none_or(|batch| *batch.admitted.get_or_insert_with(|| jobs.has_room()))
            }
        };
        let finished =
            if admitted { self.jobs.submit(job) } else { Some(job.refused(overloaded())) };
        finished.map_or(Ok(()), |finished| self.finish(finished))
    }

    fn finish(&mut self, finished: jobs::Finished) -> io::Result<()> {
        self.answer(&finished.address, finished.unit, finished.outcome)
    }

    fn report(&mut self, progress: &Progress) -> io::Result<()> {
        self.output.write(&mut self.transport, wire::notification(method::PROGRESS, progress))
    }

    fn cancel(&mut self, id: &Id) -> io::Result<()> {
        match self.jobs.cancel(id) {
            Some(finished) => self.finish(finished),
            None => Ok(()),
        }
    }

    fn cancel_all(&mut self) -> io::Result<()> {
        for finished in self.jobs.cancel_all() {
            self.finish(finished)?;
        }
        Ok(())
    }

    fn answer(&mut self, address: &Address, unit: Unit, outcome: Outcome) -> io::Result<()> {
        if let (false, Err(error)) = (address.wants_reply(), &outcome) {
            warn!("notification failed: {error}");
        }
        let reply = address.reply(outcome);
        match unit {
            Unit::Single => {
                reply.map_or(Ok(()), |reply| self.output.write(&mut self.transport, reply))
            }
            Unit::Member { batch, index } => {
                self.close_member(batch, reply.map(|reply| (index, reply)))
            }
        }
    }

    fn answer_nothing(&mut self, unit: Unit) -> io::Result<()> {
        match unit {
            Unit::Single => Ok(()),
            Unit::Member { batch, .. } => self.close_member(batch, None),
        }
    }

    fn close_member(&mut self, number: u64, reply: Option<(usize, JsonText)>) -> io::Result<()> {
        let Some(batch) = self.batches.get_mut(&number) else { return Ok(()) };
        if let Some((index, reply)) = reply {
            batch.replies[index] = Some(reply);
        }
        batch.open -= 1;
        if batch.open > 0 {
            return Ok(());
        }
        let replies = self.batches.remove(&number).map(|batch| batch.replies).unwrap_or_default();
        match wire::batch_reply(replies.into_iter().flatten().collect()) {
            Some(reply) => self.output.write(&mut self.transport, reply),
            None => Ok(()),
        }
    }
}

/// The network is asked once, and what it woke goes on.
async fn one_round() {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

async fn sleep_until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline.into()).await;
    }
}

fn overloaded() -> ErrorObject {
    ErrorObject::new(
        Code::Overloaded,
        format!("overloaded: `{MAX_WAITING}` calls wait already, try again later"),
    )
}

#[cfg(test)]
mod tests;
