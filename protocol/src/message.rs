//! Messages: method names, limits, and the JSON text that travels in them.

use bytes::Bytes;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

/// Names of the methods, as they stand in a message's `method`.
pub mod method {
    /// Returns the identity; creates one if there is none.
    pub const IDENTITY_GET: &str = "identity.get";
    /// Replaces the identity with a new or a given one.
    pub const IDENTITY_RESET: &str = "identity.reset";
    /// Sends one request to Plex.
    pub const PLEX_REQUEST: &str = "plex.request";
    /// Asks Plex to look at one folder.
    pub const PLEX_SCAN: &str = "plex.scan";
    /// Checks data folder, identity, configuration and the connection to Plex.
    pub const DOCTOR_RUN: &str = "doctor.run";
    /// The OpenRPC document (OpenRPC specification, "Service Discovery Method").
    pub const RPC_DISCOVER: &str = "rpc.discover";
    /// Stash's task, hook or operation (Stash `pkg/plugin/common/rpc.go`).
    pub const STASH_RUN: &str = "RPCRunner.Run";
    /// Stash asks the running task to stop.
    pub const STASH_STOP: &str = "RPCRunner.Stop";
    /// A notification: stop the call whose id is in `params.id`.
    pub const CANCEL: &str = "$/cancelRequest";
    /// Answered with null: a host of the Language Server Protocol says goodbye.
    pub const SHUTDOWN: &str = "shutdown";
    /// A notification: the host will send no more (Language Server Protocol).
    pub const EXIT: &str = "exit";
    /// A notification to the host: the progress of a call.
    pub const PROGRESS: &str = "$/progress";
}

/// Largest message read by default, in bytes (`--max-message`).
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Most calls in one batch.
pub const MAX_BATCH: usize = 1000;
/// Most calls that run at once.
pub const MAX_RUNNING: usize = 64;
/// Most calls that wait for one of these places; a batch counts as one.
pub const MAX_WAITING: usize = 256;
/// How long accepted calls may go on after the end of input.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long they may go on after SIGTERM or SIGINT. Stash kills one second after its SIGINT.
pub const DRAIN_ON_SIGNAL: Duration = Duration::from_millis(800);

/// Serialised JSON, in pieces that are written one after the other.
///
/// A body of fifty megabytes is one of the pieces: it is never copied into a larger text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonText {
    pieces: Vec<Bytes>,
}

impl JsonText {
    /// Serialises a value whose serialisation can't fail (maps have string keys, no custom errors).
    ///
    /// A value that fails all the same becomes `null`, so that the text is JSON in every case.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Self {
        Self::from(serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec()))
    }

    /// Joins pieces that together are one JSON value; the caller vouches for that.
    pub fn from_pieces(pieces: Vec<Bytes>) -> Self {
        Self { pieces }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(AsRef::as_ref)
    }

    /// The whole text; a single piece is not copied.
    pub fn into_bytes(mut self) -> Vec<u8> {
        match self.pieces.len() {
            1 => self.pieces.swap_remove(0).into(),
            _ => self.pieces.concat(),
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// Whether there is no text at all (which is no JSON).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// This text between two others.
    #[must_use]
    pub fn wrapped(mut self, before: Vec<u8>, after: &[u8]) -> Self {
        match self.pieces.as_mut_slice() {
            [only] if only.len() < 64 * 1024 => {
                let mut whole = before;
                whole.reserve(only.len() + after.len());
                whole.extend_from_slice(only);
                whole.extend_from_slice(after);
                Self::from(whole)
            }
            _ => {
                self.pieces.insert(0, before.into());
                self.pieces.push(after.to_vec().into());
                self
            }
        }
    }

    /// Adds another text behind this one.
    pub fn append(&mut self, mut other: Self) {
        self.pieces.append(&mut other.pieces);
    }
}

impl From<Vec<u8>> for JsonText {
    fn from(text: Vec<u8>) -> Self {
        Self { pieces: vec![text.into()] }
    }
}

impl From<Box<RawValue>> for JsonText {
    fn from(raw: Box<RawValue>) -> Self {
        Self::from(String::from(Box::<str>::from(raw)).into_bytes())
    }
}

/// Params of [`method::CANCEL`].
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CancelParams {
    /// The id of the call to stop, as it was sent.
    #[cfg_attr(test, schemars(with = "crate::document::Id"))]
    pub id: Box<RawValue>,
}

/// Params of [`method::PROGRESS`].
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Progress {
    /// The call's `progress_token`, as it was sent.
    #[cfg_attr(test, schemars(with = "crate::document::Id"))]
    pub token: serde_json::Value,
    /// What is done, in entries of the listing.
    pub done: u64,
    /// What there is to do, if known.
    pub total: Option<u64>,
}
