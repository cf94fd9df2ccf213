//! Pages of a listing become one listing. Members and entries are copied as they are written, never rebuilt.
//!
//! Pages are the JSON that [`crate::plex::response::decode::decode`] makes, so a listing in XML joins as well; the
//! joined text needs no further check.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use plexsync_protocol::plex::PAGE_SIZE;

use super::page::Page;
use crate::plex::response::buffer;

/// A listing to which pages are added.
#[derive(Debug)]
pub(crate) struct Joined {
    name: String,
    members: Vec<Member>,
    /// Whether the first page has a `size` that is a number.
    has_size: bool,
    entries: u64,
    done: u64,
    total: Option<u64>,
    /// Offsets and hashes of the pages so far: one that comes again is a server that ignores paging.
    seen: (BTreeSet<u64>, BTreeSet<u64>),
    is_complete: bool,
}

#[derive(Debug)]
struct Member {
    /// With its quotes.
    name: String,
    /// As it is written; of an array of entries, what is between the brackets.
    value: Vec<u8>,
    is_entries: bool,
}

impl Joined {
    /// Begins with the first page; `None` when it is not a listing: then it is the answer as it came.
    pub(crate) fn new(first: &[u8]) -> Option<Self> {
        let page = Page::read(first).filter(|page| !page.arrays.is_empty())?;
        let mut joined = Self {
            name: page.name.to_owned(),
            members: Vec::with_capacity(page.members.len()),
            has_size: page.number("\"size\"").is_some(),
            entries: 0,
            done: 0,
            total: None,
            seen: Default::default(),
            is_complete: false,
        };
        for (index, (name, value)) in page.members.iter().enumerate() {
            let array = page.arrays.iter().find(|array| array.member == index);
            joined.members.push(Member {
                name: (*name).to_owned(),
                value: array.map_or(*value, |array| array.entries).into(),
                is_entries: array.is_some(),
            });
        }
        joined.count(&page);
        Some(joined)
    }

    /// How far it has come, in entries: where the next page starts.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// How many entries there are, where the server says so.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether there is no page to ask for: all is there, or the server does not page.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// What is missing of a listing that has ended before its total: its server ignored where a page was to start, or
    /// sent an empty one in the middle.
    pub(crate) fn shortfall(&self) -> Option<String> {
        let total = self.total.filter(|total| self.done < *total)?;
        let done = self.done;
        Some(format!("the listing has `{total}` entries, but the server sent only `{done}`"))
    }

    /// Adds the next page and returns how many entries it brought; 0 is the end.
    ///
    /// # Errors
    ///
    /// It is not a page of this listing.
    pub(crate) fn add(&mut self, page: &[u8]) -> Result<u64, &'static str> {
        let page = Page::read(page)
            .filter(|page| page.name == self.name)
            .ok_or("a later page is not a page of this listing")?;
        if page.count() == 0 || !self.count(&page) {
            self.is_complete = true;
            return Ok(0);
        }
        for array in page.arrays.iter().filter(|array| array.count > 0) {
            self.append(page.members[array.member].0, array.entries);
        }
        Ok(page.count())
    }

    /// Length of the whole listing, or a little more, in bytes.
    pub(crate) fn len(&self) -> usize {
        let members = self.members.iter().map(|member| member.name.len() + member.value.len() + 4);
        members.sum::<usize>() + self.name.len() + 5
    }

    /// The whole listing: the first page with all entries. Its `size` is their number; all else is as it came.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = buffer::with_room(self.len());
        let mut push = |part: &[u8]| out.extend_from_slice(part);
        push(b"{");
        push(self.name.as_bytes());
        push(b":{");
        for (index, member) in self.members.into_iter().enumerate() {
            push(if index == 0 { b"" } else { b"," });
            push(member.name.as_bytes());
            push(if member.is_entries { b":[" } else { b":" });
            push(&member.value);
            push(if member.is_entries { b"]" } else { b"" });
        }
        push(b"}}");
        out
    }

    /// Counts a page in; false for one that was there before.
    fn count(&mut self, page: &Page<'_>) -> bool {
        let mut hasher = DefaultHasher::new();
        page.arrays.iter().for_each(|array| array.entries.hash(&mut hasher));
        let offset = page.number("\"offset\"");
        let is_new = self.seen.0.insert(hasher.finish())
            & offset.is_none_or(|offset| self.seen.1.insert(offset));
        if !is_new {
            return false;
        }
        let count = page.count();
        let size = page.number("\"size\"").unwrap_or(count);
        self.entries += count;
        // a server that hides entries counts their places all the same
        self.done += if (count..=PAGE_SIZE).contains(&size) { size } else { count };
        self.total = page.number("\"totalSize\"").or(self.total);
        self.is_complete = match self.total {
            _ if count == 0 => true,
            Some(total) => self.done >= total,
            // PMS sends the offset of every page; without it, a page that isn't full is all there is
            None if offset.is_some() => count > PAGE_SIZE,
            None => count != PAGE_SIZE,
        };
        true
    }

    fn append(&mut self, name: &str, entries: &str) {
        let size = self.entries;
        let is_size = |member: &&mut Member| self.has_size && member.name == "\"size\"";
        if let Some(member) = self.members.iter_mut().find(is_size) {
            let is_quoted = member.value.starts_with(b"\"");
            member.value = if is_quoted { format!("\"{size}\"") } else { size.to_string() }.into();
        }
        match self.members.iter_mut().find(|member| member.is_entries && member.name == name) {
            Some(member) => {
                buffer::reserve(&mut member.value, entries.len() + 1);
                if !member.value.is_empty() {
                    member.value.push(b',');
                }
                member.value.extend_from_slice(entries.as_bytes());
            }
            None => self.members.push(Member {
                name: name.to_owned(),
                value: entries.into(),
                is_entries: true,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
