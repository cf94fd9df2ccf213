//! `scan.pending`: the folders that wait until Plex can be asked to scan them.

use serde::{Deserialize, Serialize};

/// Params of `scan.pending`. Without any, what waits is told and nothing is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PendingParams {
    /// Ask Plex for all of it now. Stash only: the paths and their translation are Stash's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub send: bool,
    /// Forget all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forget: bool,
}

/// Something that waits: a folder, or a scene whose files Stash could not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PendingScan {
    /// The folder, as Stash sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// In place of `folder`: the id of a scene in Stash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<String>,
    /// Key of the only library section that is to be asked; absent for all that hold the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// When it began to wait, by this machine's clock (RFC 3339).
    pub since: String,
    /// Why it waits, for the user.
    pub reason: String,
}

/// Result of `scan.pending`: what waits now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PendingResult {
    /// Oldest first.
    pub waiting: Vec<PendingScan>,
}

impl PendingScan {
    /// A folder that waits.
    pub fn of_folder(
        folder: impl Into<String>,
        since: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            folder: Some(folder.into()),
            since: since.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// A scene that waits by its id.
    pub fn of_scene(
        scene: impl Into<String>,
        since: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            scene: Some(scene.into()),
            since: since.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The same for one section alone.
    #[must_use]
    pub fn in_section(self, section: Option<String>) -> Self {
        Self { section, ..self }
    }
}

impl PendingResult {
    /// This waits.
    pub fn new(waiting: Vec<PendingScan>) -> Self {
        Self { waiting }
    }
}
