//! Entry points for fuzzers (`tests/fuzz`): each is a part of the worker that reads untrusted input.

pub use crate::account::fuzzing::{Life, Listed, devices, life, servers};
pub use crate::host::framing::Framing;
pub use crate::identity::fuzzing::{Meaning, kept, meaning};
pub use crate::plex::fuzzing::{Joined, events, join, xml_to_json};
pub use crate::scans::fuzzing::{Course, course};
pub use crate::stash::fuzzing::{graphql, settings};

use std::sync::Arc;

use plexsync_protocol::stash::ServerConnection;

use crate::host::Event;
use crate::host::envelope::{self, Inbound, Item};
use crate::host::events::Events;
use crate::host::framing::Decoder;
use crate::host::reader::Credit;
use crate::host::session::{Host, Options, serve};
use crate::json_text::JsonText;
use crate::rpc::{Handling, Methods, Outcome, Slow};

/// The answers to what a host sends in these pieces, if each call succeeds at once; `None` for what is not answered.
pub fn answers(
    framing: Option<Framing>,
    max_message: usize,
    pieces: &[&[u8]],
) -> Vec<Option<Vec<u8>>> {
    let mut decoder = Decoder::new(framing, max_message);
    let mut answers = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            answer(envelope::read(&frame, max_message), &mut answers);
        }
    }
    while let Some(frame) = decoder.next_frame_at_end() {
        answer(envelope::read(&frame, max_message), &mut answers);
    }
    answers
}

/// What a message from Stash becomes.
pub enum FromStash {
    /// A call of this method, of this Stash.
    Call(String, ServerConnection),
    /// An answer without a call, as it is written.
    Answer(Vec<u8>),
}

/// What these bytes, in lines, become, message by message. A message that is not from Stash is left out.
pub fn from_stash(bytes: &[u8]) -> Vec<FromStash> {
    let mut decoder = Decoder::new(None, usize::MAX / 4);
    decoder.feed(bytes);
    let mut items = Vec::new();
    while let Some(frame) = decoder.next_frame_at_end() {
        let Some(Inbound::Single(item)) = envelope::read(&frame, usize::MAX / 4) else { continue };
        items.extend(match item {
            Item::Call(call) => {
                call.stash.map(|stash| FromStash::Call(call.method, stash.connection.clone()))
            }
            Item::Invalid(reply_to, error) => {
                reply_to.reply(Err(error)).map(|reply| FromStash::Answer(reply.into_bytes()))
            }
            _ => None,
        });
    }
    items
}

fn answer(inbound: Option<Inbound>, answers: &mut Vec<Option<Vec<u8>>>) {
    let items = match inbound {
        None => Vec::new(),
        Some(Inbound::Single(item)) => vec![item],
        Some(Inbound::Batch(items)) => items,
    };
    for item in items {
        let reply = match item {
            Item::Call(call) => call.reply_to.reply(Ok(JsonText::of(&true))),
            Item::Invalid(reply_to, error) => reply_to.reply(Err(error)),
            Item::Stop(reply_to) => reply_to.reply(Ok(JsonText::of(&true))),
            Item::Shutdown(reply_to) => reply_to.reply(Ok(JsonText::of(&()))),
            Item::Cancel(_) | Item::Exit => None,
        };
        answers.push(reply.map(JsonText::into_bytes));
    }
}

/// All that a host gets for what it sends in these pieces, from its first byte to the end of the conversation. There
/// are the methods `quick`, `ordered` and `slow`, which succeed, and `never`, which is done when it is cancelled.
pub fn conversation(framing: Option<Framing>, max_message: usize, pieces: &[&[u8]]) -> Vec<u8> {
    let mut methods = Methods::default();
    methods.add("quick", |_| Handling::Done(Ok(JsonText::of(&true))));
    methods.add("ordered", |_| Handling::Ordered(Box::new(|| Ok(JsonText::of(&true)))));
    methods.add("slow", |_| slow(std::future::ready(Ok(JsonText::of(&true)))));
    methods.add("never", |_| slow(std::future::pending()));
    let events = Events::new();
    let input = pieces.iter().map(|piece| Event::Bytes(piece.to_vec()));
    input.chain([Event::End]).for_each(|event| events.send(event));
    let mut replies = Vec::new();
    let options = Options { framing, max_message };
    let credit = Arc::new(Credit::new(|| {}));
    let host = Host {
        events,
        credit,
        replies: &mut replies,
        typed: None,
        stop: Arc::default(),
        interrupt: Arc::default(),
    };
    let _no_vector_fails = serve(&methods, options, host, &mut || {});
    replies
}

fn slow(work: impl Future<Output = Outcome> + Send + 'static) -> Handling {
    Handling::Slow(Slow { first: None, timeout: None, work: Box::pin(work) })
}
