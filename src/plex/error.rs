//! What can go wrong between a call and its answer, by what the receiver does next.

use plexsync_protocol::error::Missing;

use crate::http::error::HttpError;

/// Why a call has no answer. No message holds a token, a query or a value of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlexError {
    /// The params of the call are wrong.
    #[error("invalid params: `{pointer}`: {reason}")]
    Invalid {
        /// Where, as a JSON pointer (RFC 6901) into the params.
        pointer: String,
        /// What is wrong there; never the value.
        reason: String,
    },
    /// The request has no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// There is no server to ask, or no token that belongs to it.
    #[error("{message}")]
    NotConfigured {
        /// What is missing.
        missing: Missing,
        /// A sentence for the user, with the hint.
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

    /// Something that the user has to set up.
    pub(crate) fn not_configured(missing: Missing, message: impl Into<String>) -> Self {
        Self::NotConfigured { missing, message: message.into() }
    }
}
