//! Finding the items that have a file.
//!
//! Plex's filter `file` is no exact match: a path brings all episodes of its folder, a name all files of that name. So
//! an answer proves nothing: an item counts if one of its parts has the file.

use std::collections::{BTreeMap, HashSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plexsync_protocol::plex::{PAGE_SIZE, RequestParams};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Scanner;
use crate::json_text::JsonText;
use crate::plex::error::PlexError;
use crate::plex::listing;
use crate::plex::request::query::quote;
use crate::plex::response::work::{Stop, Stopped};
use crate::plex::sections::{self, Section, Target};
use crate::remote_path::{Fit, RemotePath};

/// Longest path in a query, in bytes as they are sent: some servers and proxies take no line over 8 KiB.
const LONGEST_QUERY: usize = 4096;

/// An item that has the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub rating_key: String,
    pub kind: String,
    pub title: String,
    /// Key of its section.
    pub section: String,
    /// The file, as Plex spells it.
    pub file: String,
}

/// What Plex's filter is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// The whole path, and of what it brings one page: it may be all of a folder.
    Path,
    /// All pages of that.
    Folder,
    /// Its last part: Plex may spell the folder in another way.
    Name,
}

impl Filter {
    /// The one to begin with.
    pub(super) fn first(target: &Target) -> Self {
        match encoded_length(&target.folder) <= LONGEST_QUERY {
            true => Self::Path,
            false => Self::Name,
        }
    }
}

/// What one answer brought.
pub(super) struct Found {
    pub(super) items: Vec<Item>,
    /// There are no more pages.
    pub(super) is_whole: bool,
}

impl Scanner {
    /// The items that have a file, in every section that holds it, or in `only` that one. `names` are names of one
    /// file: the first that any section holds counts.
    ///
    /// # Errors
    /// [`PlexError::NoSection`] if no section holds it, [`PlexError::Refused`] for any status outside 2xx, else as
    /// [`super::Plex::request`].
    pub(crate) async fn find(
        &self,
        sections: &[Section],
        names: &[RemotePath],
        only: Option<&str>,
    ) -> Result<Vec<Item>, PlexError> {
        let mut items = Vec::new();
        for (target, number) in file_targets(sections, names, only)? {
            items.extend(self.find_in(&target, number).await?);
        }
        Ok(items)
    }

    /// The items of a section that have the file that `target` names. All of a large folder is read only if the file's
    /// name brings nothing.
    async fn find_in(&self, target: &Target, number: u8) -> Result<Vec<Item>, PlexError> {
        let first = Filter::first(target);
        let found = self.find_near(target, number, first).await?;
        let next = match found.is_whole {
            _ if first == Filter::Name || !found.items.is_empty() => return Ok(found.items),
            true => Filter::Name,
            false => Filter::Folder,
        };
        Ok(self.find_by(target, number, next).await?.items)
    }

    /// What a filter brings. Of a large folder the first page says little: then it is what the file's name brings, and
    /// the folder is not whole.
    pub(super) async fn find_near(
        &self,
        target: &Target,
        number: u8,
        filter: Filter,
    ) -> Result<Found, PlexError> {
        let found = self.find_by(target, number, filter).await?;
        if filter == Filter::Name || found.is_whole {
            return Ok(found);
        }
        let Found { items, .. } = self.find_by(target, number, Filter::Name).await?;
        Ok(Found { items, is_whole: false })
    }

    /// What one filter brings of the file that `target` names.
    async fn find_by(
        &self,
        target: &Target,
        number: u8,
        filter: Filter,
    ) -> Result<Found, PlexError> {
        let Target { section, folder: file } = target;
        let name = file.rsplit(['/', '\\']).next().filter(|name| !name.is_empty());
        let mut params = match (filter, name) {
            (Filter::Name, Some(name)) => listing(section, number, name),
            _ => listing(section, number, file),
        };
        if filter == Filter::Path {
            let page = [("X-Plex-Container-Start", 0), ("X-Plex-Container-Size", PAGE_SIZE)];
            params.headers = page.map(|(name, value)| (name.to_owned(), value.to_string())).into();
            params.all_pages = false;
        }
        let answer = self.get(params).await?;
        self.accepted(&answer, format!("to list library section `{section}`"))?;
        let (section, file) = (section.clone(), file.clone());
        self.read_from(answer, move |listing, stop| prove(listing, &section, &file, stop)).await
    }
}

/// Where to look for a file: the sections that hold it, each with the type of its items and the file in its spelling.
///
/// # Errors
/// [`PlexError::NoSection`].
pub(super) fn file_targets(
    sections: &[Section],
    names: &[RemotePath],
    only: Option<&str>,
) -> Result<Vec<(Target, u8)>, PlexError> {
    let numbered = |target: Target| {
        let section = sections.iter().find(|known| known.key == target.section)?;
        Some((target, type_number(&section.kind)?))
    };
    Ok(sections::choose(sections, names, only)?.into_iter().filter_map(numbered).collect())
}

fn encoded_length(text: &str) -> usize {
    utf8_percent_encode(text, NON_ALPHANUMERIC).map(str::len).sum()
}

/// What Plex calls the kind of item that has files, by its section's type. Other sections have no files.
fn type_number(kind: &str) -> Option<u8> {
    match kind {
        "movie" => Some(1),
        "show" => Some(4),
        "artist" => Some(10),
        "photo" => Some(13),
        _ => None,
    }
}

/// Without a type a section of shows answers 500.
fn listing(section: &str, number: u8, file: &str) -> RequestParams {
    let query = [("type", Value::from(number)), ("file", Value::from(file))];
    RequestParams {
        query: BTreeMap::from(query.map(|(name, value)| (name.to_owned(), value))),
        all_pages: true,
        ..RequestParams::get(format!("/library/sections/{}/all", quote(section)))
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "ratingKey")]
    rating_key: Value,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(rename = "Media", default)]
    media: Vec<Media>,
}

#[derive(Deserialize)]
struct Media {
    #[serde(rename = "Part", default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    file: Option<String>,
}

/// The items of a listing that have `file`: by the same bytes, else in another Unicode form.
fn prove(
    listing: &JsonText,
    section: &str,
    file: &str,
    stop: &Stop,
) -> Result<Result<Found, PlexError>, Stopped> {
    let (entries, total) = match listing::page(listing, "Metadata", "items") {
        Ok(page) => page,
        Err(error) => return Ok(Err(error)),
    };
    let is_whole = total.is_some_and(|total| total <= entries.len());
    let wanted = RemotePath::parse(file);
    let mut found = Vec::new();
    for raw in &entries {
        stop.check()?;
        found.extend(wanted.as_ref().and_then(|wanted| item(raw, section, wanted)));
    }
    if found.iter().any(|(fit, _)| *fit == Fit::Same) {
        found.retain(|(fit, _)| *fit == Fit::Same);
    }
    // An item may stand on two pages, where entries came meanwhile.
    let mut seen = HashSet::new();
    let items = found.into_iter().map(|(_, item)| item);
    let items = items.filter(|item| seen.insert(item.rating_key.clone())).collect();
    Ok(Ok(Found { items, is_whole }))
}

/// The item, if one of its files is the wanted one. Two of its parts may spell that differently: the nearest counts.
fn item(raw: &RawValue, section: &str, wanted: &RemotePath) -> Option<(Fit, Item)> {
    let Metadata { rating_key, kind, title, media } = serde_json::from_str(raw.get()).ok()?;
    let files = media.into_iter().flat_map(|media| media.parts).filter_map(|part| part.file);
    let fits = files.filter_map(|file| Some((RemotePath::parse(&file)?.fit(wanted)?, file)));
    let (fit, file) = fits.min_by_key(|(fit, _)| *fit != Fit::Same)?;
    let item = Item {
        rating_key: listing::key(rating_key)?,
        kind: kind.unwrap_or_default(),
        title: title.unwrap_or_default(),
        section: section.to_owned(),
        file,
    };
    Some((fit, item))
}
