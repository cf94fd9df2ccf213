//! Why a call about the account fails, by what its receiver does next.

use plexsync_protocol::sign_in::SignInState;
use serde_json::Value;

use super::answers::shown;
use super::plex_tv::Reply;
use super::server::Unclear;
use super::store::FileError;
use crate::http::error::HttpError;
use crate::secret::Secrets;

/// Most of plex.tv's words that are passed on, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Why a call about the account fails. `methods::errors` has the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// No answer.
    Http(HttpError),
    /// plex.tv answered with another status than hoped for.
    Refused(Refusal),
    /// The sign-in can't be read or stored.
    File(FileError),
    /// The sign-in was not completed.
    Incomplete(SignInState),
    /// There is no sign-in that this device can use.
    NotSignedIn(NotSignedIn),
    /// Which of the account's servers is meant is not clear.
    Unclear(Unclear),
}

impl AccountError {
    /// Whether the same question may have an answer in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Refused(refusal) => refusal.status == 429 || refusal.status >= 500,
            Self::File(_) | Self::Incomplete(_) | Self::NotSignedIn(_) | Self::Unclear(_) => false,
        }
    }
}

/// Why there is no sign-in to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSignedIn {
    /// None is stored.
    None,
    /// One is stored that belongs to this device id, and not to ours.
    OtherDevice(String),
    /// One is stored that was made at this URL, and not at ours.
    OtherPlexTv(String),
    /// The data folder is not known, so nothing is.
    NoFolder,
}

/// A status that was not hoped for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{server}` refused {what} with status `{status}`{}", words(message))]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// plex.tv's words, at most 200 characters, without secrets and control characters; may be empty.
    pub message: String,
    /// Scheme, host and port of who answered.
    pub server: String,
    /// What was asked for, as the object of `refused`.
    pub what: &'static str,
}

impl Refusal {
    /// The refusal that `reply` is.
    pub fn of(reply: &Reply, what: &'static str, secrets: &Secrets) -> Self {
        let message = own_errors(reply).and_then(|errors| {
            errors.iter().find_map(|error| error["message"].as_str().map(str::to_owned))
        });
        // Before the cut: half a secret would not be found.
        let message = shown(&message.unwrap_or_default(), secrets);
        Self {
            status: reply.status,
            message: message.chars().take(LONGEST_MESSAGE).collect(),
            server: reply.server.clone(),
            what,
        }
    }
}

fn words(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

/// The `errors` of plex.tv's own JSON; the page of a portal or of a proxy has none.
pub(super) fn own_errors(reply: &Reply) -> Option<Vec<Value>> {
    let mut body: Value = reply.json()?;
    serde_json::from_value(body.get_mut("errors")?.take()).ok()
}

impl From<HttpError> for AccountError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<FileError> for AccountError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

#[cfg(test)]
mod tests {
    use plexsync_protocol::error::UnreachableKind;

    use super::*;

    fn refused(status: u16, message: &str) -> Refusal {
        let (message, server) = (message.to_owned(), "https://plex.tv".to_owned());
        Refusal { status, message, server, what: "the account" }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let lost = HttpError::unreachable(UnreachableKind::Connect, "dead", "wait");
        assert!(AccountError::Http(lost).may_pass());
        for (status, passes) in
            [(401, false), (404, false), (428, false), (429, true), (499, false), (500, true)]
        {
            assert_eq!(AccountError::Refused(refused(status, "")).may_pass(), passes, "{status}");
        }
        assert!(!AccountError::NotSignedIn(NotSignedIn::None).may_pass());
    }

    #[test]
    fn a_refusal_tells_plex_tv_s_words_where_it_has_some() {
        let start = "`https://plex.tv` refused the account with status `403`";
        assert_eq!(refused(403, "").to_string(), start);
        assert_eq!(refused(403, "Not you").to_string(), format!("{start} (Not you)"));
    }
}
