//! What can go wrong between a call and its answer, by what the receiver does next.

use plexsync_protocol::error::{Missing, TimeoutPhase, UnreachableKind};

/// Why a call has no answer. No message holds a token, a query or a value of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlexError {
    /// The call has to be mended.
    #[error("invalid params: `{pointer}`: {reason}")]
    Invalid {
        /// Where, as a JSON pointer (RFC 6901) into the params.
        pointer: String,
        /// What is wrong there; never the value.
        reason: String,
    },
    /// No connection, or it broke, or what came is no HTTP.
    #[error("{message}")]
    Unreachable {
        /// What failed.
        kind: UnreachableKind,
        /// A sentence for the user, with the cure.
        message: String,
    },
    /// The call's time, or that of one connection, is over.
    #[error("{message}")]
    Timeout {
        /// What was being waited for.
        phase: TimeoutPhase,
        /// A sentence for the user, with the cure.
        message: String,
    },
    /// The decoded body, or the sum of the pages, is larger than the call allows.
    #[error("the answer is larger than `max_bytes` ({max_bytes}); raise it or ask for less")]
    TooLarge {
        /// The limit, in bytes.
        max_bytes: u64,
    },
    /// There is no server to ask, or no token that belongs to it.
    #[error("{message}")]
    NotConfigured {
        /// What is missing.
        missing: Missing,
        /// A sentence for the user, with the cure.
        message: String,
    },
    /// No library section holds the folder.
    #[error(
        "no library section of Plex holds `{folder}`; name one with `section`, or add the folder to a library"
    )]
    NoSection {
        /// The folder that was looked for.
        folder: String,
        /// The folders that Plex's sections have.
        locations: Vec<String>,
    },
}

impl PlexError {
    /// Params that are wrong at `pointer`, for `reason`. Neither may hold the value.
    pub(crate) fn invalid(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), reason: reason.into() }
    }

    /// No way to Plex.
    pub(crate) fn unreachable(kind: UnreachableKind, message: impl Into<String>) -> Self {
        Self::Unreachable { kind, message: message.into() }
    }

    /// Something that the user has to set up.
    pub(crate) fn not_configured(missing: Missing, message: impl Into<String>) -> Self {
        Self::NotConfigured { missing, message: message.into() }
    }
}
