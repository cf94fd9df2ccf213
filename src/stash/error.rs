//! Errors of requests to the parent Stash.

/// Where the user finds this plugin's settings in Stash.
pub const SETTINGS_PAGE: &str = "Settings > Plugins > PlexSync";

/// What others do with an option, and how a user of Stash does it.
const WITHOUT_OPTIONS: [(&str, &str); 2] = [
    ("`--plex-ca`", "`PLEX_CA` in Stash's environment"),
    ("`plexsync-worker identity adopt ID`", "operation `identity.reset` (see the plugin's README)"),
];

/// A hint for a user of Stash, who has settings and no options.
pub fn without_options(hint: &str) -> String {
    WITHOUT_OPTIONS.iter().fold(hint.to_owned(), |hint, (option, way)| hint.replace(option, way))
}

/// Why a request to Stash failed. Every message names the settings page and holds no cookie and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StashError {
    /// No connection, or it broke.
    #[error(
        "stash at `{address}` can't be reached: {reason}; expected it there to read the settings of \
         `{SETTINGS_PAGE}`, check that it runs and that no proxy or firewall is between"
    )]
    Unreachable {
        address: String,
        /// The innermost reason, in the operating system's or the TLS library's words.
        reason: String,
    },
    /// Stash accepted the connection and did not answer in time.
    #[error(
        "stash at `{address}` did not answer within {seconds} s when asked for `{SETTINGS_PAGE}`; try again when it is \
         less busy"
    )]
    Timeout { address: String, seconds: u64 },
    /// 401: the session of this call is over, or credentials were set meanwhile.
    #[error(
        "stash at `{address}` refused the session of this call (401), so `{SETTINGS_PAGE}` can't be read; start the \
         task again, after logging in to Stash again if that does not help"
    )]
    Refused { address: String },
    /// Stash answered the query with errors: this version may not know it.
    #[error(
        "stash at `{address}` could not answer{}: {reason}; expected the settings of `{SETTINGS_PAGE}` or a scene, try \
         again when it is less busy", other_than_200(*status)
    )]
    Rejected {
        address: String,
        /// HTTP status; GraphQL errors come with 200 as well as with 422.
        status: u16,
        /// Stash's first error message, cut to a few hundred characters.
        reason: String,
    },
    /// The response is not Stash's: another program listens there, or a proxy answered.
    #[error(
        "what answers at `{address}` is not the Stash that has `{SETTINGS_PAGE}` ({status}): {reason}; check Stash's \
         host, port and reverse proxy"
    )]
    Unexpected { address: String, status: u16, reason: String },
    /// A setting that was saved can't be used.
    #[error("setting `{name}` of `{SETTINGS_PAGE}` can't be used: {reason}")]
    Setting { name: &'static str, reason: String },
}

/// GraphQL's errors come with 200: that status would say the contrary.
fn other_than_200(status: u16) -> String {
    if status == 200 { String::new() } else { format!(" ({status})") }
}
