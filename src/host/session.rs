//! The loop: takes events, hands calls over, writes replies. It waits for events only, with the next deadline as its
//! limit, and does no I/O but replies. It owns the state of the conversation.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::{DRAIN, JsonText, MAX_WAITING, method};
use tracing::{debug, warn};

use super::batch::{Batches, Slot};
use super::envelope::{self, Call, Id, Inbound, Item, ReplyTo};
use super::framing::{Decoder, Framing};
use super::ordered::{Asker, MAX_ORDERED, OrderedCalls};
use super::output::Output;
use super::reader::Credit;
use super::slow::{Job, SlowCalls};
use super::typed::Typed;
use super::{CallKey, Event};
use crate::rpc::{Handling, Methods, Outcome, Request, Slow};

/// How long accepted calls go on after a signal. The rest of the 800 ms that a host may count on is for the exit.
const STOP: Duration = Duration::from_millis(650);
/// How long the ordered call that runs may still take once it was asked to give up.
const GIVE_UP: Duration = Duration::from_millis(60);
/// After so long a value without a line end is mentioned.
const LINE_END: Duration = Duration::from_secs(5);

/// What a conversation begins with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The framing; none for the one that the first line shows.
    pub framing: Option<Framing>,
    /// Longest message, in bytes.
    pub max_message: usize,
    /// A person types: a method's name alone on a line will do.
    pub by_hand: bool,
}

/// What connects a conversation with the rest of the process.
pub struct Host<W> {
    /// What happens outside of the loop.
    pub events: Receiver<Event>,
    /// Where calls that run elsewhere say what has become of them.
    pub sender: Sender<Event>,
    /// How much the reader may bring.
    pub credit: Arc<Credit>,
    /// Where replies go.
    pub replies: W,
    /// Set while the ordered call that runs should give up what it waits for.
    pub interrupt: Arc<AtomicBool>,
}

/// Serves a conversation to its end. `on_stash` is called when it turns out that Stash is the host.
///
/// # Errors
/// When replies can't be written, other than because the host is gone.
pub fn serve<W: Write>(
    methods: &Methods,
    options: Options,
    host: Host<W>,
    on_stash: &mut dyn FnMut(),
) -> io::Result<()> {
    let session = Session {
        methods,
        max_message: options.max_message,
        decoder: Decoder::new(options.framing, options.max_message),
        typed: options.by_hand.then(Typed::default),
        credit: host.credit,
        undecoded: 0,
        output: Output::new(host.replies),
        slow: SlowCalls::new(host.sender.clone()),
        ordered: OrderedCalls::new(host.sender, host.interrupt),
        batches: Batches::default(),
        input: Input::Open,
        deadline: None,
        gave_up: false,
        line_end_due: None,
        line_end_mentioned: false,
        json_rpc_1: false,
        raw: false,
        on_stash,
    };
    match session.run(&host.events) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            debug!("host closed its end");
            Ok(())
        }
        ended => ended,
    }
}

struct Session<'a, W> {
    methods: &'a Methods,
    max_message: usize,
    decoder: Decoder,
    typed: Option<Typed>,
    credit: Arc<Credit>,
    /// Bytes that the reader has brought and that are not decoded yet.
    undecoded: usize,
    output: Output<W>,
    slow: SlowCalls,
    ordered: OrderedCalls,
    batches: Batches,
    input: Input,
    /// When what is unfinished has to be given up. It only ever comes nearer, but for the moment after.
    deadline: Option<Instant>,
    /// All was cancelled; at most one ordered call is still at it.
    gave_up: bool,
    /// When a value without a line end is mentioned.
    line_end_due: Option<Instant>,
    line_end_mentioned: bool,
    /// A JSON-RPC 1.0 message was seen: to that host a reply without an id is the reply to call 0.
    json_rpc_1: bool,
    /// Stash's raw interface: the end of input is the end of the message, not of the host's patience.
    raw: bool,
    on_stash: &'a mut dyn FnMut(),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// More may come.
    Open,
    /// The host will send no more; what has come is not all decoded yet.
    Ended,
    /// Nothing more is taken.
    Done,
}

impl<W: Write> Session<'_, W> {
    fn run(mut self, events: &Receiver<Event>) -> io::Result<()> {
        while !self.is_over() {
            match self.next_event(events)? {
                Some(event) => self.take(event)?,
                None => self.time_is_up(Instant::now())?,
            }
        }
        self.output.flush()
    }

    fn is_over(&self) -> bool {
        self.input == Input::Done && self.slow.is_empty() && self.ordered.len() == 0
    }

    /// The next event; none where a deadline came first. Replies are written out before it waits.
    fn next_event(&mut self, events: &Receiver<Event>) -> io::Result<Option<Event>> {
        if let Ok(event) = events.try_recv() {
            return Ok(Some(event));
        }
        self.output.flush()?;
        let dues = [self.deadline, self.slow.next_due(), self.line_end_due];
        let event = match dues.into_iter().flatten().min() {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => events.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            // Nobody is left who could send: not as long as this session has a sender itself.
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn take(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Bytes(bytes) => self.bytes(&bytes),
            Event::End => self.end_of_input(),
            Event::Stop => {
                self.input = Input::Done;
                self.end_within(STOP);
                Ok(())
            }
            Event::HostGone => Err(io::ErrorKind::BrokenPipe.into()),
            Event::Ordered(outcome) => self.ordered_done(outcome),
            Event::Slow(key, outcome) => match self.slow.remove(key) {
                Some((reply_to, slot)) => self.answer(&reply_to, slot, outcome),
                None => Ok(()),
            },
            Event::Progress(key) => self.report(key),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.undecoded += bytes.len();
        match &mut self.typed {
            Some(typed) => self.decoder.feed(&typed.pass(bytes)),
            None => self.decoder.feed(bytes),
        }
        self.decode()
    }

    fn end_of_input(&mut self) -> io::Result<()> {
        if let Some(typed) = &mut self.typed {
            self.decoder.feed(&typed.end());
        }
        if self.input == Input::Open {
            self.input = Input::Ended;
        }
        self.decode()
    }

    /// Takes what was read, as far as there is room for it.
    fn decode(&mut self) -> io::Result<()> {
        while self.input != Input::Done && self.ordered.len() < MAX_ORDERED {
            let frame = match self.input {
                Input::Open => self.decoder.next_frame(),
                _ => self.decoder.next_frame_at_end(),
            };
            let Some(frame) = frame else {
                self.all_decoded();
                break;
            };
            let inbound = envelope::read(&frame, self.max_message);
            self.output.answer_as(self.decoder.framing(), self.decoder.content_type());
            match inbound {
                Some(inbound) => self.receive(inbound)?,
                None => warn!(
                    "bytes between messages are ignored: with `Content-Length` framing each message has its header"
                ),
            }
        }
        Ok(())
    }

    fn all_decoded(&mut self) {
        self.credit.give(std::mem::take(&mut self.undecoded));
        let unfinished = !self.line_end_mentioned && self.decoder.waiting_line().is_some();
        self.line_end_due = unfinished.then(|| Instant::now() + LINE_END);
        if self.input == Input::Ended {
            self.input = Input::Done;
            if !self.raw {
                self.end_within(DRAIN);
            }
        }
    }

    fn end_within(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.deadline = Some(self.deadline.map_or(end, |deadline| deadline.min(end)));
    }

    fn time_is_up(&mut self, now: Instant) -> io::Result<()> {
        while let Some(((reply_to, slot), error)) = self.slow.overdue(now) {
            self.answer(&reply_to, slot, Err(error))?;
        }
        if self.line_end_due.take_if(|due| *due <= now).is_some() {
            self.mention_line_end();
        }
        match self.deadline.take_if(|deadline| *deadline <= now) {
            None => Ok(()),
            Some(_) if self.gave_up => {
                let asker = self.ordered.abandon();
                self.answer_asker(asker, Err(may_have_been_written()))
            }
            Some(_) => {
                self.gave_up = true;
                self.deadline = Some(now + GIVE_UP);
                self.cancel_all()
            }
        }
    }

    fn mention_line_end(&mut self) {
        let line = self.decoder.waiting_line().unwrap_or_default();
        if serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() {
            self.line_end_mentioned = true;
            warn!("a JSON value ended, and no line end came: a message is read when its line ends");
        }
    }

    fn receive(&mut self, inbound: Inbound) -> io::Result<()> {
        match inbound {
            Inbound::Single(item) => self.receive_item(item, Slot::Single),
            Inbound::Batch(items) => {
                let batch = self.batches.open(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    self.receive_item(item, Slot::Member { batch, index })?;
                }
                self.close_member(batch, None)
            }
        }
    }

    fn receive_item(&mut self, item: Item, slot: Slot) -> io::Result<()> {
        match item {
            Item::Call(call) => self.call(call, slot),
            Item::Invalid(reply_to, error) => self.refuse(&reply_to, slot, error),
            Item::Stop(reply_to) => {
                self.note_dialect(&reply_to);
                self.answer(&reply_to, slot, Ok(JsonText::of(&true)))?;
                self.output.flush()?;
                self.cancel_all()
            }
            Item::Cancel(id) => {
                self.cancel(&id)?;
                self.answer_nothing(slot)
            }
            Item::Shutdown(reply_to) => self.answer(&reply_to, slot, Ok(JsonText::of(&()))),
            Item::Exit => {
                self.input = Input::Done;
                self.end_within(DRAIN);
                self.answer_nothing(slot)
            }
        }
    }

    fn note_dialect(&mut self, reply_to: &ReplyTo) {
        self.json_rpc_1 |= reply_to.is_json_rpc_1();
        self.raw |= reply_to.is_raw();
        if reply_to.is_stash() {
            (self.on_stash)();
        }
    }

    fn call(&mut self, call: Call, slot: Slot) -> io::Result<()> {
        let Call { method, params, reply_to, stash } = call;
        self.note_dialect(&reply_to);
        debug!(method, "call");
        let key = self.slow.next_key();
        let progress = reply_to.takes_notifications().then(|| self.slow.progress_sender(key));
        let in_turn = self.ordered.len() == 0;
        match self.methods.handle(&method, Request { params, stash, progress, in_turn }) {
            Handling::Done(outcome) => self.answer(&reply_to, slot, outcome),
            Handling::Ordered(work) => {
                let done = self.ordered.submit(Some((reply_to, slot)), work);
                self.answer_done(done)
            }
            Handling::Slow(Slow { first, timeout, work }) => {
                self.submit(Job { key, reply_to, slot, timeout, work }, first)
            }
        }
    }

    fn submit(&mut self, job: Job, first: Option<crate::rpc::OrderedWork>) -> io::Result<()> {
        let admitted = match job.slot {
            Slot::Single => self.slow.has_room(),
            Slot::Member { batch, .. } => self.batches.admits(batch, || self.slow.has_room()),
        };
        if !admitted {
            return self.answer(&job.reply_to, job.slot, Err(overloaded()));
        }
        if let Some(first) = first {
            let done = self.ordered.submit(None, first);
            self.answer_done(done)?;
        }
        match self.slow.submit(job) {
            Ok(()) => Ok(()),
            Err((job, error)) => self.answer(&job.reply_to, job.slot, Err(error)),
        }
    }

    fn ordered_done(&mut self, outcome: Outcome) -> io::Result<()> {
        let (asker, done) = self.ordered.finished();
        self.answer_asker(asker, outcome)?;
        self.answer_done(done)?;
        self.decode()
    }

    fn refuse(&mut self, reply_to: &ReplyTo, slot: Slot, error: ErrorObject) -> io::Result<()> {
        self.note_dialect(reply_to);
        if self.json_rpc_1 && !reply_to.has_id() && !reply_to.is_raw() {
            warn!("message not answered: {error}");
            return self.answer_nothing(slot);
        }
        self.answer(reply_to, slot, Err(error))
    }

    fn report(&mut self, key: CallKey) -> io::Result<()> {
        match self.slow.report(key) {
            Some(progress) => {
                self.output.write(envelope::notification(method::PROGRESS, &progress))
            }
            None => Ok(()),
        }
    }

    fn cancel(&mut self, id: &Id) -> io::Result<()> {
        match self.slow.cancel(id).or_else(|| self.ordered.cancel(id)) {
            Some((reply_to, slot)) => self.answer(&reply_to, slot, Err(cancelled())),
            None => Ok(()),
        }
    }

    fn cancel_all(&mut self) -> io::Result<()> {
        let mut calls = self.slow.cancel_all();
        calls.extend(self.ordered.cancel_all());
        calls.into_iter().try_for_each(|(to, slot)| self.answer(&to, slot, Err(cancelled())))
    }

    fn answer_done(&mut self, done: Option<(Asker, Outcome)>) -> io::Result<()> {
        done.map_or(Ok(()), |(asker, outcome)| self.answer_asker(asker, outcome))
    }

    fn answer_asker(&mut self, asker: Asker, outcome: Outcome) -> io::Result<()> {
        asker.map_or(Ok(()), |(reply_to, slot)| self.answer(&reply_to, slot, outcome))
    }

    fn answer(&mut self, reply_to: &ReplyTo, slot: Slot, outcome: Outcome) -> io::Result<()> {
        if let (false, Err(error)) = (reply_to.wants_reply(), &outcome) {
            warn!("notification failed: {error}");
        }
        let reply = reply_to.reply(outcome);
        match slot {
            Slot::Single => reply.map_or(Ok(()), |reply| self.output.write(reply)),
            Slot::Member { batch, index } => {
                self.close_member(batch, reply.map(|reply| (index, reply)))
            }
        }
    }

    fn answer_nothing(&mut self, slot: Slot) -> io::Result<()> {
        match slot {
            Slot::Single => Ok(()),
            Slot::Member { batch, .. } => self.close_member(batch, None),
        }
    }

    fn close_member(&mut self, batch: u64, reply: Option<(usize, JsonText)>) -> io::Result<()> {
        self.batches.close(batch, reply).map_or(Ok(()), |reply| self.output.write(reply))
    }
}

fn overloaded() -> ErrorObject {
    ErrorObject::new(
        Code::Overloaded,
        format!("overloaded: `{MAX_WAITING}` calls wait already, try again later"),
    )
}

fn cancelled() -> ErrorObject {
    ErrorObject::new(Code::Cancelled, "cancelled")
}

fn may_have_been_written() -> ErrorObject {
    ErrorObject::new(
        Code::Cancelled,
        "cancelled while it was at work: the identity may have been written, ask again",
    )
}

#[cfg(test)]
mod tests;
