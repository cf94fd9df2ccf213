//! Asking Plex to look at one folder: which section holds it, and the two requests that it takes.

use std::collections::BTreeMap;

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::RequestParams;
use serde_json::Value;

use crate::http::error::HttpError;
use crate::json_text::JsonText;
use crate::plex::error::PlexError;
use crate::plex::folder::depth;
use crate::plex::request::query::quote;

/// A library section: its key and the folders that it covers.
#[derive(Debug)]
struct Section {
    key: String,
    locations: Vec<String>,
}

impl Section {
    /// None when it makes no sense; so are its locations left out that make none.
    fn read(directory: &Value) -> Option<Self> {
        // Keys are strings in Plex's JSON today; some endpoints have written numbers.
        let key = match directory.get("key")? {
            Value::String(key) if !key.is_empty() => key.clone(),
            Value::Number(key) => key.to_string(),
            _ => return None,
        };
        let locations = directory.get("Location")?.as_array()?.iter();
        let paths = locations.filter_map(|location| location.get("path")?.as_str());
        let locations = paths.filter(|path| !path.is_empty()).map(str::to_owned).collect();
        Some(Self { key, locations })
    }
}

/// The request that lists the sections with their folders.
pub(crate) fn list() -> RequestParams {
    get("/library/sections".to_owned(), BTreeMap::new())
}

/// The request that makes Plex look at `folder` in a section. All clients send a GET, though a POST is documented.
pub(crate) fn refresh(section: &str, folder: &str) -> RequestParams {
    let query = BTreeMap::from([("path".to_owned(), Value::from(folder))]);
    get(format!("/library/sections/{}/refresh", quote(section)), query)
}

/// A folder that a library section covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionFolder {
    /// Key of the section.
    pub section: String,
    /// The folder, as Plex sees it.
    pub folder: String,
}

/// Every folder of every section.
pub(crate) fn all_locations(listing: &JsonText) -> Result<Vec<SectionFolder>, PlexError> {
    let of = |Section { key, locations }: Section| {
        locations.into_iter().map(move |folder| SectionFolder { section: key.clone(), folder })
    };
    Ok(read(listing)?.into_iter().flat_map(of).collect())
}

fn read(listing: &JsonText) -> Result<Vec<Section>, PlexError> {
    let text: Vec<u8> = listing.pieces().flatten().copied().collect();
    let listing: Value = serde_json::from_slice(&text).unwrap_or_default();
    let Some(container) = listing.get("MediaContainer").filter(|inner| inner.is_object()) else {
        return Err(PlexError::from(HttpError::unreachable(
            UnreachableKind::Protocol,
            "the list of library sections is not what Plex sends",
            "check that the configured URL is Plex's",
        )));
    };
    let sections = container.get("Directory").and_then(Value::as_array);
    Ok(sections.into_iter().flatten().filter_map(Section::read).collect())
}

/// The key of the section with the longest location that holds the folder.
pub(crate) fn choose(listing: &JsonText, folder: &str) -> Result<String, PlexError> {
    let sections = read(listing)?;
    let depth_of = |section: &Section| {
        section.locations.iter().filter_map(|location| depth(location, folder)).max()
    };
    // Of several sections with the same location, the first: Plex lists them by age.
    let best = sections
        .iter()
        .rev()
        .filter_map(|section| Some((depth_of(section)?, section)))
        .max_by_key(|(depth, _)| *depth);
    match best {
        Some((_, section)) => Ok(section.key.clone()),
        None => {
            let locations = sections.into_iter().flat_map(|section| section.locations).collect();
            Err(PlexError::NoSection { folder: folder.to_owned(), locations })
        }
    }
}

fn get(path: String, query: BTreeMap<String, Value>) -> RequestParams {
    RequestParams { query, ..RequestParams::get(path) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sections() -> JsonText {
        JsonText::of(&json!({"MediaContainer": {"size": 3, "Directory": [
            {"key": "1", "Location": [{"id": 1, "path": "/data"}]},
            {"key": 2, "Location": [{"path": "/other"}, {"path": "/data/scenes"}]},
            {"key": "3", "Location": [{"path": "/data/scenes"}]},
            {"key": "4"},
        ]}}))
    }

    #[test]
    fn the_longest_location_wins() {
        for (folder, key) in [
            ("/data", "1"),
            ("/data/films/x", "1"),
            ("/data/scenes", "2"),
            ("/data/scenes/x", "2"),
            ("/data/scenesx", "1"),
            ("/other/y", "2"),
        ] {
            assert_eq!(choose(&sections(), folder).unwrap(), key, "{folder}");
        }
        match choose(&sections(), "/elsewhere") {
            Err(PlexError::NoSection { folder, locations }) => {
                assert_eq!(folder, "/elsewhere");
                assert_eq!(locations, ["/data", "/other", "/data/scenes", "/data/scenes"]);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn odd_listings() {
        let empty = JsonText::of(&json!({"MediaContainer": {"size": 0}}));
        assert!(matches!(choose(&empty, "/x"), Err(PlexError::NoSection { .. })));
        let odd = JsonText::of(&json!({"MediaContainer": {"Directory": [
            {"Location": [{"path": "/x"}]},
            {"key": null, "Location": [{"path": "/x"}]},
            {"key": "2", "Location": null},
            null,
            {"key": "3", "Location": [{"path": null}, {}, {"path": ""}, {"path": "/x"}]},
        ]}}));
        assert_eq!(choose(&odd, "/x/y").unwrap(), "3", "what makes no sense is passed over");
        assert!(matches!(choose(&odd, "/y"), Err(PlexError::NoSection { .. })));
        let foreign = JsonText::of(&json!("<html>"));
        assert!(matches!(choose(&foreign, "/x"), Err(PlexError::Http(_))));
    }

    #[test]
    fn a_key_stays_one_segment() {
        assert_eq!(refresh("1/../2?x", "/a").path, "/library/sections/1%2F..%2F2%3Fx/refresh");
    }
}
