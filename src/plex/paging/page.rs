//! Where the parts of one page stand in its text.

use std::ops::Range;

use crate::plex::response::json::{self, Fault};

/// Arrays that hold entries, the likelier ones first. A listing in XML has several side by side.
const ENTRIES: [&[u8]; 10] = [
    b"\"Metadata\"",
    b"\"Video\"",
    b"\"Directory\"",
    b"\"Track\"",
    b"\"Photo\"",
    b"\"Playlist\"",
    b"\"Hub\"",
    b"\"Device\"",
    b"\"Server\"",
    b"\"User\"",
];

/// One page: an object whose one member is an object, as `{"MediaContainer":{...}}`.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Name of that member, with its quotes.
    pub(crate) name: Range<usize>,
    /// Where the inner object's closing brace stands.
    pub(crate) end: usize,
    /// The arrays of entries.
    pub(crate) arrays: Vec<Array>,
    /// How many entries this page has, as the server says.
    pub(crate) size: Option<Number>,
    /// How many there are on all pages.
    pub(crate) total: Option<Number>,
    /// How many are on the pages before.
    pub(crate) offset: Option<Number>,
}

/// An array of objects.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    /// Its name, with the quotes.
    pub(crate) name: Range<usize>,
    /// What stands between its brackets.
    pub(crate) inner: Range<usize>,
    /// How many objects it has.
    pub(crate) count: u64,
}

/// A number, perhaps in quotes, as all are that were attributes in XML.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub(crate) value: u64,
    /// Where it stands, quotes included.
    pub(crate) place: Range<usize>,
    quoted: bool,
}

impl Number {
    /// Another number, spelled as this one.
    pub(crate) fn spelled(&self, value: u64) -> Vec<u8> {
        if self.quoted { format!("\"{value}\"") } else { value.to_string() }.into_bytes()
    }

    fn read(text: &[u8], place: Range<usize>) -> Option<Self> {
        let raw = str::from_utf8(text.get(place.clone())?).ok()?;
        let bare = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        let value = bare.unwrap_or(raw).parse().ok()?;
        Some(Self { value, place, quoted: bare.is_some() })
    }
}

impl Listing {
    /// The parts of a page; none when the text is no JSON of this shape.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let mut name = None;
        let mut listing = Self::default();
        let outside = members(text, 0, |member, start| {
            if name.replace(member).is_some() || text.get(start) != Some(&b'{') {
                return Err(Fault::new(start, "one object"));
            }
            let end = members(text, start, |name, start| listing.member(text, name, start))?;
            listing.end = end - 1;
            Ok(end)
        });
        if json::skip_space(text, outside.ok()?) != text.len() {
            return None;
        }
        listing.name = name?;
        listing.choose(text);
        Some(listing)
    }

    /// How many entries the page has.
    pub(crate) fn count(&self) -> u64 {
        self.arrays.iter().map(|array| array.count).sum()
    }

    fn member(&mut self, text: &[u8], name: Range<usize>, start: usize) -> Result<usize, Fault> {
        if text.get(start) == Some(&b'[')
            && let Some(array) = array(text, name.clone(), start)?
        {
            let end = array.inner.end + 1;
            self.arrays.push(array);
            return Ok(end);
        }
        let end = json::value(text, start)?;
        let number = |place| Number::read(text, place);
        match text.get(name) {
            Some(b"\"size\"") => self.size = number(start..end),
            Some(b"\"totalSize\"") => self.total = number(start..end),
            Some(b"\"offset\"") => self.offset = number(start..end),
            _ => {}
        }
        Ok(end)
    }

    /// Leaves only the arrays that hold the entries: the known ones together where `size` counts them so, else the
    /// known one that `size` counts, else the likeliest; without a known one the only one.
    fn choose(&mut self, text: &[u8]) {
        let size = self.size.as_ref().map(|size| size.value);
        let mut known: Vec<Array> = ENTRIES
            .iter()
            .filter_map(|name| self.arrays.iter().find(|array| text[array.name.clone()] == **name))
            .cloned()
            .collect();
        let all: u64 = known.iter().map(|array| array.count).sum();
        if known.is_empty() {
            self.arrays.retain(|array| array.count > 0);
            self.arrays.truncate(if self.arrays.len() == 1 { 1 } else { 0 });
            return;
        }
        if Some(all) != size {
            let counted = known.iter().position(|array| Some(array.count) == size);
            known.swap(0, counted.unwrap_or_default());
            known.truncate(1);
        }
        self.arrays = known;
    }
}

/// Calls `visit` with the place of the name and the start of the value of each member of the object at `at`; it
/// returns the value's end. Returns the object's end.
fn members(
    text: &[u8],
    at: usize,
    mut visit: impl FnMut(Range<usize>, usize) -> Result<usize, Fault>,
) -> Result<usize, Fault> {
    let mut at = json::skip_space(text, at);
    if text.get(at) != Some(&b'{') {
        return Err(Fault::new(at, "an object"));
    }
    at = json::skip_space(text, at + 1);
    if text.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let name = at..json::string(text, at)?;
        let start = json::skip_space(text, json::name(text, at)?);
        at = json::skip_space(text, visit(name, start)?);
        match text.get(at) {
            Some(b',') => at = json::skip_space(text, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Fault::new(at, "`,` or `}`")),
        }
    }
}

/// The array at `at`; none when one of its elements is no object.
fn array(text: &[u8], name: Range<usize>, at: usize) -> Result<Option<Array>, Fault> {
    let start = at + 1;
    let mut count = 0;
    let mut at = json::skip_space(text, start);
    if text.get(at) == Some(&b']') {
        return Ok(Some(Array { name, inner: start..at, count }));
    }
    loop {
        if text.get(at) != Some(&b'{') {
            return Ok(None);
        }
        at = json::skip_space(text, json::value(text, at)?);
        count += 1;
        match text.get(at) {
            Some(b',') => at = json::skip_space(text, at + 1),
            Some(b']') => return Ok(Some(Array { name, inner: start..at, count })),
            _ => return Err(Fault::new(at, "`,` or `]`")),
        }
    }
}
