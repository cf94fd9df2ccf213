//! One page of a listing: its members, as they are written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Arrays that hold entries, the likelier ones first. A listing in XML has several side by side.
const ENTRIES: [&str; 10] = [
    "\"Metadata\"",
    "\"Video\"",
    "\"Directory\"",
    "\"Track\"",
    "\"Photo\"",
    "\"Playlist\"",
    "\"Hub\"",
    "\"Device\"",
    "\"Server\"",
    "\"User\"",
];

/// One page: an object whose one member is an object, as `{"MediaContainer":{...}}`.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// Name of that member, with its quotes.
    pub(crate) name: &'a str,
    /// Name, with its quotes, and value of each inner member.
    pub(crate) members: Vec<(&'a str, &'a str)>,
    /// The arrays of entries.
    pub(crate) arrays: Vec<Array<'a>>,
}

/// An array of objects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Array<'a> {
    /// Its place among the members.
    pub(crate) member: usize,
    /// What is between its brackets.
    pub(crate) entries: &'a str,
    /// How many objects it has.
    pub(crate) count: u64,
}

impl<'a> Page<'a> {
    /// The parts of a page; `None` when the text is not JSON of this shape.
    pub(crate) fn read(text: &'a [u8]) -> Option<Self> {
        let outer: Members<'a> = serde_json::from_slice(text).ok()?;
        let [(name, inner)] = outer.0[..] else { return None };
        let Members(members) = serde_json::from_str(inner).ok()?;
        let arrays = members.iter().enumerate();
        let arrays = arrays.filter_map(|(member, (_, value))| Array::read(member, value)).collect();
        let mut page = Self { name, members, arrays };
        page.choose();
        Some(page)
    }

    /// How many entries the page has.
    pub(crate) fn count(&self) -> u64 {
        self.arrays.iter().map(|array| array.count).sum()
    }

    /// The member `"size"`, `"totalSize"` or `"offset"`, where it is a count. In XML all numbers are strings.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let (_, value) = self.members.iter().find(|(known, _)| *known == name)?;
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        bare.unwrap_or(value).parse().ok()
    }

    /// Leaves only the arrays that hold the entries: the known ones together where `size` counts them so, else the
    /// known one that `size` counts, else the likeliest; without a known one the only one.
    fn choose(&mut self) {
        let size = self.number("\"size\"");
        let named = |name: &str| {
            self.arrays.iter().find(|array| self.members[array.member].0 == name).copied()
        };
        let mut known: Vec<_> = ENTRIES.into_iter().filter_map(named).collect();
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

impl<'a> Array<'a> {
    /// `None` when this is not an array of objects.
    fn read(member: usize, value: &'a str) -> Option<Self> {
        let inner = value.strip_prefix('[')?.strip_suffix(']')?;
        let entries: Vec<&RawValue> = serde_json::from_str(value).ok()?;
        let are_objects = entries.iter().all(|entry| entry.get().starts_with('{'));
        are_objects.then_some(Self { member, entries: inner.trim(), count: entries.len() as u64 })
    }
}

/// The members of an object as they are written, repeated ones as well.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((name.get(), value.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}
