//! `device.list` and `device.remove`: the devices of the account, as plex.tv lists them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A device that was seen within so many days is kept, by default.
pub const DAYS: u32 = 30;
/// Largest `days`.
pub const MAX_DAYS: u32 = 36_500;
/// Most ids in one call of `device.remove`.
pub const MAX_IDS: usize = 100;

/// Params of `device.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceListParams {
    /// A device that was seen within so many days is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(max = MAX_DAYS), extend("default" = DAYS)))]
    pub days: Option<u32>,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
}

/// One row of plex.tv's list. Texts are without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Device {
    /// plex.tv's number of the row.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The product that it says it is.
    pub product: String,
    /// The product's version.
    pub version: String,
    /// The platform that it says it runs on.
    pub platform: String,
    /// Its `X-Plex-Client-Identifier`.
    pub device_id: String,
    /// What it can do: a comma list.
    pub provides: String,
    /// When Plex saw it first (RFC 3339); null if plex.tv does not say so.
    pub created_at: Option<String>,
    /// When Plex saw it last (RFC 3339); null if plex.tv does not say so.
    pub last_seen_at: Option<String>,
    /// Whether it is this worker's own.
    pub this: bool,
    /// What is known to have left it behind; null for everything else: age proves nothing.
    pub phantom: Option<Phantom>,
    /// Why `device.remove` keeps it; null if nothing does.
    pub kept_because: Option<Kept>,
}

/// A device that a program left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Phantom {
    /// The program.
    pub maker: String,
    /// Of the identifier: whether it can come back.
    pub certainty: Certainty,
    /// A sentence for the user.
    pub why: String,
}

/// How sure it is that nothing uses an identifier again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Certainty {
    /// It was drawn at random, and never comes back.
    Sure,
    /// An installation may still use it.
    Likely,
}

/// Why a device is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Kept {
    /// For programs.
    pub reason: KeptReason,
    /// A sentence for the user.
    pub why: String,
}

/// Why a device is kept, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeptReason {
    /// It is this worker's own.
    ThisDevice,
    /// Its token is used here.
    TokenInUse,
    /// It is a server, a player or another thing that others use.
    Provides,
    /// It has a connection, or synchronised items.
    Connected,
    /// It was seen within the days, or there is no time to tell. `force` lifts this.
    Recent,
    /// It is the newest of its maker, and may carry a living token. `force` lifts this.
    Newest,
    /// It is no phantom.
    UnknownMaker,
    /// `device.remove`: the list does not have it.
    NotListed,
    /// `device.remove`: the list has several with this id.
    AmbiguousId,
}

/// Result of `device.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeviceList {
    /// The devices, in plex.tv's order.
    pub devices: Vec<Device>,
}

impl DeviceList {
    /// These devices.
    pub const fn new(devices: Vec<Device>) -> Self {
        Self { devices }
    }
}

/// Params of `device.remove`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceRemoveParams {
    /// Ids out of a list: 1 to 100.
    #[cfg_attr(test, schemars(length(min = 1, max = MAX_IDS)))]
    pub ids: Vec<String>,
    /// Remove nothing: tell what would be removed.
    #[serde(default = "yes")]
    pub dry_run: bool,
    /// A device that was seen within so many days is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(max = MAX_DAYS), extend("default" = DAYS)))]
    pub days: Option<u32>,
    /// Remove what is kept because it is `recent` or the `newest`, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Time for the whole call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = crate::plex::MAX_TIMEOUT_MS), extend("default" = crate::plex::TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
    /// Asks for `$/progress` notifications after each removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::document::Id>"))]
    pub progress_token: Option<Value>,
}

const fn yes() -> bool {
    true
}

/// Result of `device.remove`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeviceRemoval {
    /// Whether nothing was removed, because that was not asked for.
    pub dry_run: bool,
    /// A dry run: the ids that would be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_remove: Option<Vec<String>>,
    /// The ids that are gone.
    pub removed: Vec<String>,
    /// The ids that are kept.
    pub refused: Vec<RefusedDevice>,
    /// The ids that plex.tv did not remove, or still lists.
    pub failed: Vec<FailedDevice>,
    /// The ids that were not tried: plex.tv said that the sign-in is over, or that there were too many requests, or it gave
    /// no answer.
    pub left: Vec<String>,
    /// A sentence for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A device that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RefusedDevice {
    /// Its id.
    pub id: String,
    /// Why, for programs.
    pub reason: KeptReason,
    /// Why, for the user.
    pub why: String,
}

impl RefusedDevice {
    /// The device with this id is kept.
    pub fn new(id: impl Into<String>, kept: Kept) -> Self {
        Self { id: id.into(), reason: kept.reason, why: kept.why }
    }
}

impl Kept {
    /// Kept for this reason.
    pub fn new(reason: KeptReason, why: impl Into<String>) -> Self {
        Self { reason, why: why.into() }
    }
}

impl Phantom {
    /// Left behind by `maker`.
    pub fn new(maker: impl Into<String>, certainty: Certainty, why: impl Into<String>) -> Self {
        Self { maker: maker.into(), certainty, why: why.into() }
    }
}

/// A device that plex.tv did not remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FailedDevice {
    /// Its id.
    pub id: String,
    /// The HTTP status of plex.tv's answer; null if there was none.
    pub status: Option<u16>,
}

impl FailedDevice {
    /// The removal of this id was answered with `status`.
    pub fn new(id: impl Into<String>, status: Option<u16>) -> Self {
        Self { id: id.into(), status }
    }
}
