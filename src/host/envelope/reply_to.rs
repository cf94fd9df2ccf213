//! Where a reply goes: to an id, in the envelope of its call.

use plexsync_protocol::error::ErrorObject;
use serde_json::value::RawValue;

use super::{jsonrpc1, jsonrpc2, stash};
use crate::json_text::JsonText;

/// How a call is answered: to which id, in which envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    pub(super) envelope: Envelope,
    pub(super) id: Option<Id>,
    /// The result is Stash's PluginOutput: failures are strings in it.
    pub(super) plugin_output: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Envelope {
    JsonRpc2,
    JsonRpc1,
    StashRaw,
}

/// An id exactly as it was sent, to be returned exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(pub(super) Box<str>);

impl Id {
    pub(super) fn null() -> Self {
        Self("null".into())
    }

    pub(super) fn of(raw: &RawValue) -> Self {
        Self(raw.get().into())
    }

    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Whether two ids are the same JSON value, however they were spelled.
    pub fn is(&self, other: &Self) -> bool {
        self == other
            || matches!(
                (serde_json::from_str::<String>(&self.0), serde_json::from_str::<String>(&other.0)),
                (Ok(this), Ok(that)) if this == that
            )
    }
}

impl ReplyTo {
    pub(super) fn json_rpc_2(id: Option<Id>) -> Self {
        Self { envelope: Envelope::JsonRpc2, id, plugin_output: false }
    }

    /// The id of the call, if it has one.
    pub fn id(&self) -> Option<&Id> {
        self.id.as_ref()
    }

    /// Whether the host expects an answer.
    pub fn wants_reply(&self) -> bool {
        self.id.is_some() || self.envelope == Envelope::StashRaw
    }

    /// Whether the host may be sent notifications: only JSON-RPC 2.0 has them.
    pub fn takes_notifications(&self) -> bool {
        self.envelope == Envelope::JsonRpc2
    }

    /// Whether it is JSON-RPC 1.0, whose client takes a reply without an id for the reply to call 0.
    pub fn is_json_rpc_1(&self) -> bool {
        self.envelope == Envelope::JsonRpc1
    }

    /// Whether the call has an id that its host can match.
    pub fn has_id(&self) -> bool {
        self.id.as_ref().is_some_and(|id| *id != Id::null())
    }

    pub(super) fn is_json_rpc_2_call(&self) -> bool {
        self.envelope == Envelope::JsonRpc2 && self.id.is_some()
    }

    pub(super) fn is_json_rpc_2_notification(&self) -> bool {
        self.envelope == Envelope::JsonRpc2 && self.id.is_none()
    }

    /// Whether it is Stash's raw interface, in which the end of input ends the message.
    pub fn is_raw(&self) -> bool {
        self.envelope == Envelope::StashRaw
    }

    /// Whether Stash is the host.
    pub fn is_stash(&self) -> bool {
        self.plugin_output
    }

    /// The reply to this call; `None` if none is expected.
    pub fn reply(&self, outcome: Result<JsonText, ErrorObject>) -> Option<JsonText> {
        if !self.wants_reply() {
            return None;
        }
        let outcome = if self.plugin_output { Ok(stash::plugin_output(outcome)) } else { outcome };
        let id = self.id.as_ref().map_or("null", Id::as_json);
        Some(match self.envelope {
            Envelope::JsonRpc2 => jsonrpc2::reply(id, outcome),
            Envelope::JsonRpc1 => jsonrpc1::reply(id, outcome),
            Envelope::StashRaw => outcome.unwrap_or_else(|error| stash::plugin_output(Err(error))),
        })
    }
}
