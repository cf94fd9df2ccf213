//! plex.tv's list of devices, as XML. Every row holds a token.

use plexsync_protocol::error::UnreachableKind;
use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;

use crate::account::AccountError;
use crate::account::answers::controls;
use crate::http::error::HttpError;
use crate::secret::Secret;

/// One row.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    #[serde(rename = "@id")]
    pub(super) id: String,
    #[serde(rename = "@name")]
    pub(super) name: String,
    #[serde(rename = "@product")]
    pub(super) product: String,
    #[serde(rename = "@version")]
    pub(super) version: String,
    #[serde(rename = "@platform")]
    pub(super) platform: String,
    #[serde(rename = "@clientIdentifier")]
    pub(super) device_id: String,
    #[serde(rename = "@provides")]
    pub(super) provides: String,
    #[serde(rename = "@token", deserialize_with = "secret")]
    pub(super) token: Secret,
    #[serde(rename = "@createdAt", deserialize_with = "seconds")]
    pub(super) created_at: Option<OffsetDateTime>,
    #[serde(rename = "@lastSeenAt", deserialize_with = "seconds")]
    pub(super) last_seen_at: Option<OffsetDateTime>,
    #[serde(rename = "Connection")]
    connections: Vec<Connection>,
    #[serde(rename = "SyncList")]
    lists: Vec<SyncList>,
}

/// Where a device can be reached.
#[derive(Debug, Clone, Deserialize)]
struct Connection {}

/// What a device has synchronised.
#[derive(Debug, Clone, Deserialize)]
struct SyncList {
    #[serde(rename = "@totalSize", default)]
    size: Option<String>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            product: String::new(),
            version: String::new(),
            platform: String::new(),
            device_id: String::new(),
            provides: String::new(),
            token: Secret::new(String::new()),
            created_at: None,
            last_seen_at: None,
            connections: Vec::new(),
            lists: Vec::new(),
        }
    }
}

impl Row {
    /// Whether others reach it, or have synchronised to it. A list without a size counts.
    pub(super) fn is_connected(&self) -> bool {
        let is_empty = |list: &SyncList| list.size.as_deref() == Some("0");
        !self.connections.is_empty() || !self.lists.iter().all(is_empty)
    }

    /// A row is judged by what is shown of it.
    fn make_visible(&mut self) {
        let Self { id, name, product, version, platform, device_id, provides, .. } = self;
        for text in [id, name, product, version, platform, device_id, provides] {
            text.retain(|letter| !controls(letter));
        }
    }
}

/// Reads the list.
///
/// # Errors
/// `-32010` for anything but a whole list: half of one would hide a device that has to be kept.
pub(super) fn read(body: &[u8]) -> Result<Vec<Row>, AccountError> {
    #[derive(Deserialize)]
    enum List {
        MediaContainer {
            #[serde(rename = "Device", default)]
            rows: Vec<Row>,
        },
    }
    let text = std::str::from_utf8(body).ok();
    match text.and_then(|text| quick_xml::de::from_str(text).ok()) {
        Some(List::MediaContainer { mut rows }) => {
            rows.iter_mut().for_each(Row::make_visible);
            Ok(rows)
        }
        None => {
            let reason = "the list of devices is not what plex.tv sends";
            let hint = "check what stands between this machine and plex.tv, then try again";
            Err(HttpError::unreachable(UnreachableKind::Protocol, reason, hint).into())
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

/// Unix seconds as a string. No time is none, and neither is 0, which stands for "never".
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let seconds: Option<i64> = String::deserialize(from)?.trim().parse().ok();
    let seconds = seconds.filter(|seconds| *seconds > 0);
    Ok(seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()))
}
