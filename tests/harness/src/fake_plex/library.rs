//! The library: sections with folders, entries to page through, scans that were asked for.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{negotiated, page};
use super::{plex_response, plex_value};
use crate::http::{Request, Response};

pub(super) const MOVIES: &str = include_str!("../../fixtures/plex/movies.json");
const SHOWS: &str = include_str!("../../fixtures/plex/shows.json");
const TRACKS: &str = include_str!("../../fixtures/plex/tracks.json");

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its key in URLs.
    pub key: String,
    /// Its name.
    pub title: String,
    /// `movie`, `show`, `artist` ...
    pub kind: String,
    /// The folders that Plex looks into.
    pub locations: Vec<String>,
    /// How many entries are made up for it.
    items: u64,
    /// The listing that stands for made-up entries.
    listing: Option<String>,
}

impl Section {
    /// A section with these folders and three entries.
    pub fn new(key: &str, title: &str, kind: &str, locations: &[&str]) -> Self {
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            kind: kind.to_owned(),
            locations: locations.iter().map(|&path| path.to_owned()).collect(),
            items: 3,
            listing: None,
        }
    }

    fn listing_of(self, listing: &str) -> Self {
        Self { listing: Some(listing.to_owned()), ..self }
    }

    fn entry(&self, number: u64) -> Value {
        json!({
            "ratingKey": format!("{}{number:06}", self.key),
            "key": format!("/library/metadata/{}{number:06}", self.key),
            "type": self.kind,
            "title": format!("{} & <friends> {number}", self.title),
            "addedAt": 1_600_000_000 + number,
            "Media": [{"id": number, "duration": 5400, "Part": [{"file": format!("{}/{number}.mkv", self.locations[0])}]}],
        })
    }

    fn directory(&self, number: usize) -> Value {
        let locations = self.locations.iter().enumerate();
        let locations: Vec<_> = locations
            .map(|(place, path)| json!({"id": number * 10 + place, "path": path}))
            .collect();
        json!({
            "key": self.key, "type": self.kind, "title": self.title, "agent": "tv.plex.agents.movie",
            "scanner": "Plex Movie", "language": "en-US", "refreshing": false,
            "uuid": format!("c2f8f1a0-0000-4000-8000-{number:012}"), "Location": locations,
        })
    }
}

/// How listings are paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paging {
    /// A page where one is asked for, everything otherwise.
    #[default]
    Usual,
    /// Without `X-Plex-Container-Size` 400, as newer servers threaten to.
    Strict,
    /// Everything, whatever is asked for, and no `totalSize`.
    Ignored,
    /// Never more than this many entries at once.
    AtMost(u64),
    /// Pages without `totalSize`, until an empty one.
    WithoutTotal,
}

/// One scan that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Scan {
    /// The section's key.
    pub section: String,
    /// The folder; `None` for the whole section.
    pub path: Option<String>,
}

/// Sections, and what happened to them.
#[derive(Debug)]
pub(super) struct Library {
    sections: Vec<Section>,
    pub(super) paging: Paging,
    pub(super) scans: Vec<Scan>,
}

impl Default for Library {
    /// Sections whose folders are easily confused: one within another, one whose name begins like another's.
    fn default() -> Self {
        let sections = vec![
            Section::new("1", "Movies", "movie", &["/media/movies", "/mnt/disk2/movies"])
                .listing_of(MOVIES),
            Section::new("2", "TV Shows", "show", &["/media/tv"]).listing_of(SHOWS),
            Section::new("3", "Everything", "movie", &["/media"]),
            Section::new("4", "Movies in 4K", "movie", &["/media/movies 4k"]),
            Section::new("5", "Music", "artist", &["/media/music"]).listing_of(TRACKS),
            Section::new("6", "Windows", "movie", &["D:\\Videos"]),
        ];
        Self { sections, paging: Paging::default(), scans: Vec::new() }
    }
}

impl Library {
    pub(super) fn set_sections(&mut self, sections: Vec<Section>) {
        self.sections = sections;
    }

    pub(super) fn set_items(&mut self, key: &str, count: u64) {
        let section = self.section_mut(key);
        (section.items, section.listing) = (count, None);
    }

    pub(super) fn set_listing(&mut self, key: &str, body: &str) {
        self.section_mut(key).listing = Some(body.to_owned());
    }

    /// Adds an entry with this file to the section with the longest location that holds it.
    pub(super) fn add_item(&mut self, path: &str) -> Option<String> {
        let length = |section: &Section| {
            let inside = |location: &&String| {
                path.strip_prefix(location.as_str())
                    .is_some_and(|rest| rest.starts_with(['/', '\\']))
            };
            section.locations.iter().filter(inside).map(String::len).max().unwrap_or(0)
        };
        let section = self.sections.iter_mut().max_by_key(|section| length(section))?;
        if length(section) == 0 {
            return None;
        }
        let (container, total) = section.page(0, u64::MAX);
        let mut body = json!({"MediaContainer": container});
        let entries = &mut body["MediaContainer"]["Metadata"];
        if entries.is_null() {
            *entries = json!([]);
        }
        let mut entry = section.entry(total + 1);
        entry["Media"][0]["Part"][0]["file"] = json!(path);
        entries.as_array_mut()?.push(entry);
        section.listing = Some(body.to_string());
        Some(section.key.clone())
    }

    fn section_mut(&mut self, key: &str) -> &mut Section {
        let section = self.sections.iter_mut().find(|section| section.key == key);
        section.unwrap_or_else(|| panic!("the fake has no section `{key}`"))
    }

    /// Answers what stands behind `/library/sections`.
    pub(super) fn answer(&mut self, request: &Request, parts: &[&str]) -> Response {
        match parts {
            [] | ["all"] => self.list(request),
            ["all", "refresh"] if request.method == "GET" => {
                let all = self.sections.iter().map(|section| section.key.clone());
                self.scans.extend(all.map(|section| Scan { section, path: None }));
                plex_response(200)
            }
            [key, rest @ ..] => {
                let Some(place) = self.sections.iter().position(|section| section.key == *key)
                else {
                    return page(404, "Not Found");
                };
                match rest {
                    [] => self.one(request, place),
                    ["all"] => self.listing(request, place),
                    ["refresh"] => self.refresh(request, place),
                    _ => page(404, "Not Found"),
                }
            }
        }
    }

    fn list(&self, request: &Request) -> Response {
        let sections = self.sections.iter().enumerate();
        let sections: Vec<_> = sections.map(|(place, it)| it.directory(place + 1)).collect();
        let container = json!({"size": sections.len(), "allowSync": false, "title1": "Plex Library", "Directory": sections});
        negotiated(request, 200, &json!({"MediaContainer": container}))
    }

    fn one(&self, request: &Request, place: usize) -> Response {
        let container = json!({"size": 1, "content": "secondary", "title1": self.sections[place].title,
            "Directory": [self.sections[place].directory(place + 1)]});
        negotiated(request, 200, &json!({"MediaContainer": container}))
    }

    fn refresh(&mut self, request: &Request, place: usize) -> Response {
        let section = self.sections[place].key.clone();
        match request.method.as_str() {
            "GET" | "POST" => {
                self.scans.push(Scan { section, path: request.query_value("path") });
                plex_response(200)
            }
            "DELETE" => plex_response(200),
            _ => page(405, "Method Not Allowed"),
        }
    }

    fn listing(&self, request: &Request, place: usize) -> Response {
        let number = |name: &str| plex_value(request, name).and_then(|text| text.parse().ok());
        let (start, size) = (number("X-Plex-Container-Start"), number("X-Plex-Container-Size"));
        let (start, size) = match self.paging {
            Paging::Strict if size.is_none() => return missing_size(),
            Paging::Ignored => (None, None),
            Paging::AtMost(most) => (start.or(Some(0)), Some(size.unwrap_or(most).min(most))),
            _ => (start, size),
        };
        let section = &self.sections[place];
        let file = request.query_value("file");
        if file.is_some() && section.kind == "show" && request.query_value("type").is_none() {
            return page(500, "Internal Server Error");
        }
        if start.is_none() && size.is_none() && file.is_none() {
            return section.whole(request);
        }
        let start = start.unwrap_or(0);
        let (mut container, total) = match &file {
            Some(file) => section.filtered(file, start, size.unwrap_or(u64::MAX)),
            None => section.page(start, size.unwrap_or(u64::MAX)),
        };
        container["offset"] = json!(start);
        if self.paging == Paging::WithoutTotal {
            return negotiated(request, 200, &json!({"MediaContainer": container}));
        }
        container["totalSize"] = json!(total);
        negotiated(request, 200, &json!({"MediaContainer": container}))
            .header("X-Plex-Container-Start", start.to_string())
            .header("X-Plex-Container-Total-Size", total.to_string())
    }
}

impl Section {
    /// The whole listing; a fixture's byte for byte, where there is one.
    fn whole(&self, request: &Request) -> Response {
        let (container, _) = self.page(0, u64::MAX);
        let made = negotiated(request, 200, &json!({"MediaContainer": container}));
        match &self.listing {
            Some(text) if request.header("accept") == Some("application/json") => {
                made.body(text.as_str())
            }
            _ => made,
        }
    }

    /// One page of the listing, and how many entries there are on all pages.
    fn page(&self, start: u64, size: u64) -> (Value, u64) {
        let (mut container, entries, total) = match &self.listing {
            Some(text) => {
                let mut body: Value = serde_json::from_str(text).expect("a listing is JSON");
                let entries = body["MediaContainer"]["Metadata"].take();
                let entries = entries.as_array().cloned().unwrap_or_default();
                let total = entries.len() as u64;
                (body["MediaContainer"].take(), cut(entries, start, size), total)
            }
            None => {
                let numbers = start.min(self.items)..start.saturating_add(size).min(self.items);
                (self.container(), numbers.map(|number| self.entry(number)).collect(), self.items)
            }
        };
        fill(&mut container, entries);
        (container, total)
    }

    /// One page of what the filter `file` brings: for a path all entries with a file in its folder, for a name all
    /// with a file of such a name, in any letter case (media_preview_generator 77335fd).
    fn filtered(&self, file: &str, start: u64, size: u64) -> (Value, u64) {
        let split = |path: &str| {
            let at = path.rfind(['/', '\\']).map_or(0, |place| place + 1);
            (path[..at].to_lowercase(), path[at..].to_lowercase())
        };
        let (folder, name) = split(file);
        let fits = |path: &str| match split(path) {
            (its_folder, _) if !folder.is_empty() => its_folder == folder,
            (_, its_name) => its_name.contains(&name),
        };
        let (mut container, _) = self.page(0, u64::MAX);
        let entries = container["Metadata"].take();
        let entries = entries.as_array().cloned().unwrap_or_default().into_iter();
        let entries: Vec<_> =
            entries.filter(|entry| files_of(entry).iter().any(|it| fits(it))).collect();
        let total = entries.len() as u64;
        fill(&mut container, cut(entries, start, size));
        (container, total)
    }

    fn container(&self) -> Value {
        json!({"allowSync": true, "librarySectionID": self.key.parse::<u64>().ok(),
            "librarySectionTitle": self.title, "title1": self.title, "viewGroup": self.kind})
    }
}

fn fill(container: &mut Value, entries: Vec<Value>) {
    container["size"] = json!(entries.len());
    match entries.is_empty() {
        true => drop(container.as_object_mut().and_then(|members| members.remove("Metadata"))),
        false => container["Metadata"] = Value::Array(entries),
    }
}

fn files_of(entry: &Value) -> Vec<&str> {
    let media = entry["Media"].as_array().into_iter().flatten();
    let parts = media.filter_map(|media| media["Part"].as_array()).flatten();
    parts.filter_map(|part| part["file"].as_str()).collect()
}

fn cut(entries: Vec<Value>, start: u64, size: u64) -> Vec<Value> {
    let [start, size] = [start, size].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    entries.into_iter().skip(start).take(size).collect()
}

/// What a server says that insists on pages (text of plex_nfo_exporter issue 14).
fn missing_size() -> Response {
    let text = "Missing X-Plex-Container-Size header.";
    let body = format!(
        "<html><head><title>Bad Request</title></head><body><h1>400 Bad Request</h1><p>{text}</p></body></html>"
    );
    plex_response(400).header("Content-Type", "text/html").body(body)
}
