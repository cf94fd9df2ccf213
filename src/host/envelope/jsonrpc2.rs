//! JSON-RPC 2.0's envelope (<https://www.jsonrpc.org/specification>).

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::message::CancelParams;
use serde_json::value::RawValue;

use super::{Id, Item, Members, ReplyTo, invalid_request, item};
use crate::json_text::JsonText;
use crate::methods::params;

pub(super) fn read(members: &Members<'_>) -> Item {
    let Ok(id) = id(members) else {
        return invalid_request(None, "`id` must be a string, a number or null");
    };
    if members.jsonrpc.and_then(string).as_deref() != Some("2.0") {
        return invalid_request(id, "`jsonrpc` must be \"2.0\"");
    }
    let Some(method) = members.method.and_then(string) else {
        return invalid_request(id, "`method` must be a string");
    };
    if !members.params.is_none_or(structured) {
        return invalid_request(id, "`params` must be an object or an array");
    }
    item(method, members.params, ReplyTo::json_rpc_2(id))
}

/// The id, if there is one; an error if an id can't be of its type.
pub(super) fn id(members: &Members<'_>) -> Result<Option<Id>, ()> {
    match members.id {
        Some(raw) if raw.get().starts_with(['{', '[', 't', 'f']) => Err(()),
        raw => Ok(raw.map(Id::of)),
    }
}

/// Whether this can be params: an object, an array or null.
pub(super) fn structured(raw: &RawValue) -> bool {
    raw.get().starts_with(['{', '[', 'n'])
}

pub(super) fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// The id of the call to stop. The params follow the rules of all params.
pub(super) fn cancelled_id(params: Option<&RawValue>) -> Result<Id, ErrorObject> {
    let params: CancelParams = params::read(params)?;
    Ok(Id::of(&params.id))
}

pub(super) fn reply(id: &str, outcome: Result<JsonText, ErrorObject>) -> JsonText {
    let (member, text) = match outcome {
        Ok(result) => ("result", result),
        Err(error) => ("error", JsonText::of(&error)),
    };
    let before = ["{\"jsonrpc\":\"2.0\",\"id\":", id, ",\"", member, "\":"].concat();
    text.wrapped(before.into_bytes(), b"}")
}
