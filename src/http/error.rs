//! What can go wrong between a request and its answer, by what the receiver does next.

use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};

/// Why a request has no answer. Neither `reason` nor `hint` holds a token, a query or a value of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection, or it broke, or what came is not HTTP.
    #[error("{reason}; {hint}")]
    Unreachable {
        /// What failed.
        kind: UnreachableKind,
        /// What happened, with its subject in backticks.
        reason: String,
        /// What the user can do about it.
        hint: String,
    },
    /// The call's time, or that of one connection, is over.
    #[error("{reason}; {hint}")]
    Timeout {
        /// What was being waited for.
        phase: TimeoutPhase,
        /// What happened, with its subject in backticks.
        reason: String,
        /// What the user can do about it.
        hint: String,
    },
    /// The decoded body is larger than the caller allows.
    #[error("the answer is larger than `{max_bytes}` bytes; raise `max_bytes` or ask for less")]
    TooLarge {
        /// The limit, in bytes.
        max_bytes: u64,
    },
}

impl HttpError {
    /// No answer, for `reason`.
    pub(crate) fn unreachable(
        kind: UnreachableKind,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Unreachable { kind, reason: reason.into(), hint: hint.into() }
    }

    /// No answer in time, for `reason`.
    pub(crate) fn timeout(
        phase: TimeoutPhase,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Timeout { phase, reason: reason.into(), hint: hint.into() }
    }
}
