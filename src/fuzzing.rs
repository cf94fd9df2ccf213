//! Ways in for fuzzers (`tests/fuzz`): each is a piece of the worker that reads what strangers write.

pub use crate::host::framing::Framing;
pub use crate::identity::fuzzing::{Meaning, kept, meaning};
pub use crate::plex::fuzzing::{Joined, join, xml_to_json};

use crate::host::envelope::{self as wire, Inbound, Item};
use crate::host::framing::Decoder;
use crate::host::session::{Channel, Event, Options, serve};
use crate::rpc::Methods;
use plexsync_protocol::message::JsonText;

/// The answers to what a host sends in these pieces, if each call succeeds at once; none where none is expected.
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
            answer(wire::read(&frame, max_message), &mut answers);
        }
    }
    while let Some(frame) = decoder.next_frame_at_end() {
        answer(wire::read(&frame, max_message), &mut answers);
    }
    answers
}

fn answer(inbound: Inbound, answers: &mut Vec<Option<Vec<u8>>>) {
    let items = match inbound {
        Inbound::Single(item) => vec![item],
        Inbound::Batch(items) => items,
    };
    for item in items {
        let reply = match item {
            Item::Call(call) => call.address.reply(Ok(JsonText::of(&true))),
            Item::Invalid(address, error) => address.reply(Err(error)),
            Item::Stop(address) => address.reply(Ok(JsonText::of(&true))),
            Item::Cancel(_) => None,
        };
        answers.push(reply.map(JsonText::into_bytes));
    }
}

/// All that a host gets for what it sends in these pieces, from its first byte to the end of the conversation. There
/// are the methods `quick` and `slow`, which succeed, and `never`, which is done when it is cancelled.
pub fn conversation(framing: Option<Framing>, max_message: usize, pieces: &[&[u8]]) -> Vec<u8> {
    let mut methods = Methods::default();
    methods.quick("quick", |_| Ok(JsonText::of(&true)));
    methods.slow("slow", |_| Ok(async { Ok(JsonText::of(&true)) }));
    methods.slow("never", |_| Ok(std::future::pending()));
    let (sender, events) = tokio::sync::mpsc::channel(pieces.len() + 1);
    for piece in pieces {
        let _there_is_room = sender.try_send(Event::Bytes(piece.to_vec()));
    }
    drop(sender);
    let mut replies = Vec::new();
    let options = Options { framing, max_message };
    let _no_vector_fails = serve(&methods, options, Channel::new(events, &mut replies), &mut || {});
    replies
}
