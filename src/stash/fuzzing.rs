//! Entry points for fuzzers: where a Stash is, and what a user has set there.

use plexsync_protocol::stash::ServerConnection;
use serde_json::{Map, Value};
use url::Url;

use super::Settings;
use super::address::Address;
use crate::remote_path::RemotePath;
use crate::secret::Secrets;

/// Where the session's cookie would be sent.
pub fn graphql(connection: &ServerConnection) -> Option<Url> {
    Address::of(connection).graphql()
}

/// Reads settings, and translates a path by them: the path in Plex, and the text of the error.
pub fn settings(saved: &Map<String, Value>, path: &str) -> Result<Option<String>, String> {
    let settings = Settings::read(saved, &Secrets::default()).map_err(|error| error.to_string())?;
    let path = RemotePath::parse(path);
    let locations = settings.path_map.locations(path.as_slice());
    let translated = path.and_then(|path| settings.path_map.translate(&path));
    Ok(translated.or(locations.into_iter().next()).map(|path| path.to_string()))
}
