//! The loop: receives events, starts calls, writes replies. It waits for events only, with the next deadline as its
//! limit, and does no I/O but replies. It owns the state of the conversation.

mod calls;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plexsync_protocol::message::DRAIN;
use tracing::{debug, warn};

use super::Event;
use super::batch::Batches;
use super::envelope;
use super::events::Events;
use super::framing::{Decoder, Framing};
use super::ordered::{MAX_ORDERED, OrderedCalls};
use super::output::Output;
use super::reader::Credit;
use super::slow::SlowCalls;
use super::typed::Typed;
use crate::rpc::Methods;

/// How long accepted calls go on after a signal. The rest of the promised 800 ms is for the exit.
const STOP: Duration = Duration::from_millis(650);
/// How long input that was read before a signal is still taken.
const LAST_INPUT: Duration = Duration::from_millis(150);
/// How long the running ordered call may take after it was interrupted.
const GIVE_UP: Duration = Duration::from_millis(60);
/// After so long a value without a line end is logged.
const LINE_END: Duration = Duration::from_secs(5);

/// Options of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The framing; `None` to detect it by the first line.
    pub framing: Option<Framing>,
    /// Longest message, in bytes.
    pub max_message: usize,
}

/// The conversation's connections to the rest of the process.
pub struct Host<W> {
    /// Of the thread that serves.
    pub events: Events,
    /// How much the reader may read ahead.
    pub credit: Arc<Credit>,
    pub replies: W,
    /// Reads what a person types, if stdin is a terminal.
    pub typed: Option<Typed>,
    /// Set by a signal, long before a busy loop receives the event.
    pub stop: Arc<AtomicBool>,
    /// Set while the running ordered call should stop waiting.
    pub interrupt: Arc<AtomicBool>,
}

/// Serves a conversation to its end. `on_stash` is called when it turns out that Stash is the host.
///
/// # Errors
/// When replies can't be written, unless the host has closed its end.
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
        typed: host.typed,
        credit: host.credit,
        undecoded: 0,
        output: Output::new(host.replies),
        slow: SlowCalls::new(host.events.clone()),
        ordered: OrderedCalls::new(host.events.clone(), host.interrupt),
        batches: Batches::default(),
        input: Input::Open,
        stop: host.stop,
        stop_seen: None,
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
    /// Bytes that were read and are not decoded yet.
    undecoded: usize,
    output: Output<W>,
    slow: SlowCalls,
    ordered: OrderedCalls,
    batches: Batches,
    input: Input,
    stop: Arc<AtomicBool>,
    /// When the loop first saw `stop`.
    stop_seen: Option<Instant>,
    /// When unfinished calls are cancelled. It is only ever shortened; then [`GIVE_UP`] is added once.
    deadline: Option<Instant>,
    /// All was cancelled; at most one ordered call is still running.
    gave_up: bool,
    /// When a value without a line end is logged.
    line_end_due: Option<Instant>,
    line_end_mentioned: bool,
    /// A JSON-RPC 1.0 message was seen: to that host a reply without an id is the reply to call 0.
    json_rpc_1: bool,
    /// Stash's raw interface: the end of input ends the message, and starts no deadline.
    raw: bool,
    on_stash: &'a mut dyn FnMut(),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// More may come.
    Open,
    /// The host will send no more; not all is decoded yet.
    Ended,
    /// Nothing more is decoded.
    Done,
}

impl<W: Write> Session<'_, W> {
    fn run(mut self, events: &Events) -> io::Result<()> {
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

    /// The next event; `None` if a deadline came first. Replies are flushed before it waits.
    fn next_event(&mut self, events: &Events) -> io::Result<Option<Event>> {
        if let Some(event) = events.try_next() {
            return Ok(Some(event));
        }
        self.output.flush()?;
        let dues = [self.deadline, self.slow.next_due(), self.line_end_due];
        Ok(events.next(dues.into_iter().flatten().min()))
    }

    fn take(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Bytes(bytes) => self.bytes(&bytes),
            Event::End => self.end_of_input(),
            Event::Stop(asked) => {
                self.input = Input::Done;
                self.end_at(asked + STOP);
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

    /// Decodes what was read, as far as there is room for it.
    fn decode(&mut self) -> io::Result<()> {
        while self.takes_more() {
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

    fn takes_more(&mut self) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            // Input from before the signal is still decoded, for a limited time.
            let seen = *self.stop_seen.get_or_insert_with(Instant::now);
            if seen.elapsed() > LAST_INPUT {
                self.input = Input::Done;
            }
        }
        self.input != Input::Done && self.ordered.len() < MAX_ORDERED
    }

    fn all_decoded(&mut self) {
        self.credit.give(std::mem::take(&mut self.undecoded));
        let unfinished = !self.line_end_mentioned && self.decoder.waiting_line().is_some();
        self.line_end_due = unfinished.then(|| Instant::now() + LINE_END);
        if self.input == Input::Ended {
            self.input = Input::Done;
            if !self.raw {
                self.end_at(Instant::now() + DRAIN);
            }
        }
    }

    fn end_at(&mut self, end: Instant) {
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
                self.answer_asker(asker, Err(calls::may_have_been_written()))
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
            warn!(
                "a JSON value without a line end is waiting: a message is read when its line ends"
            );
        }
    }
}

#[cfg(test)]
mod tests;
