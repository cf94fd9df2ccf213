//! JSON-RPC 1.0's envelope as Go's `net/rpc/jsonrpc` speaks it (golang/go `src/net/rpc/jsonrpc/client.go`).
//!
//! To that client an error that is not a string, or a result of null, ends the whole connection.

use plexsync_protocol::error::{Code, ErrorObject};
use serde_json::value::RawValue;

use super::{Envelope, Id, Item, Members, ReplyTo, item, jsonrpc2};
use crate::json_text::JsonText;

pub(super) fn read(members: &Members<'_>) -> Item {
    let id = members.id.filter(|raw| raw.get() != "null").map(Id::of);
    let reply_to = ReplyTo { envelope: Envelope::JsonRpc1, id, plugin_output: false };
    let Some(method) = members.method.and_then(|raw: &RawValue| jsonrpc2::string(raw)) else {
        return refused(reply_to, "`method` must be a string");
    };
    if !members.params.is_none_or(jsonrpc2::structured) {
        return refused(reply_to, "`params` must be an object or an array");
    }
    item(method, members.params, reply_to)
}

fn refused(reply_to: ReplyTo, reason: &str) -> Item {
    Item::Invalid(
        reply_to,
        ErrorObject::new(Code::InvalidRequest, format!("invalid request: {reason}")),
    )
}

pub(super) fn reply(id: &str, outcome: Result<JsonText, ErrorObject>) -> JsonText {
    let before = format!("{{\"id\":{id},\"result\":");
    match outcome {
        Ok(result) if result.pieces().eq([b"null"]) => reply(id, Ok(JsonText::of(&true))),
        Ok(result) => result.wrapped(before.into_bytes(), b",\"error\":null}"),
        Err(error) => {
            let before = format!("{before}null,\"error\":");
            JsonText::of(&error.to_string()).wrapped(before.into_bytes(), b"}")
        }
    }
}
