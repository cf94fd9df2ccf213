//! Why a call has no result, by what its caller does next.

use std::fmt::{self, Debug, Display, Formatter};
use std::io;
use std::process::ExitStatus;

use plexsync_protocol::error::{Code, ErrorObject};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Why a call has no result. A variant is what the caller does next; the worker's code, message and data are in it.
///
/// Neither the text nor the `Debug` output holds a secret: the worker's messages have none, and what a server sent is
/// not shown.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// Fix the request: -32700, -32600, -32601, or -32602 with
    /// [`InvalidParams`](plexsync_protocol::error::InvalidParams).
    Invalid(ErrorObject),
    /// Wait, then retry: overloaded (-32000), Plex unreachable (-32010), or too slow (-32011).
    Retry(ErrorObject),
    /// Show it to the user, who has to act: the identity's file (-32001), a refusal by Plex (-32013), the
    /// configuration (-32014), the sign-in (-32015).
    User(ErrorObject),
    /// Decide again: the id on disk is another one (-32002), see
    /// [`IdentityChanged`](plexsync_protocol::error::IdentityChanged).
    Changed(ErrorObject),
    /// Raise `max_bytes` or ask for less (-32012).
    TooLarge(ErrorObject),
    /// Nothing: the call was cancelled, or the worker was stopped (-32800).
    Cancelled(ErrorObject),
    /// Report it: the worker has a bug (-32603), or its code is newer than this client.
    Other(ErrorObject),
    /// Report it: the reply is not what the contract says.
    Unreadable(Unreadable),
    /// Retry, or give up: there was no reply in time. The call was cancelled.
    Timeout,
    /// The worker ended before it replied: whether the call was carried out is not known. A client with
    /// [`restart`](crate::Builder::restart) starts another worker for the next call.
    Ended(Ended),
    /// Show it to the user: the worker can't be started.
    Start(io::Error),
    /// Nothing: the client was closed.
    Closed,
}

/// How a worker ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ended {
    /// Its exit status; `None` if that can't be read.
    pub status: Option<ExitStatus>,
    /// The end of its log, at most 64 KiB.
    pub log: String,
}

/// A reply that can't be read.
#[non_exhaustive]
pub struct Unreadable {
    /// What is wrong with it, and where. No value of the reply is quoted.
    pub reason: String,
    /// The result as it came, if it is JSON but of another shape. It may hold what a server sent, so it is not shown
    /// by `Debug`.
    pub result: Option<Box<RawValue>>,
}

impl CallError {
    /// The worker's own error, if it replied with one.
    pub fn worker(&self) -> Option<&ErrorObject> {
        match self {
            Self::Invalid(error)
            | Self::Retry(error)
            | Self::User(error)
            | Self::Changed(error)
            | Self::TooLarge(error)
            | Self::Cancelled(error)
            | Self::Other(error) => Some(error),
            _ => None,
        }
    }

    /// The code of the worker's error, if it replied with one.
    pub fn code(&self) -> Option<i64> {
        self.worker().map(|error| error.code)
    }

    /// The data of the worker's error, as the type that belongs to its code (see [`plexsync_protocol::error`]).
    pub fn data<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.worker()?.data.clone()?).ok()
    }

    pub(crate) fn unreadable(error: &serde_json::Error, result: Option<Box<RawValue>>) -> Self {
        Self::Unreadable(Unreadable { reason: describe(error), result })
    }
}

impl From<ErrorObject> for CallError {
    fn from(error: ErrorObject) -> Self {
        let variant = match Code::of(error.code) {
            Some(
                Code::ParseError
                | Code::InvalidRequest
                | Code::MethodNotFound
                | Code::InvalidParams,
            ) => Self::Invalid,
            Some(Code::Overloaded | Code::PlexUnreachable | Code::PlexTimeout) => Self::Retry,
            Some(
                Code::IdentityUnavailable
                | Code::RefusedByPlex
                | Code::NotConfigured
                | Code::SignInIncomplete,
            ) => Self::User,
            Some(Code::IdentityChanged) => Self::Changed,
            Some(Code::AnswerTooLarge) => Self::TooLarge,
            Some(Code::Cancelled) => Self::Cancelled,
            _ => Self::Other,
        };
        variant(error)
    }
}

/// Serde's own text quotes values.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io => "not read to its end",
        Category::Syntax => "invalid JSON",
        Category::Data => "another type than the contract's",
        Category::Eof => "JSON that ends too early",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

impl Display for CallError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.worker() {
            return Display::fmt(error, formatter);
        }
        match self {
            Self::Unreadable(reply) => write!(formatter, "unreadable reply: {}", reply.reason),
            Self::Timeout => formatter.write_str("no reply in time: the call was cancelled"),
            Self::Ended(ended) => Display::fmt(ended, formatter),
            Self::Start(error) => write!(formatter, "the worker can't be started: {error}"),
            _ => formatter.write_str("the client was closed"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start(error) => Some(error),
            _ => None,
        }
    }
}

impl Display for Ended {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(formatter, "the worker ended ({status})")?,
            None => formatter.write_str("the worker ended")?,
        }
        match self.log.trim_end().lines().last() {
            Some(line) => write!(formatter, ": {line}"),
            None => Ok(()),
        }
    }
}

impl Debug for Unreadable {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Unreadable").field("reason", &self.reason).finish_non_exhaustive()
    }
}
