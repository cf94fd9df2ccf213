//! The library: sections with folders, entries to page through, scans that were asked for.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{negotiated, page};
use super::edits::Edits;
use super::scanning::{Scanning, is_below};
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
    listing: Option<Listing>,
    /// It is being scanned.
    pub(super) refreshing: bool,
    /// When it was last scanned, in Unix seconds.
    pub(super) scanned_at: u64,
}

/// Entries of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listing {
    /// The listing as it was given, as long as it is that.
    text: Option<String>,
    container: Value,
    entries: Vec<Value>,
    /// The place of the entry, folder and name of each file, in lower case.
    files: Vec<(usize, String, String)>,
}

impl Listing {
    fn new(mut container: Value, text: Option<String>) -> Self {
        let entries = container["Metadata"].take().as_array().cloned().unwrap_or_default();
        let place = |(place, entry)| files_of(entry).into_iter().map(move |file| (place, file));
        let files = entries.iter().enumerate().flat_map(place).map(|(place, file)| {
            let (folder, name) = split(file);
            (place, folder, name)
        });
        Self { files: files.collect(), text, container, entries }
    }

    fn of(text: &str) -> Self {
        let mut body: Value = serde_json::from_str(text).expect("a listing is JSON");
        Self::new(body["MediaContainer"].take(), Some(text.to_owned()))
    }

    /// The entries whose files the filter `file` takes: for a path all with a file in its folder, for a name all
    /// with a file of such a name, in any letter case (media_preview_generator 77335fd).
    fn filtered(&self, file: &str) -> Vec<&Value> {
        let (folder, name) = split(file);
        let fits = |its_folder: &String, its_name: &String| match folder.is_empty() {
            false => *its_folder == folder,
            true => its_name.contains(&name),
        };
        let fitting = self.files.iter().filter(|(_, folder, name)| fits(folder, name));
        let mut places: Vec<_> = fitting.map(|(place, ..)| *place).collect();
        places.dedup();
        places.into_iter().map(|place| &self.entries[place]).collect()
    }

    /// Changes the entries.
    fn change(self, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        let Self { mut container, mut entries, .. } = self;
        change(&mut entries);
        container["Metadata"] = Value::Array(entries);
        Self::new(container, None)
    }
}

/// Folder and name of a path, in lower case.
fn split(path: &str) -> (String, String) {
    let at = path.rfind(['/', '\\']).map_or(0, |place| place + 1);
    (path[..at].to_lowercase(), path[at..].to_lowercase())
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
            refreshing: false,
            scanned_at: 1_700_000_000,
        }
    }

    fn listing_of(self, listing: &str) -> Self {
        Self { listing: Some(Listing::of(listing)), ..self }
    }

    /// Whether one of its folders holds the file.
    pub(super) fn holds(&self, file: &str) -> bool {
        self.locations.iter().any(|location| is_below(file, location))
    }

    /// Adds an item with this file, and returns its key.
    pub(super) fn add(&mut self, file: &str) -> String {
        let number = self.total();
        let mut entry = self.entry(number);
        let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
        entry["title"] = json!(name.rsplit_once('.').map_or(name, |(title, _)| title));
        entry["Media"][0]["Part"][0]["file"] = json!(file);
        let key = entry["ratingKey"].as_str().unwrap_or_default().to_owned();
        self.change(|entries| entries.push(entry));
        key
    }

    /// Marks the items of a file that is gone.
    pub(super) fn trash(&mut self, file: &str) {
        self.change(|entries| {
            let gone = entries.iter_mut().filter(|entry| files_of(entry).contains(&file));
            gone.for_each(|entry| entry["deletedAt"] = json!(1_700_000_000));
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Value>)) {
        let listing = self.listing.take();
        let listing = listing.unwrap_or_else(|| Listing::new(self.page(0, u64::MAX).0, None));
        self.listing = Some(listing.change(change));
    }

    fn total(&self) -> u64 {
        self.listing.as_ref().map_or(self.items, |listing| listing.entries.len() as u64)
    }

    /// The item with this key.
    fn item(&self, key: &str) -> Option<Value> {
        let entries = &self.listing.as_ref()?.entries;
        entries.iter().find(|entry| entry["ratingKey"] == key).cloned()
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
            "scanner": "Plex Movie", "language": "en-US", "refreshing": self.refreshing, "scannedAt": self.scanned_at,
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
    pub(super) sections: Vec<Section>,
    pub(super) paging: Paging,
    pub(super) scans: Vec<Scan>,
    pub(super) scanning: Scanning,
    pub(super) edits: BTreeMap<String, Edits>,
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
        Self {
            sections,
            paging: Paging::default(),
            scans: Vec::new(),
            scanning: Scanning::default(),
            edits: BTreeMap::new(),
        }
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
        self.section_mut(key).listing = Some(Listing::of(body));
    }

    /// The item with this key.
    pub(super) fn item(&self, key: &str) -> Option<Value> {
        self.sections.iter().find_map(|section| section.item(key))
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
                let keys: Vec<_> = self.sections.iter().map(|it| it.key.clone()).collect();
                keys.into_iter().for_each(|section| self.begin(Scan { section, path: None }));
                plex_response(200)
            }
            [key, rest @ ..] => {
                let Some(place) = self.sections.iter().position(|section| section.key == *key)
                else {
                    return page(404, "Not Found");
                };
                match rest {
                    [] => self.one(request, place),
                    ["all"] if request.method == "PUT" => self.edit_of_query(request),
                    ["all"] => self.listing(request, place),
                    ["refresh"] => self.refresh(request, place),
                    ["emptyTrash"] if request.method == "PUT" => {
                        let is_there = |entry: &Value| entry["deletedAt"].is_null();
                        self.sections[place].change(|entries| entries.retain(is_there));
                        plex_response(200)
                    }
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
                self.begin(Scan { section, path: request.query_value("path") });
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
        match self.listing.as_ref().and_then(|listing| listing.text.as_deref()) {
            Some(text) if request.header("accept") == Some("application/json") => made.body(text),
            _ => made,
        }
    }

    /// One page of the listing, and how many entries there are on all pages.
    fn page(&self, start: u64, size: u64) -> (Value, u64) {
        let (mut container, entries) = match &self.listing {
            Some(listing) => (listing.container.clone(), cut(listing.entries.iter(), start, size)),
            None => {
                let numbers = start.min(self.items)..start.saturating_add(size).min(self.items);
                (self.container(), numbers.map(|number| self.entry(number)).collect())
            }
        };
        fill(&mut container, entries);
        (container, self.total())
    }

    /// One page of what the filter `file` brings.
    fn filtered(&self, file: &str, start: u64, size: u64) -> (Value, u64) {
        let made;
        let listing = match &self.listing {
            Some(listing) => listing,
            None => {
                made = Listing::new(self.page(0, u64::MAX).0, None);
                &made
            }
        };
        let entries = listing.filtered(file);
        let (mut container, total) = (listing.container.clone(), entries.len() as u64);
        fill(&mut container, cut(entries.into_iter(), start, size));
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

fn cut<'a>(entries: impl Iterator<Item = &'a Value>, start: u64, size: u64) -> Vec<Value> {
    let [start, size] = [start, size].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    entries.skip(start).take(size).cloned().collect()
}

/// What a server says that insists on pages (text of plex_nfo_exporter issue 14).
fn missing_size() -> Response {
    let text = "Missing X-Plex-Container-Size header.";
    let body = format!(
        "<html><head><title>Bad Request</title></head><body><h1>400 Bad Request</h1><p>{text}</p></body></html>"
    );
    plex_response(400).header("Content-Type", "text/html").body(body)
}
