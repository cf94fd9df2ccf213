//! Bytes to calls, replies to bytes. Knows envelopes and framings; methods are opaque.

mod jsonrpc1;
mod jsonrpc2;
mod reply_to;
mod stash;

use std::sync::Arc;

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::{MAX_BATCH, method};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::host::framing::{Frame, Framing};
use crate::json_text::JsonText;
use crate::methods::params;
use crate::rpc::StashCall;
use reply_to::Envelope;
pub use reply_to::{Id, ReplyTo};

/// A message, read.
pub enum Inbound {
    /// One call, or an invalid message.
    Single(Item),
    /// A JSON-RPC 2.0 batch, in order; never empty.
    Batch(Vec<Item>),
}

/// A member of a batch, or a message of its own.
pub enum Item {
    /// A method is to be called.
    Call(Call),
    /// A call is to be stopped: the one with this id.
    Cancel(Id),
    /// Stash wants the running task stopped.
    Stop(ReplyTo),
    /// The host says goodbye as the Language Server Protocol does it: answer with null, and wait for `Exit`.
    Shutdown(ReplyTo),
    /// The host will send no more (LSP's `exit`).
    Exit,
    /// It is not a request: this is the reply.
    Invalid(ReplyTo, ErrorObject),
}

pub struct Call {
    pub method: String,
    /// The params as they were sent; `None` for absent ones and null.
    pub params: Option<Box<RawValue>>,
    pub reply_to: ReplyTo,
    /// The parent Stash, if it is the host.
    pub stash: Option<Arc<StashCall>>,
}

/// A notification to the host.
pub fn notification(method: &str, params: &impl serde::Serialize) -> JsonText {
    let before = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":"#);
    JsonText::of(params).wrapped(before.into_bytes(), b"}")
}

/// Replies of a batch's members as one array; `None` if no member is answered.
pub fn batch_reply(replies: Vec<JsonText>) -> Option<JsonText> {
    let mut replies = replies.into_iter();
    let mut whole = replies.next()?.wrapped(b"[".to_vec(), b"");
    for reply in replies {
        whole.append(reply.wrapped(b",".to_vec(), b""));
    }
    whole.append(JsonText::from(b"]".to_vec()));
    Some(whole)
}

/// Text before and after a message on the wire.
pub fn frame(framing: Framing, content_type: Option<&str>, message: JsonText) -> JsonText {
    match framing {
        Framing::Lines => message.wrapped(Vec::new(), b"\n"),
        Framing::Headers => {
            let content_type = content_type.map(|value| format!("Content-Type: {value}\r\n"));
            let content_type = content_type.unwrap_or_default();
            let header = format!("Content-Length: {}\r\n{content_type}\r\n", message.len());
            message.wrapped(header.into_bytes(), b"")
        }
    }
}

/// Reads one frame; `None` if it is not a message.
pub fn read(frame: &Frame<'_>, max_message: usize) -> Option<Inbound> {
    Some(match frame {
        Frame::Stray => return None,
        Frame::Message(bytes) => read_message(bytes),
        Frame::TooLong(begin) => too_long(begin, max_message),
        Frame::BadHeader(reason) => {
            unreadable(Code::InvalidRequest, format!("invalid header block: {reason}"))
        }
    })
}

fn too_long(begin: &[u8], max_message: usize) -> Inbound {
    let message = format!("message is longer than `{max_message}` bytes");
    match stash::reply_to_unread(begin) {
        Some(reply_to) => {
            let message = format!("{message}, perhaps by a cover image: nothing was done");
            let error = ErrorObject::new(Code::InvalidRequest, message);
            Inbound::Single(Item::Invalid(reply_to, error))
        }
        None => unreadable(Code::InvalidRequest, format!("{message}: raise `--max-message`")),
    }
}

fn unreadable(code: Code, message: impl Into<String>) -> Inbound {
    Inbound::Single(invalid(None, ErrorObject::new(code, message)))
}

/// An invalid message is answered with its id if it has one, else with null (specification, section 5).
fn invalid(id: Option<Id>, error: ErrorObject) -> Item {
    Item::Invalid(ReplyTo::json_rpc_2(Some(id.unwrap_or_else(Id::null))), error)
}

fn invalid_request(id: Option<Id>, reason: &str) -> Item {
    invalid(id, ErrorObject::new(Code::InvalidRequest, format!("invalid request: {reason}")))
}

fn read_message(bytes: &[u8]) -> Inbound {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_ascii(),
        Err(error) => {
            return unreadable(
                Code::ParseError,
                format!("parse error: byte {} is not UTF-8", error.valid_up_to()),
            );
        }
    };
    match text.as_bytes().first() {
        Some(b'{') => Inbound::Single(read_object(text, Place::Alone)),
        Some(b'[') => read_batch(text),
        _ => match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => Inbound::Single(invalid_request(None, "expected an object")),
            Err(error) => unreadable(Code::ParseError, parse_error(&error)),
        },
    }
}

fn parse_error(error: &serde_json::Error) -> String {
    let what = if params::half_a_pair(&error.to_string()) {
        "half a surrogate pair"
    } else {
        "invalid JSON"
    };
    format!("parse error: {what} at line {} column {}", error.line(), error.column())
}

fn read_batch(text: &str) -> Inbound {
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Err(error) => unreadable(Code::ParseError, parse_error(&error)),
        Ok(members) if members.is_empty() => {
            Inbound::Single(invalid_request(None, "the batch is empty"))
        }
        Ok(members) if members.len() > MAX_BATCH => Inbound::Single(invalid_request(
            None,
            &format!("a batch holds at most `{MAX_BATCH}` calls"),
        )),
        Ok(members) => Inbound::Batch(
            members.iter().map(|member| read_object(member.get(), Place::InBatch)).collect(),
        ),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    InBatch,
}

/// The members that classify a message. Others are ignored.
///
/// A derived struct refuses a repeated member.
#[derive(Default, Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    server_connection: Option<&'a RawValue>,
}

/// Keeps null: `"id":null` is not the same as no id.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn read_object(text: &str, place: Place) -> Item {
    // A derived struct would read an array as its members in order, and an array is not a request.
    if !text.starts_with('{') {
        return invalid_request(None, "expected an object");
    }
    let members: Members<'_> = match serde_json::from_str(text) {
        Ok(members) => members,
        Err(error) if error.is_data() => {
            return invalid_request(only_id(text), "a member is repeated");
        }
        Err(error) => {
            return invalid(None, ErrorObject::new(Code::ParseError, parse_error(&error)));
        }
    };
    match &members {
        Members { jsonrpc: Some(_), .. } => jsonrpc2::read(&members),
        Members { method: Some(_), .. } if place == Place::Alone => jsonrpc1::read(&members),
        Members { server_connection: Some(_), method: None, .. } if place == Place::Alone => {
            stash::read_raw(text)
        }
        _ => {
            invalid_request(jsonrpc2::id(&members).unwrap_or_default(), "`jsonrpc` must be \"2.0\"")
        }
    }
}

/// The id of a message with other members repeated.
fn only_id(text: &str) -> Option<Id> {
    #[derive(Deserialize)]
    struct OnlyId<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let OnlyId { id } = serde_json::from_str(text).ok()?;
    jsonrpc2::id(&Members { id: Some(id), ..Members::default() }).ok().flatten()
}

/// What a message with this method asks for.
fn item(method: String, params: Option<&RawValue>, mut reply_to: ReplyTo) -> Item {
    let params = params.filter(|params| params.get() != "null");
    match method.as_str() {
        method::STASH_RUN => {
            reply_to.plugin_output = true;
            match params.map(RawValue::get).map(stash::read_run) {
                Some(Ok(run)) => run.into_call(reply_to),
                Some(Err(error)) => Item::Invalid(reply_to, error),
                None => Item::Invalid(reply_to, stash::no_input()),
            }
        }
        method::STASH_STOP => Item::Stop(reply_to),
        method::CANCEL if !reply_to.wants_reply() => match jsonrpc2::cancelled_id(params) {
            Ok(id) => Item::Cancel(id),
            Err(error) => Item::Invalid(reply_to, error),
        },
        method::SHUTDOWN if reply_to.is_json_rpc_2_call() => Item::Shutdown(reply_to),
        method::EXIT if reply_to.is_json_rpc_2_notification() => Item::Exit,
        _ => Item::Call(Call {
            method,
            params: params.map(ToOwned::to_owned),
            reply_to,
            stash: None,
        }),
    }
}

#[cfg(test)]
mod tests;
