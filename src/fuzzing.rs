//! Ways in for fuzzers (`tests/fuzz`): each is a piece of the worker that reads what strangers write.

pub use crate::plex::fuzzing::{Joined, join, xml_to_json};
use crate::wire::framing::Decoder;
use crate::wire::{self, Inbound, Item};
use plexsync_protocol::message::JsonText;

/// Longest message here, in bytes: short, so that a fuzzer gets beyond it.
const MAX_MESSAGE: usize = 256;

/// The answers to what a host sends in these pieces, if each call succeeds at once; none where none is expected.
pub fn answers(pieces: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let mut decoder = Decoder::new(None, MAX_MESSAGE);
    let mut answers = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            answer(wire::read(&frame, MAX_MESSAGE), &mut answers);
        }
    }
    while let Some(frame) = decoder.next_frame_at_end() {
        answer(wire::read(&frame, MAX_MESSAGE), &mut answers);
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
