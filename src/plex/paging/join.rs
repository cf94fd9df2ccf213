//! Pages of a listing become one listing. Entries are copied as the bytes they came in, never read or rebuilt.
//!
//! Pages are the JSON that [`crate::plex::response::decode::decode`] makes, so a listing in XML joins as well; the joined text needs no
//! further check.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use plexsync_protocol::plex::PAGE_SIZE;

use super::page::{Array, Listing};

/// A listing to which pages are added.
#[derive(Debug)]
pub(crate) struct Joined {
    first: Vec<u8>,
    listing: Listing,
    /// Entries of later pages, in the order in which their arrays appeared.
    later: Vec<Later>,
    entries: u64,
    done: u64,
    total: Option<u64>,
    /// Offsets and hashes of the pages so far: one that comes again is a server that ignores paging.
    seen: (BTreeSet<u64>, BTreeSet<u64>),
    is_complete: bool,
}

/// Entries of one array, from the second page on.
#[derive(Debug)]
struct Later {
    /// Name of the array, with its quotes.
    name: Vec<u8>,
    /// Joined by commas.
    entries: Vec<u8>,
}

impl Joined {
    /// Begins with the first page.
    ///
    /// # Errors
    ///
    /// The bytes themselves, when they are no listing: they are the answer as they are.
    pub(crate) fn new(first: Vec<u8>) -> Result<Self, Vec<u8>> {
        let listing = match Listing::read(&first) {
            Some(listing) if !listing.arrays.is_empty() => listing,
            _ => return Err(first),
        };
        let mut joined = Self {
            listing: Listing::default(),
            later: Vec::new(),
            entries: 0,
            done: 0,
            total: None,
            seen: Default::default(),
            is_complete: false,
            first: Vec::new(),
        };
        joined.count(&listing, &first);
        joined.first = first;
        joined.listing = listing;
        Ok(joined)
    }

    /// How far it has come, in entries: where the next page starts.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// How many entries there are, where the server tells.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether there is no page to ask for: all is there, or the server does not page.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Adds the next page and says how many entries came with it. With none, or with a page that was there before,
    /// the listing is complete.
    ///
    /// # Errors
    ///
    /// The page is not a page of this listing. What was joined before stays.
    pub(crate) fn add(&mut self, page: Vec<u8>) -> Result<u64, String> {
        let listing = match Listing::read(&page) {
            Some(listing)
                if page[listing.name.clone()] == self.first[self.listing.name.clone()] =>
            {
                listing
            }
            _ => return Err("a later page is not a page of this listing".to_owned()),
        };
        if listing.count() == 0 || !self.count(&listing, &page) {
            self.is_complete = true;
            return Ok(0);
        }
        listing
            .arrays
            .iter()
            .filter(|array| array.count > 0)
            .for_each(|array| self.append(array, &page));
        Ok(listing.count())
    }

    /// The whole listing: the first page with all entries. Its `size` is their number; all else is as it came.
    pub(crate) fn finish(self) -> Vec<u8> {
        if self.later.is_empty() {
            return self.first;
        }
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        if let Some(size) = &self.listing.size {
            edits.push((size.place.clone(), size.spelled(self.entries)));
        }
        for Later { name, mut entries } in self.later {
            match self.listing.arrays.iter().find(|array| self.first[array.name.clone()] == name) {
                Some(array) => {
                    if array.count > 0 {
                        entries.insert(0, b',');
                    }
                    edits.push((array.inner.end..array.inner.end, entries));
                }
                None => {
                    let member = [b",", name.as_slice(), b":[", &entries, b"]"].concat();
                    edits.push((self.listing.end..self.listing.end, member));
                }
            }
        }
        edited(&self.first, edits)
    }

    /// Counts a page in; false for one that was there before.
    fn count(&mut self, page: &Listing, text: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        page.arrays.iter().for_each(|array| text[array.inner.clone()].hash(&mut hasher));
        let is_new = self.seen.0.insert(hasher.finish())
            & page.offset.as_ref().is_none_or(|offset| self.seen.1.insert(offset.value));
        if !is_new {
            return false;
        }
        let count = page.count();
        let size = page.size.as_ref().map_or(count, |size| size.value);
        self.entries += count;
        // a server that hides entries counts their places all the same
        self.done += if (count..=PAGE_SIZE).contains(&size) { size } else { count };
        self.total = page.total.as_ref().map(|total| total.value).or(self.total);
        self.is_complete = match self.total {
            _ if count == 0 => true,
            Some(total) => self.done >= total,
            // PMS tells the offset of every page; without it, a page that isn't full is all there is
            None if page.offset.is_some() => count > PAGE_SIZE,
            None => count != PAGE_SIZE,
        };
        true
    }

    fn append(&mut self, array: &Array, page: &[u8]) {
        let (name, entries) = (&page[array.name.clone()], &page[array.inner.clone()]);
        match self.later.iter_mut().find(|later| later.name == name) {
            Some(later) => {
                later.entries.push(b',');
                later.entries.extend_from_slice(entries);
            }
            None => self.later.push(Later { name: name.to_vec(), entries: entries.to_vec() }),
        }
    }
}

/// `text` with other bytes in some places.
fn edited(text: &[u8], mut edits: Vec<(Range<usize>, Vec<u8>)>) -> Vec<u8> {
    edits.sort_by_key(|(place, _)| place.start);
    let more: usize = edits.iter().map(|(_, new)| new.len()).sum();
    let mut out = Vec::with_capacity(text.len() + more);
    let mut done = 0;
    for (place, new) in edits {
        out.extend_from_slice(&text[done..place.start]);
        out.extend_from_slice(&new);
        done = place.end;
    }
    out.extend_from_slice(&text[done..]);
    out
}

#[cfg(test)]
mod tests;
