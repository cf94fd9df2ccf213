//! What clients change about an item: fields and their locks, tags, posters, rating, whether it was watched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::page;
use super::library::Library;
use super::media_server::{JPEG, container};
use super::plex_response;
use crate::http::{Request, Response};

/// What was changed about one item.
#[derive(Debug, Clone, Default)]
pub(super) struct Edits {
    /// Fields and tags, by the names that they have in queries.
    fields: BTreeMap<String, Field>,
    locked: BTreeSet<String>,
    /// Bytes, or an address; the last one is selected.
    posters: Vec<Vec<u8>>,
    rating: Option<f64>,
    views: u64,
    analyses: u64,
}

#[derive(Debug, Clone)]
enum Field {
    Text(String),
    Tags(Vec<String>),
}

impl Edits {
    /// `NAME.value`, `NAME.locked`, `NAME[0].tag.tag` (the whole list), `NAME[].tag.tag-` (comes off it). What is not
    /// understood is ignored.
    fn edit(&mut self, query: Vec<(String, String)>) {
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in query {
            if let Some(name) = name.strip_suffix(".value") {
                self.fields.insert(name.to_owned(), Field::Text(value));
            } else if let Some(name) = name.strip_suffix(".locked") {
                match value.as_str() {
                    "1" => drop(self.locked.insert(name.to_owned())),
                    _ => drop(self.locked.remove(name)),
                }
            } else if let Some(name) = name.strip_suffix("[].tag.tag-") {
                if let Some(Field::Tags(tags)) = self.fields.get_mut(name) {
                    tags.retain(|tag| *tag != value && !value.split(',').any(|gone| gone == tag));
                }
            } else if let Some((name, _)) =
                name.strip_suffix("].tag.tag").and_then(|name| name.split_once('['))
            {
                lists.entry(name.to_owned()).or_default().push(value);
            }
        }
        let lists = lists.into_iter().map(|(name, tags)| (name, Field::Tags(tags)));
        self.fields.extend(lists);
    }

    /// The agent writes what is not locked anew.
    fn refresh(&mut self) {
        let Self { fields, locked, .. } = self;
        fields.retain(|name, _| locked.contains(name));
    }

    fn show(&self, item: &mut Value) {
        for (name, field) in &self.fields {
            match field {
                Field::Text(text) => item[name] = json!(text),
                Field::Tags(tags) => {
                    let tags = tags.iter().map(|tag| json!({"tag": tag}));
                    item[tag_member(name)] = tags.collect();
                }
            }
        }
        if !self.locked.is_empty() {
            let locked = self.locked.iter().map(|name| json!({"locked": true, "name": name}));
            item["Field"] = locked.collect();
        }
        if !self.posters.is_empty() {
            let (key, number) =
                (item["ratingKey"].as_str().unwrap_or_default(), self.posters.len());
            item["thumb"] = json!(format!("/library/metadata/{key}/thumb/{number}"));
        }
        if let Some(rating) = self.rating {
            item["userRating"] = json!(rating);
        }
        if self.views > 0 {
            item["viewCount"] = json!(self.views);
        }
    }
}

/// Where an item has its tags.
fn tag_member(name: &str) -> String {
    match name {
        "actor" => "Role".to_owned(),
        _ => name[..1].to_uppercase() + &name[1..],
    }
}

impl Library {
    /// An item with all that was changed about it. One that no section has is made up.
    pub(super) fn metadata(&self, key: &str) -> Value {
        let made = || json!({"ratingKey": key, "key": format!("/library/metadata/{key}"), "type": "movie", "title": format!("Film {key}")});
        let mut item = self.item(key).unwrap_or_else(made);
        if let Some(edits) = self.edits.get(key) {
            edits.show(&mut item);
        }
        item
    }

    fn edits_of(&mut self, key: &str) -> &mut Edits {
        self.edits.entry(key.to_owned()).or_default()
    }

    /// `PUT /library/sections/KEY/all?type=1&id=...`: the same as a PUT of the item.
    pub(super) fn edit_of_query(&mut self, request: &Request) -> Response {
        match (request.query_value("id"), request.query_value("type")) {
            (Some(key), Some(_)) => {
                self.edits_of(&key).edit(request.query());
                plex_response(200)
            }
            _ => page(400, "Bad Request"),
        }
    }

    /// `/library/metadata/KEY` and what stands behind it.
    pub(super) fn of_item(&mut self, request: &Request, key: &str, rest: &[&str]) -> Response {
        match (rest, request.method.as_str()) {
            ([], "GET" | "HEAD") => {
                return container(request, json!({"size": 1, "Metadata": [self.metadata(key)]}));
            }
            ([], "PUT") => self.edits_of(key).edit(request.query()),
            (["refresh"], "PUT") => self.edits_of(key).refresh(),
            (["analyze"], "PUT") => self.edits_of(key).analyses += 1,
            (["refresh" | "analyze"], _) => return page(405, "Method Not Allowed"),
            (["posters"], "POST") => {
                let url = request.query_value("url").map(String::into_bytes);
                let poster = url.unwrap_or_else(|| request.body.clone());
                self.edits_of(key).posters.push(poster);
            }
            (["thumb" | "art", ..], _) => {
                let poster = self.edits.get(key).and_then(|edits| edits.posters.last().cloned());
                let image = poster.unwrap_or_else(|| JPEG.to_vec());
                return plex_response(200).header("Content-Type", "image/jpeg").body(image);
            }
            ([], "DELETE") => {}
            _ => return page(404, "Not Found"),
        }
        plex_response(200)
    }

    /// `/:/scrobble`, `/:/unscrobble`, `/:/rate`.
    pub(super) fn mark(&mut self, request: &Request, what: &str) -> Response {
        let Some(key) = request.query_value("key") else { return plex_response(200) };
        let rating = request.query_value("rating").and_then(|text| text.parse().ok());
        let edits = self.edits_of(&key);
        match what {
            "scrobble" => edits.views += 1,
            "unscrobble" => edits.views = 0,
            _ => edits.rating = rating.filter(|rating| *rating >= 0.0),
        }
        plex_response(200)
    }

    /// How often an item was analyzed.
    pub(super) fn analyses(&self, key: &str) -> u64 {
        self.edits.get(key).map_or(0, |edits| edits.analyses)
    }
}
