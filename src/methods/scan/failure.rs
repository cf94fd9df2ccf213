//! Why there is no answer, and what that says of the server.

use plexsync_protocol::error::{ErrorObject, TimeoutPhase, UnreachableKind};

use crate::http::error::HttpError;
use crate::plex::{PlexError, Refusal};

/// Why there is no answer.
pub(super) enum Failure {
    Plex(PlexError),
    /// Nothing could be sent.
    Other(ErrorObject),
}

impl From<PlexError> for Failure {
    fn from(error: PlexError) -> Self {
        Self::Plex(error)
    }
}

impl From<ErrorObject> for Failure {
    fn from(error: ErrorObject) -> Self {
        Self::Other(error)
    }
}

/// Whether sections refused, and not the server as a whole.
pub(super) fn is_of_sections(refusal: &Refusal) -> bool {
    !refusal.refused.is_empty() && refusal.status != 429
}

pub(super) fn is_timeout(error: &PlexError) -> bool {
    matches!(error, PlexError::Http(HttpError::Timeout { .. }))
}

/// Whether Plex may have been restarted, and has lost what it was asked for.
pub(super) fn is_a_restart(error: &PlexError) -> bool {
    use UnreachableKind::{Closed, Connect};
    match error {
        PlexError::Http(HttpError::Unreachable { kind: Closed | Connect, .. }) => true,
        PlexError::Http(HttpError::Timeout { phase, .. }) => *phase == TimeoutPhase::Connect,
        PlexError::Refused(refusal) => refusal.status == 503,
        _ => false,
    }
}
