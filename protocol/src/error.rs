//! Error codes, and what comes with them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::sign_in::{SignInIncomplete, SignInState};

use crate::plex::SectionScan;

/// Error codes. The first five are JSON-RPC 2.0's (specification, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i64)]
pub enum Code {
    /// The message is invalid JSON.
    ParseError = -32700,
    /// The message is not a request.
    InvalidRequest = -32600,
    /// There is no such method.
    MethodNotFound = -32601,
    /// The params are wrong. [`InvalidParams`]
    InvalidParams = -32602,
    /// The worker has a bug.
    InternalError = -32603,
    /// Too many calls wait already: wait, try again.
    Overloaded = -32000,
    /// The identity can't be read or created; nothing was sent to Plex. [`IdentityUnavailable`]
    IdentityUnavailable = -32001,
    /// The id on disk is not `if_device_id`. [`IdentityChanged`]
    IdentityChanged = -32002,
    /// There is no connection, or it broke. [`PlexUnreachable`]
    PlexUnreachable = -32010,
    /// The call took longer than its timeout. [`PlexTimeout`]
    PlexTimeout = -32011,
    /// The body is larger than `max_bytes`. [`AnswerTooLarge`]
    AnswerTooLarge = -32012,
    /// Plex or plex.tv answered with an error status. [`RefusedByPlex`]
    RefusedByPlex = -32013,
    /// No server or no token to use. [`NotConfigured`]
    NotConfigured = -32014,
    /// The sign-in to plex.tv was not completed. [`SignInIncomplete`]
    SignInIncomplete = -32015,
    /// The call was cancelled, or the worker stopped before it was done (LSP's `RequestCancelled`).
    Cancelled = -32800,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::ParseError,
        Self::InvalidRequest,
        Self::MethodNotFound,
        Self::InvalidParams,
        Self::InternalError,
        Self::Overloaded,
        Self::IdentityUnavailable,
        Self::IdentityChanged,
        Self::PlexUnreachable,
        Self::PlexTimeout,
        Self::AnswerTooLarge,
        Self::RefusedByPlex,
        Self::NotConfigured,
        Self::SignInIncomplete,
        Self::Cancelled,
    ];

    /// The number on the wire.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The code with this number.
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }
}

/// A JSON-RPC 2.0 error object (specification, section 5.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorObject {
    /// One of [`Code`]'s numbers.
    pub code: i64,
    /// Lower case, subject in backticks, never a secret.
    pub message: String,
    /// For programs; the type depends on the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl ErrorObject {
    /// An error without data.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.number(), message: message.into(), data: None }
    }

    /// The same error with data.
    #[must_use]
    pub fn with_data(mut self, data: &impl Serialize) -> Self {
        self.data = serde_json::to_value(data).ok();
        self
    }

    /// A member of the data; null if there is none.
    pub fn datum(&self, name: &str) -> &Value {
        self.data.as_ref().map_or(&Value::Null, |data| &data[name])
    }

    /// Invalid params at `pointer` (RFC 6901), for `reason`. Neither may hold the value.
    pub fn invalid_params(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        let data = InvalidParams { pointer: pointer.into(), reason: reason.into() };
        let message = match data.pointer.as_str() {
            "" => format!("invalid params: {}", data.reason),
            pointer => format!("invalid params: `{pointer}`: {}", data.reason),
        };
        Self::new(Code::InvalidParams, message).with_data(&data)
    }
}

/// Message and code in one line, as in a 1.0 reply and in Stash's log.
impl std::fmt::Display for ErrorObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for ErrorObject {}

/// Data of [`Code::InvalidParams`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InvalidParams {
    /// Where, as a JSON pointer (RFC 6901) into the params.
    pub pointer: String,
    /// What is wrong there; never the value itself.
    pub reason: String,
}

/// Data of [`Code::IdentityUnavailable`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdentityUnavailable {
    /// The file or folder that can't be used.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Data of [`Code::IdentityChanged`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdentityChanged {
    /// The id on disk; null if there is none.
    pub device_id: Option<String>,
}

/// Data of [`Code::PlexUnreachable`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlexUnreachable {
    /// What failed.
    pub kind: UnreachableKind,
}

/// What failed when Plex could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnreachableKind {
    /// The server's name has no address.
    Dns,
    /// Nothing listens there, or there is no route.
    Connect,
    /// No TLS, or a certificate that is not trusted.
    Tls,
    /// The connection was closed before the end of the response.
    Closed,
    /// The response is not HTTP.
    Protocol,
}

/// Data of [`Code::PlexTimeout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlexTimeout {
    /// What was being waited for.
    pub phase: TimeoutPhase,
}

/// What a call was waiting for when it timed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeoutPhase {
    /// The connection.
    Connect,
    /// The head of the response.
    Response,
    /// The body.
    Body,
}

/// Data of [`Code::AnswerTooLarge`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnswerTooLarge {
    /// The limit that was exceeded, in bytes.
    pub max_bytes: u64,
}

/// Data of [`Code::RefusedByPlex`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefusedByPlex {
    /// HTTP status of the response.
    pub status: u16,
    /// Plex's own message, at most 200 characters, without secrets and control characters; may be empty.
    pub message: String,
    /// Origin of the server that refused: scheme, host and port.
    pub server: String,
    /// `plex.scan` only: the sections that took the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Vec<SectionScan>>,
    /// `plex.scan` only: the sections that refused it; none if Plex refused to list its sections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<SectionScan>>,
}

/// Data of [`Code::NotConfigured`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct NotConfigured {
    /// What is missing.
    pub missing: Missing,
    /// Why, and a hint what to do.
    pub reason: String,
    /// The file that can't be used, if one is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The account's servers, if there are several and none was chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<KnownServer>,
}

impl NotConfigured {
    /// `missing`, for `reason`.
    pub fn new(missing: Missing, reason: impl Into<String>) -> Self {
        Self { missing, reason: reason.into(), path: None, servers: Vec::new() }
    }
}

/// One of the account's servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownServer {
    /// The name its owner gave it.
    pub name: String,
    /// Its identifier.
    pub machine_identifier: String,
    /// Whether the account owns it.
    pub owned: bool,
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// The server's URL.
    Server,
    /// The token.
    Token,
}
