//! What can go wrong between the worker and its parent Stash, as sentences that a user can act on.

/// Where the user finds this plugin's settings in Stash.
pub const SETTINGS_PAGE: &str = "Settings > Plugins > PlexSync";

/// Why Stash did not tell. Every message names the settings page and holds no cookie and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StashError {
    /// No connection, or it broke. Stash stops, or listens elsewhere.
    #[error(
        "stash at `{address}` can't be reached: {reason}; expected it there to read the settings of \
         `{SETTINGS_PAGE}`, check that it runs and that nothing stands between"
    )]
    Unreachable {
        /// Scheme, host and port.
        address: String,
        /// The innermost reason, in the operating system's or the TLS library's words.
        reason: String,
    },
    /// Stash took the connection and said nothing in time.
    #[error(
        "stash at `{address}` did not answer within {seconds} s when asked for `{SETTINGS_PAGE}`; try again when it is \
         less busy"
    )]
    Timeout {
        /// Scheme, host and port.
        address: String,
        /// How long was waited.
        seconds: u64,
    },
    /// 401: the session of this call is over, or credentials were set meanwhile.
    #[error(
        "stash at `{address}` refused the session of this call (401), so `{SETTINGS_PAGE}` can't be read; start the \
         task again, after logging in to Stash again if that does not help"
    )]
    Refused {
        /// Scheme, host and port.
        address: String,
    },
    /// Stash answered the question with errors: this version may not know it.
    #[error(
        "stash at `{address}` could not answer ({status}): {reason}; expected the settings of `{SETTINGS_PAGE}` or a \
         scene, see Stash's log"
    )]
    Rejected {
        /// Scheme, host and port.
        address: String,
        /// HTTP status; GraphQL errors come with 200 as well as with 422.
        status: u16,
        /// Stash's first error message, cut to a few hundred characters.
        reason: String,
    },
    /// What came is no answer of Stash: something else listens there, or a proxy answered.
    #[error(
        "what answers at `{address}` is not the Stash that has `{SETTINGS_PAGE}` ({status}): {reason}; check Stash's \
         host, port and reverse proxy"
    )]
    Unexpected {
        /// Scheme, host and port.
        address: String,
        /// HTTP status.
        status: u16,
        /// What was expected.
        reason: String,
    },
    /// A setting that was saved can't be used.
    #[error("setting `{name}` of `{SETTINGS_PAGE}` can't be used: {reason}")]
    Setting {
        /// The setting's key.
        name: &'static str,
        /// What is wrong, and what was expected.
        reason: String,
    },
}
