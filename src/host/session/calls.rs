//! Calls: started, cancelled, and answered in their own envelope.

use std::io::{self, Write};
use std::time::Instant;

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::{DRAIN, MAX_WAITING, method};
use tracing::{debug, warn};

use super::{Input, Session};
use crate::host::CallKey;
use crate::host::batch::Slot;
use crate::host::envelope::{self, Call, Id, Inbound, Item, ReplyTo};
use crate::host::ordered::Asker;
use crate::host::slow::Job;
use crate::json_text::JsonText;
use crate::rpc::{Handling, OrderedWork, Outcome, Request, Slow};

impl<W: Write> Session<'_, W> {
    pub(super) fn receive(&mut self, inbound: Inbound) -> io::Result<()> {
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
                self.end_at(Instant::now() + DRAIN);
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

    fn submit(&mut self, job: Job, first: Option<OrderedWork>) -> io::Result<()> {
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
            None => Ok(()),
            Some((reply_to, slot, error)) => self.answer(&reply_to, slot, Err(error)),
        }
    }

    pub(super) fn ordered_done(&mut self, outcome: Outcome) -> io::Result<()> {
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

    pub(super) fn report(&mut self, key: CallKey) -> io::Result<()> {
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

    pub(super) fn cancel_all(&mut self) -> io::Result<()> {
        let mut calls = self.slow.cancel_all();
        calls.extend(self.ordered.cancel_all());
        calls.into_iter().try_for_each(|(to, slot)| self.answer(&to, slot, Err(cancelled())))
    }

    fn answer_done(&mut self, done: Option<(Asker, Outcome)>) -> io::Result<()> {
        done.map_or(Ok(()), |(asker, outcome)| self.answer_asker(asker, outcome))
    }

    pub(super) fn answer_asker(&mut self, asker: Asker, outcome: Outcome) -> io::Result<()> {
        asker.map_or(Ok(()), |(reply_to, slot)| self.answer(&reply_to, slot, outcome))
    }

    pub(super) fn answer(
        &mut self,
        reply_to: &ReplyTo,
        slot: Slot,
        outcome: Outcome,
    ) -> io::Result<()> {
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

pub(super) fn may_have_been_written() -> ErrorObject {
    ErrorObject::new(
        Code::Cancelled,
        "cancelled while it was at work: the identity may have been written, ask again",
    )
}
