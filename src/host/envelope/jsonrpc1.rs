//! JSON-RPC 1.0's envelope as Go's `net/rpc/jsonrpc` speaks it (golang/go `src/net/rpc/jsonrpc/client.go`).
//!
//! To that client an error that is no string, or a result of null, ends the whole connection.

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::JsonText;
use serde_json::value::RawValue;

use super::{Address, Envelope, Id, Item, Members, item, jsonrpc2};

pub(super) fn read(members: &Members<'_>) -> Item {
    let id = members.id.filter(|raw| raw.get() != "null").map(Id::of);
    let address = Address { envelope: Envelope::JsonRpc1, id, plugin_output: false };
    let Some(method) = members.method.and_then(|raw: &RawValue| jsonrpc2::string(raw)) else {
        return refused(address, "`method` must be a string");
    };
    if !members.params.is_none_or(jsonrpc2::structured) {
        return refused(address, "`params` must be an object or an array");
    }
    item(method, members.params, address)
}

fn refused(address: Address, reason: &str) -> Item {
    Item::Invalid(
        address,
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
