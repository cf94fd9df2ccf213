//! `plex.scan`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(test)]
use super::TIMEOUT_MS;
use crate::find::FoundItem;

/// Longest wait for an item, in milliseconds.
pub const MAX_WAIT_MS: u64 = 600_000;

/// Params of `plex.scan`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScanParams {
    /// A file: its folder is meant. One that ends in a separator is a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A folder, as Plex sees it; absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Base URL of the server, or the name or identifier of one of the account's servers; default the configured one,
    /// else the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Key of the only library section to ask, which must hold the folder. Empty counts as absent: every section that
    /// holds the folder is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// In Stash: ask even if Plex was asked for the folder already. Elsewhere Plex always is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// With `path`: wait so long for an item that has the file, in milliseconds. Added to the time of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(max = MAX_WAIT_MS), extend("default" = 0)))]
    pub wait_ms: Option<u64>,
    /// Time for the call without the wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
    /// Asks for `$/progress` notifications while it waits: seconds so far, and seconds at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::document::Id>"))]
    pub progress_token: Option<Value>,
}

/// How the wait for an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Waited {
    /// `items` have the file.
    Found,
    /// The scan has ended without it.
    Ended,
    /// The time is over.
    Timeout,
}

/// What became of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScanOutcome {
    /// Plex was asked, and took it.
    Asked,
    /// Stash only: Plex was asked for the folder after everything in it was there.
    Skipped,
    /// Stash only: Plex is away; it is asked later.
    Waiting,
    /// Stash only: there is nothing to ask Plex for.
    Nothing,
}

/// A folder that one library section was asked to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SectionScan {
    /// Key of the library section.
    pub section: String,
    /// The folder in the spelling of the section's location.
    pub folder: String,
    /// HTTP status of Plex's response.
    pub status: u16,
}

/// Result of `plex.scan`. Keys are strings: Stash rounds integers above 2^53.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ScanResult {
    /// What became of it.
    pub outcome: ScanOutcome,
    /// The folder that Plex was asked to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Key of the library section whose location is nearest to the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// HTTP status of Plex's response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The other sections that hold the folder, in Plex's order; in a Stash hook the scene's other folders, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<SectionScan>,
    /// A Stash task that names no folder: `all`, or the key of the one section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<String>,
    /// With `sections`: how many folders wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// With `wait_ms`: the items that have the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<FoundItem>>,
    /// With `wait_ms`: how the wait ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Waited>,
    /// A sentence for the user about the server or the token that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl ScanResult {
    /// Plex was not asked.
    pub const fn not_asked(outcome: ScanOutcome) -> Self {
        Self {
            outcome,
            folder: None,
            section: None,
            status: None,
            also: Vec::new(),
            sections: None,
            waiting: None,
            items: None,
            waited: None,
            warning: None,
        }
    }

    /// These sections were asked, the nearest first. Without any, there was nothing to ask.
    pub fn asked(scans: Vec<SectionScan>) -> Self {
        let mut scans = scans.into_iter();
        let Some(SectionScan { section, folder, status }) = scans.next() else {
            return Self::not_asked(ScanOutcome::Nothing);
        };
        Self {
            folder: Some(folder),
            section: Some(section),
            status: Some(status),
            also: scans.collect(),
            ..Self::not_asked(ScanOutcome::Asked)
        }
    }

    /// Whole sections were asked: `all`, or the key of one. So many folders wait.
    pub fn whole(sections: impl Into<String>, waiting: u64) -> Self {
        Self {
            sections: Some(sections.into()),
            waiting: Some(waiting),
            ..Self::not_asked(ScanOutcome::Asked)
        }
    }
}
