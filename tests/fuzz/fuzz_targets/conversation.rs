//! Each request gets exactly one reply, no notification gets one, and what can't be read is answered with a null id
//! unless Go listens: in every framing, whatever size of pieces the messages come in.
#![no_main]

mod host;

use std::collections::BTreeMap;

use host::{Expected, MAX_MESSAGE, Talk};
use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::conversation;
use serde_json::Value;

fuzz_target!(|talk: Talk| {
    let (bytes, Expected { ids, nulls }) = talk.written();
    let pieces = talk.pieces(&bytes);
    let replies = talk.messages(&conversation(talk.framing(), MAX_MESSAGE, &pieces));
    let mut seen = BTreeMap::<String, usize>::new();
    for reply in replies.iter().flat_map(host::members) {
        check(reply);
        *seen.entry(reply["id"].to_string()).or_default() += 1;
    }
    assert_eq!(seen.remove("null").unwrap_or_default(), nulls, "not for a call");
    assert_eq!(seen, ids.into_iter().map(|id| (id, 1)).collect());
});

/// A reply is one of JSON-RPC 2.0, or one that Go understands.
fn check(reply: &Value) {
    let members: Vec<&str> =
        reply.as_object().expect("an object").keys().map(String::as_str).collect();
    match members.as_slice() {
        ["id", "jsonrpc", "result"] | ["error", "id", "jsonrpc"] => {
            assert_eq!(reply["jsonrpc"], "2.0")
        }
        ["error", "id", "result"] => {
            assert_ne!(reply["error"].is_null(), reply["result"].is_null())
        }
        _ => panic!("{reply}"),
    }
}
