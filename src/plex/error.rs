//! What can go wrong between a call and its answer, by what the receiver does next.

use plexsync_protocol::error::{KnownServer, Missing};

use crate::http::error::HttpError;
use crate::plex::refusal::Refusal;

/// Most keys or locations that one message names.
const MOST_NAMED: usize = 50;

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
    /// The account has no server, or no token, for the request.
    #[error("{}", .0.reason)]
    NoServer(Box<NoServer>),
    /// No library section holds the folder.
    #[error(transparent)]
    NoSection(Box<NoSection>),
    /// Plex answered with a status outside 2xx where one within is needed.
    #[error(transparent)]
    Refused(Box<Refusal>),
}

/// Why the account has no server, or no token, for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoServer {
    /// What is missing.
    pub missing: Missing,
    /// Why.
    pub reason: String,
    /// Signing in would help; else `reason` ends with a hint.
    pub needs_sign_in: bool,
    /// The file that can't be used.
    pub path: Option<String>,
    /// The account's servers, where none of them is the one that is meant.
    pub servers: Vec<KnownServer>,
    /// The call names a server that there is not.
    pub named_by_call: bool,
}

/// Why no library section can be asked for a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} `{folder}`; {}", self.reason(), self.locations())]
pub struct NoSection {
    /// The folder that was looked for.
    pub folder: String,
    /// The only section that was looked into.
    pub section: Option<String>,
    /// The keys that Plex's sections have, if `section` is none of them.
    pub keys: Vec<String>,
    /// A location that would hold the folder if letter case did not count.
    pub differs_in_case: Option<String>,
    /// The locations that were looked into.
    pub locations: Vec<String>,
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

impl NoSection {
    /// What is wrong, without the folder.
    fn reason(&self) -> String {
        match &self.section {
            None => "no library section holds this folder:".to_owned(),
            Some(key) if self.keys.is_empty() => {
                format!("library section `{key}` does not hold this folder:")
            }
            Some(key) => format!("Plex has no library section `{key}` for"),
        }
    }

    /// Where Plex looks, and what comes near.
    fn locations(&self) -> String {
        let mut sentence = match self.keys.as_slice() {
            [] => String::new(),
            keys => format!("its sections are {}; ", list(keys)),
        };
        sentence += &match self.locations.as_slice() {
            [] => "there is no location".to_owned(),
            locations => format!("the locations are {}", list(locations)),
        };
        if let Some(location) = &self.differs_in_case {
            sentence += &format!("; `{location}` differs in letter case only");
        }
        sentence
    }
}

fn list(texts: &[String]) -> String {
    let more = texts.len().saturating_sub(MOST_NAMED);
    let named: Vec<_> = texts.iter().take(MOST_NAMED).map(|text| format!("`{text}`")).collect();
    match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

impl From<NoSection> for PlexError {
    fn from(error: NoSection) -> Self {
        Self::NoSection(Box::new(error))
    }
}

impl From<Refusal> for PlexError {
    fn from(error: Refusal) -> Self {
        Self::Refused(Box::new(error))
    }
}
