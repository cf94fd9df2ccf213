//! Plex's listings: entries in a container. Each is read by itself: one that makes no sense must not cost the others.

use std::collections::BTreeMap;

use plexsync_protocol::error::UnreachableKind;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::http::error::HttpError;
use crate::json_text::JsonText;
use crate::plex::error::PlexError;

#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "MediaContainer")]
    container: BTreeMap<String, Box<RawValue>>,
}

/// The entries that stand under `name` (`Directory`, `Metadata`) in a listing of `what`; none if nothing does.
///
/// # Errors
/// `-32010` for what is no listing.
pub(super) fn entries(
    listing: &JsonText,
    name: &str,
    what: &str,
) -> Result<Vec<Box<RawValue>>, PlexError> {
    Ok(page(listing, name, what)?.0)
}

/// The same, and how many entries all pages have, if the listing tells.
///
/// # Errors
/// As [`entries`].
pub(super) fn page(
    listing: &JsonText,
    name: &str,
    what: &str,
) -> Result<(Vec<Box<RawValue>>, Option<usize>), PlexError> {
    let text: Vec<u8> = listing.pieces().flatten().copied().collect();
    let read = || {
        let mut listing: Listing = serde_json::from_slice(&text).ok()?;
        let total = listing.container.remove("totalSize");
        let total = total.and_then(|total| total.get().trim_matches('"').parse().ok());
        let Some(entries) = listing.container.remove(name) else { return Some((None, total)) };
        Some((serde_json::from_str::<Option<Vec<Box<RawValue>>>>(entries.get()).ok()?, total))
    };
    let Some((entries, total)) = read() else {
        let reason = format!("the list of {what} is not what Plex sends");
        let hint = "check that the configured URL is Plex's";
        return Err(HttpError::unreachable(UnreachableKind::Protocol, reason, hint).into());
    };
    Ok((entries.unwrap_or_default(), total))
}

/// A key: strings in Plex's JSON today; some endpoints have written numbers.
pub(super) fn key(value: Value) -> Option<String> {
    match value {
        Value::String(key) if !key.is_empty() => Some(key),
        Value::Number(key) => Some(key.to_string()),
        _ => None,
    }
}
