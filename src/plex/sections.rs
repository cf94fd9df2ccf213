//! Plex's library sections, and which of them hold a folder.

use std::collections::BTreeMap;

use crate::json_text::JsonText;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::plex::error::{NoSection, PlexError};
use crate::plex::listing;
use crate::remote_path::RemotePath;

/// A library section: its key, its type (`movie`, `show`, ...) and the folders that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its key in URLs.
    pub key: String,
    /// What it holds: `movie`, `show`, ...
    pub kind: String,
    /// Its folders, as Plex sees them.
    pub locations: Vec<RemotePath>,
}

/// What one section is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) section: String,
    /// In the spelling of the section's location.
    pub(crate) folder: String,
}

#[derive(Deserialize)]
struct Directory {
    key: Value,
    #[serde(rename = "type", default)]
    kind: Value,
    #[serde(rename = "Location")]
    locations: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Location {
    path: String,
}

/// Most sections that are read: no Plex has so many, and each is compared with each folder.
const MOST: usize = 10_000;

/// Reads Plex's list. Sections without a key and locations that are no absolute path are left out.
pub(crate) fn read(listing: &JsonText) -> Result<Vec<Section>, PlexError> {
    let sections = listing::entries(listing, "Directory", "library sections")?;
    Ok(sections.iter().filter_map(|raw| section(raw)).take(MOST).collect())
}

fn section(raw: &RawValue) -> Option<Section> {
    let Directory { key, kind, locations } = serde_json::from_str(raw.get()).ok()?;
    let key = listing::key(key)?;
    let path = |raw: &RawValue| {
        let Location { path } = serde_json::from_str(raw.get()).ok()?;
        RemotePath::parse(&path)
    };
    let kind = kind.as_str().unwrap_or_default().to_owned();
    Some(Section { key, kind, locations: locations.iter().filter_map(|raw| path(raw)).collect() })
}

/// Which sections to ask for the first of `folders` that any of them holds: the one with the longest location first,
/// the others in Plex's order. With `only`, that section and no other.
pub(crate) fn choose(
    sections: &[Section],
    folders: &[RemotePath],
    only: Option<&str>,
) -> Result<Vec<Target>, PlexError> {
    let searched: Vec<_> =
        sections.iter().filter(|section| only.is_none_or(|key| section.key == key)).collect();
    let found = folders.iter().map(|folder| targets(&searched, folder));
    let found = found.into_iter().find(|targets| !targets.is_empty());
    found.ok_or_else(|| no_section(sections, &searched, folders, only).into())
}

fn targets(sections: &[&Section], folder: &RemotePath) -> Vec<Target> {
    let locations = sections.iter().enumerate().flat_map(|(place, section)| {
        section.locations.iter().map(move |location| (place, location))
    });
    let mut longest: BTreeMap<usize, (&RemotePath, Vec<String>)> = BTreeMap::new();
    for (place, location, rest) in folder.held_by(locations) {
        let known = longest.get(&place).map(|(location, _)| location.depth());
        if known.is_none_or(|depth| depth < location.depth()) {
            longest.insert(place, (location, rest));
        }
    }
    let depth = longest.values().map(|(location, _)| location.depth()).max();
    let nearest = longest.values().position(|(location, _)| Some(location.depth()) == depth);
    let target = |(place, (location, rest)): (usize, (&RemotePath, Vec<String>))| Target {
        section: sections[place].key.clone(),
        folder: location.join(&rest),
    };
    let mut targets: Vec<_> = longest.into_iter().map(target).collect();
    if let Some(nearest) = nearest {
        targets[..=nearest].rotate_right(1);
    }
    targets
}

fn no_section(
    sections: &[Section],
    searched: &[&Section],
    folders: &[RemotePath],
    only: Option<&str>,
) -> NoSection {
    let is_unknown = only.is_some() && searched.is_empty();
    let all: Vec<_> = sections.iter().collect();
    let listed = if is_unknown { &all } else { searched };
    let locations = || listed.iter().flat_map(|section| &section.locations);
    let differs =
        |location: &&RemotePath| folders.iter().any(|folder| folder.differs_in_case_from(location));
    NoSection {
        folder: folders.first().map(ToString::to_string).unwrap_or_default(),
        section: only.map(str::to_owned),
        keys: match is_unknown {
            true => all.iter().map(|section| section.key.clone()).collect(),
            false => Vec::new(),
        },
        differs_in_case: locations().find(differs).map(|location| location.written().to_owned()),
        locations: locations().map(|location| location.written().to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sections(directories: &Value) -> Vec<Section> {
        read(&JsonText::of(&json!({"MediaContainer": {"Directory": directories}}))).unwrap()
    }

    fn chosen(sections: &[Section], folder: &str, only: Option<&str>) -> Vec<(String, String)> {
        let folder = RemotePath::parse(folder).unwrap();
        let targets = choose(sections, &[folder], only).unwrap();
        targets.into_iter().map(|target| (target.section, target.folder)).collect()
    }

    fn refused(sections: &[Section], folder: &str, only: Option<&str>) -> NoSection {
        let folder = RemotePath::parse(folder).unwrap();
        match choose(sections, &[folder], only) {
            Err(PlexError::NoSection(error)) => *error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_section_is_asked_once_and_the_longest_location_comes_first() {
        let sections = sections(&json!([
            {"key": "1", "Location": [{"id": 1, "path": "/data"}]},
            {"key": 2, "Location": [{"path": "/data"}, {"path": "/data/scenes/"}, {"path": "/other"}]},
            {"key": "3", "Location": [{"path": "/data/scenes"}]},
        ]));
        for (folder, expected) in [
            ("/data", &[("1", "/data"), ("2", "/data")][..]),
            ("/data/x", &[("1", "/data/x"), ("2", "/data/x")]),
            (
                "/data/scenes",
                &[("2", "/data/scenes/"), ("1", "/data/scenes"), ("3", "/data/scenes")],
            ),
            ("/other/y", &[("2", "/other/y")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(key, folder)| ((*key).into(), (*folder).into())).collect();
            assert_eq!(chosen(&sections, folder, None), expected, "{folder}");
        }
        assert_eq!(
            chosen(&sections, "/data/scenes", Some("3")),
            [("3".into(), "/data/scenes".into())]
        );
        assert_eq!(refused(&sections, "/x", None).locations.len(), 5);
        assert_eq!(refused(&sections, "/other/y", Some("3")).locations, ["/data/scenes"]);
        assert_eq!(refused(&sections, "/data", Some("TV")).keys, ["1", "2", "3"]);
        assert_eq!(refused(&sections, "/data", Some("TV")).differs_in_case, None);
        let differs = refused(&sections, "/DATA/Scenes/x", None).differs_in_case;
        assert_eq!(differs.as_deref(), Some("/data"));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let sections = sections(&json!([
            null, 5, "text", {}, {"key": "a"}, {"key": null, "Location": [{"path": "/data"}]},
            {"key": "", "Location": [{"path": "/data"}]}, {"Location": [{"path": "/data"}]},
            {"key": "b", "Location": null}, {"key": "c", "Location": {"path": "/data"}},
            {"key": "d", "Location": [null, {}, {"path": null}, {"path": ""}, {"path": "data"}, {"path": "/d"}]},
        ]));
        let location = RemotePath::parse("/d").unwrap();
        assert_eq!(
            sections,
            [Section { key: "d".to_owned(), kind: String::new(), locations: vec![location] }]
        );
        let number = r#"{"MediaContainer":{"Directory":[{"key":1e400},{"key":"9","x":1e400,"Location":[{"path":"/a"}]}]}}"#;
        assert_eq!(read(&JsonText::from(number.as_bytes().to_vec())).unwrap()[0].key, "9");
    }

    #[test]
    fn a_list_may_be_empty_but_not_of_another_kind() {
        for empty in [json!({}), json!({"Directory": null}), json!({"size": 0, "Directory": []})] {
            assert!(read(&JsonText::of(&json!({"MediaContainer": empty}))).unwrap().is_empty());
        }
        for foreign in [json!("<html>"), json!(null), json!({"MediaContainer": 1}), json!([])] {
            assert!(matches!(read(&JsonText::of(&foreign)), Err(PlexError::Http(_))), "{foreign}");
        }
    }
}
