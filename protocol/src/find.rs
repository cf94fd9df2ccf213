//! `plex.find`.

use serde::{Deserialize, Serialize};

/// Most paths in one call.
pub const MAX_PATHS: usize = 100;

/// Params of `plex.find`. In a Stash hook both `path` and `paths` may be left out: the scene's files are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FindParams {
    /// A file, as Plex sees it; absolute. In Stash as Stash sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Files, instead of `path`: 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(length(min = 1, max = MAX_PATHS)))]
    pub paths: Option<Vec<String>>,
    /// Key of the only library section to look into. Empty counts as absent: every section that holds the file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Base URL of the server, or the name or identifier of one of the account's servers; default the configured one,
    /// else the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

/// An item that has one of the files. Keys are strings: Stash rounds integers above 2^53.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FoundItem {
    /// The file, as the call names it.
    pub path: String,
    /// The item's key: its metadata is at `/library/metadata/<rating_key>`.
    pub rating_key: String,
    /// `movie`, `episode`, `track` or `photo`.
    pub r#type: String,
    /// Its title; empty if it has none.
    pub title: String,
    /// Key of its library section.
    pub section: String,
    /// The file, as Plex spells it.
    pub file: String,
}

/// Result of `plex.find`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FindResult {
    /// The items, in the order of the paths. A file may belong to several: two sections, or two episodes in one file.
    pub items: Vec<FoundItem>,
    /// The paths that no item has.
    pub missing: Vec<String>,
    /// Those of them that no library section holds.
    pub unheld: Vec<String>,
    /// A sentence for the user about the server or the token that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
