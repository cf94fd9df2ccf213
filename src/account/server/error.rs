//! Why none of the account's servers can be used.

use plexsync_protocol::error::KnownServer;

use crate::account::FileError;
use crate::http::error::HttpError;

/// Why none of the account's servers can be used, by what the user does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerError {
    /// Nobody is signed in.
    NotSignedIn,
    /// The stored sign-in was made for another device, or at another plex.tv: why, and what to do.
    Foreign(String),
    /// The stored sign-in can't be read.
    File(FileError),
    /// plex.tv does not take the stored sign-in any more.
    SignInRefused,
    /// plex.tv answered with another status than hoped for.
    Refused {
        /// HTTP status.
        status: u16,
        /// plex.tv's own words, or none.
        message: String,
        /// The origin that answered.
        server: String,
    },
    /// No answer: of plex.tv, or of the server.
    Http(HttpError),
    /// No server has this name, or more than one has.
    Unclear(Unclear),
}

/// Which server is meant is not clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// What is not clear, with a hint.
    pub reason: String,
    /// Whether the call itself names the server.
    pub by_call: bool,
    /// The account's servers.
    pub servers: Vec<KnownServer>,
}

impl From<HttpError> for ServerError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<FileError> for ServerError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}
