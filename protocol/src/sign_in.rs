//! `auth.*`: signing in to plex.tv with a short code.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a user enters the code.
pub const VERIFICATION_URI: &str = "https://plex.tv/link";
/// Time of `auth.finish`, in milliseconds, unless it says otherwise.
pub const FINISH_TIMEOUT_MS: u64 = 60_000;
/// Longest time that `auth.finish` may be given, in milliseconds.
pub const MAX_FINISH_TIMEOUT_MS: u64 = 1_800_000;

/// Params of `auth.start`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StartParams {
    /// Begin a new sign-in even if one is stored; once completed, it ends the token before it.
    #[serde(default)]
    pub renew: bool,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

/// Result of `auth.start`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
#[non_exhaustive]
pub enum StartResult {
    /// A code to show to the user; `auth.finish` waits until it is entered.
    Code(SignInCode),
    /// No code is needed.
    SignedIn(SignedIn),
}

/// A code for the user, in the words of RFC 8628.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SignInCode {
    /// What the user enters: four or more letters and digits.
    pub user_code: String,
    /// Where: [`VERIFICATION_URI`].
    pub verification_uri: String,
    /// The same with the code in it, for a link or a QR code.
    pub verification_uri_complete: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// When it expires, by this machine's clock (RFC 3339).
    pub expires_at: String,
    /// Whether it was told before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

/// An account, as plex.tv names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Account {
    /// plex.tv's number.
    pub id: u64,
    /// Without what follows an `@`. Empty for a managed user.
    pub username: String,
    /// The name to show, without what follows an `@`.
    pub title: String,
}

/// A sign-in that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SignedIn {
    /// Always true.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub signed_in: bool,
    /// Whose it is.
    pub account: Account,
    /// Names of the servers that the account can use. Left out by an `auth.start` that finds a good sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<String>>,
    /// A sentence for the user, such as that none of the servers is the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl SignedIn {
    /// Signed in to `account`.
    pub fn new(account: Account, servers: Option<Vec<String>>, warning: Option<String>) -> Self {
        Self { signed_in: true, account, servers, warning }
    }
}

/// Params of `auth.finish`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FinishParams {
    /// How long to wait for the code to be entered, in milliseconds; at most 1800000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MAX_FINISH_TIMEOUT_MS), extend("default" = FINISH_TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
    /// Asks for `$/progress` notifications, which carry it: seconds that have passed, of those that the code lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "crate::document::Id"))]
    pub progress_token: Option<Value>,
}

/// Result of `auth.finish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
#[non_exhaustive]
pub enum FinishResult {
    /// The code was entered.
    SignedIn(SignedIn),
    /// Not yet: ask again.
    Waiting(Waiting),
}

/// A code that was not entered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Waiting {
    /// Always false.
    #[cfg_attr(test, schemars(extend("const" = false)))]
    pub signed_in: bool,
    /// When the code expires, by this machine's clock (RFC 3339).
    pub expires_at: String,
}

impl Waiting {
    /// A code that lasts until `expires_at`.
    pub fn new(expires_at: String) -> Self {
        Self { signed_in: false, expires_at }
    }
}

/// Params of `auth.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StatusParams {
    /// Ask plex.tv whether the token is good; false tells what is stored and sends nothing.
    #[serde(default = "yes")]
    pub check: bool,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

fn yes() -> bool {
    true
}

impl Default for StatusParams {
    fn default() -> Self {
        Self { check: true, timeout_ms: None }
    }
}

/// What is known of the stored token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenState {
    /// plex.tv takes it.
    Valid,
    /// plex.tv refuses it: sign in again.
    Invalid,
    /// plex.tv was not asked, or gave no answer that says anything.
    Unknown,
    /// There is none.
    None,
    /// It was made for another device id, or at another plex.tv: it is not used.
    OtherDevice,
}

/// Result of `auth.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StatusResult {
    /// Whether the stored token is valid or unknown.
    pub signed_in: bool,
    /// What is known of it.
    pub token_state: TokenState,
    /// Whose it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// When it was stored (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in_at: Option<String>,
    /// The server that is used, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerInUse>,
}

impl StatusResult {
    /// A status of this token, and nothing else.
    pub fn new(token_state: TokenState) -> Self {
        let signed_in = matches!(token_state, TokenState::Valid | TokenState::Unknown);
        Self { signed_in, token_state, account: None, signed_in_at: None, server: None }
    }
}

/// The account's server that is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerInUse {
    /// The name that its owner gave it.
    pub name: String,
    /// Its identifier.
    pub machine_identifier: String,
    /// The way to it.
    pub uri: String,
}

/// Params of `auth.logout`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogoutParams {
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

/// Result of `auth.logout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LogoutResult {
    /// Always false.
    #[cfg_attr(test, schemars(extend("const" = false)))]
    pub signed_in: bool,
    /// Whether plex.tv has ended the token; false also where there was none.
    pub revoked: bool,
}

impl LogoutResult {
    /// Signed out here, and at plex.tv if `revoked`.
    pub fn new(revoked: bool) -> Self {
        Self { signed_in: false, revoked }
    }
}

/// Data of [`Code::SignInIncomplete`](crate::error::Code::SignInIncomplete).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SignInIncomplete {
    /// What became of the sign-in.
    pub reason: SignInState,
}

/// What became of a sign-in that was not completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignInState {
    /// None was begun.
    None,
    /// Its code was not entered in time.
    Expired,
    /// plex.tv refused it.
    Refused,
}
