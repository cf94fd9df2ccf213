//! Stash's plugin envelope: a PluginInput goes in, a PluginOutput comes out (Stash `pkg/plugin/common/msg.go`).
//!
//! It comes alone (`interface: raw`) or as the params of `RPCRunner.Run` (`interface: rpc`). Stash takes every
//! RPC error for success, so that a failure can only be a string in the output.

use std::sync::Arc;

use plexsync_protocol::OPENRPC;
use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::stash::PluginInput;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Call, Envelope, Id, Item, ReplyTo};
use crate::json_text::JsonText;
use crate::methods::params;
use crate::rpc::StashCall;

/// The parts of a PluginInput.
pub(super) struct Run {
    method: Option<String>,
    params: Option<Box<RawValue>>,
    stash: StashCall,
}

impl Run {
    /// The call that the arguments describe.
    pub(super) fn into_call(self, reply_to: ReplyTo) -> Item {
        let Some(method) = self.method.filter(|method| !method.is_empty()) else {
            return Item::Invalid(reply_to, no_method());
        };
        match self.params.map(object).transpose() {
            Ok(params) => Item::Call(Call {
                method,
                params: params.flatten(),
                reply_to,
                stash: Some(Arc::new(self.stash)),
            }),
            Err(error) => Item::Invalid(reply_to, error),
        }
    }
}

fn no_method() -> ErrorObject {
    let reason = "`args.method` is missing: set `method` in the task's or hook's `defaultArgs`, or in the operation's `args`";
    ErrorObject::new(Code::InvalidRequest, format!("{reason}, to one of {}", method_list()))
}

/// Every method that `args.method` may name, from the document that describes them.
fn method_list() -> String {
    #[derive(Deserialize)]
    struct Document {
        methods: Vec<Method>,
    }
    #[derive(Deserialize)]
    struct Method {
        name: String,
    }
    let document = serde_json::from_str(OPENRPC).unwrap_or(Document { methods: Vec::new() });
    let names = document.methods.iter().map(|method| format!("`{}`", method.name));
    names.filter(|name| !name.contains("RPCRunner")).collect::<Vec<_>>().join(", ")
}

/// The error of a `RPCRunner.Run` without params.
pub(super) fn no_input() -> ErrorObject {
    ErrorObject::new(
        Code::InvalidRequest,
        "`params` must hold a plugin input with `server_connection` and `args`",
    )
}

/// Params in a manifest are strings: such a string holds the object.
fn object(params: Box<RawValue>) -> Result<Option<Box<RawValue>>, ErrorObject> {
    if !params.get().starts_with('"') {
        return Ok((params.get() != "null").then_some(params));
    }
    let text: String = serde_json::from_str(params.get()).unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    RawValue::from_string(text).map(Some).map_err(|_| {
        ErrorObject::invalid_params("", "`args.params` is a string that is not a JSON object")
    })
}

/// Where the reply to an input goes that is too long to be read, by its first bytes. Go writes the members of a message
/// in one order, and Stash's client calls Run with id 0.
pub(super) fn reply_to_unread(begin: &[u8]) -> Option<ReplyTo> {
    let (envelope, id) = if begin.starts_with(b"{\"server_connection\":") {
        (Envelope::StashRaw, None)
    } else if begin.starts_with(b"{\"method\":\"RPCRunner.Run\"") {
        (Envelope::JsonRpc1, Some(Id("0".into())))
    } else {
        return None;
    };
    Some(ReplyTo { envelope, id, plugin_output: true })
}

/// Reads the params of `RPCRunner.Run`: the input, alone or alone in an array.
pub(super) fn read_run(params: &str) -> Result<Run, ErrorObject> {
    if !params.starts_with('[') {
        return read_input(params);
    }
    match serde_json::from_str::<[&RawValue; 1]>(params) {
        Ok([input]) => read_input(input.get()),
        Err(_) => Err(no_input()),
    }
}

/// Reads a message that is a PluginInput.
pub(super) fn read_raw(text: &str) -> Item {
    let reply_to = ReplyTo { envelope: Envelope::StashRaw, id: None, plugin_output: true };
    match read_input(text) {
        Ok(run) => run.into_call(reply_to),
        Err(error) => Item::Invalid(reply_to, error),
    }
}

/// serde's own message may quote the input, which holds the session cookie.
fn read_input(text: &str) -> Result<Run, ErrorObject> {
    if !text.starts_with('{') {
        return Err(no_input());
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let PluginInput { server_connection, args } =
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| bad_input(&error))?;
    let args = args.unwrap_or_default();
    Ok(Run {
        method: args.method,
        params: args.params,
        stash: StashCall {
            connection: server_connection,
            hook: args.hook_context,
            confirm: args.confirm,
            wait: args.wait,
        },
    })
}

/// Names the member as its writer wrote it.
fn bad_input(error: &serde_path_to_error::Error<serde_json::Error>) -> ErrorObject {
    let (member, expected) =
        (error.path().to_string(), params::expected(&error.inner().to_string()));
    match (member.as_str(), expected.strip_prefix(", ")) {
        ("args.method", Some(expected)) => ErrorObject::new(
            Code::InvalidRequest,
            format!("`args.method`: {expected} that names a method: one of {}", method_list()),
        ),
        (member, Some(expected)) if member != "." => {
            ErrorObject::new(Code::InvalidRequest, format!("`{member}`: {expected}"))
        }
        _ => no_input(),
    }
}

/// The outcome as a PluginOutput.
pub(super) fn plugin_output(outcome: Result<JsonText, ErrorObject>) -> JsonText {
    match outcome {
        Ok(output) => output.wrapped(b"{\"error\":null,\"output\":".to_vec(), b"}"),
        Err(error) => {
            JsonText::of(&error.to_string()).wrapped(b"{\"error\":".to_vec(), b",\"output\":null}")
        }
    }
}
