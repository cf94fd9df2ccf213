//! `server.*`: the account's servers, and the one that is used.

use serde::{Deserialize, Serialize};

/// Params of `server.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Try every connection, without a token.
    #[serde(default)]
    pub probe: bool,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

/// Result of `server.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ListResult {
    /// The account's servers, as plex.tv orders them.
    pub servers: Vec<Server>,
}

impl ListResult {
    /// These servers.
    pub fn new(servers: Vec<Server>) -> Self {
        Self { servers }
    }
}

/// One of the account's servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Server {
    /// The name that its owner gave it.
    pub name: String,
    /// Its identifier.
    pub machine_identifier: String,
    /// Whether the account owns it; else it is shared with it.
    pub owned: bool,
    /// Its version, where plex.tv knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether plex.tv sees it online.
    pub online: bool,
    /// Whether calls that name no server go to it.
    pub in_use: bool,
    /// Whether the user chose it with `server.choose`.
    pub chosen: bool,
    /// Where it may be reached.
    pub connections: Vec<Connection>,
}

/// Where a server may be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Connection {
    /// Its base URL.
    pub uri: String,
    /// In the server's own network.
    pub local: bool,
    /// By way of Plex's relay, which is slow.
    pub relay: bool,
    /// With `probe`: whether this very server answers there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachable: Option<bool>,
    /// With `probe`: after how many milliseconds it answered, or the try ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// With `probe`: why it is not reachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Connection {
    /// One that was not tried.
    pub fn new(uri: impl Into<String>, local: bool, relay: bool) -> Self {
        Self { uri: uri.into(), local, relay, reachable: None, elapsed_ms: None, problem: None }
    }
}

/// Params of `server.choose`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChooseParams {
    /// Its name, in any letter case, or its identifier.
    pub server: String,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

/// Result of `server.choose`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ChooseResult {
    /// The server, as `server.list` shows it.
    #[serde(flatten)]
    pub server: Server,
    /// The way to it.
    pub uri: String,
    /// A sentence for the user, such as that a setting names another server, which is stronger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl ChooseResult {
    /// `server`, reached at `uri`.
    pub fn new(server: Server, uri: String, warning: Option<String>) -> Self {
        Self { server, uri, warning }
    }
}
