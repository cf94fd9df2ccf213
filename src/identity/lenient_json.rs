//! The identity's file, read as Python's `json` module reads it.
//!
//! `serde_json` refuses files that the Python plugin accepts and wrote or would keep: `NaN`, bytes that are no UTF-8. A
//! file that is refused here would be a new device at Plex, so the rule is: wherever Python finds an id, this finds the
//! same one. Nothing here recurses: nesting as deep as the file is long is no danger.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The byte order mark that Notepad puts in front of UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A character that is in no id: it replaces all that is not ASCII.
const NO_ASCII: u8 = b'\x7f';

/// A whole JSON object at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// The last `device_id`, where its value is a string: as in Python the last of several counts.
    pub(super) id: Option<Literal>,
    /// Where its brace opens.
    pub(super) start: usize,
    /// Where the object ends; what follows is not part of it.
    pub(super) end: usize,
}

/// A string in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Its place, quotes included.
    pub(super) place: Range<usize>,
    /// Its value; `None` if that is half a surrogate pair.
    pub(super) text: Option<String>,
}

/// Reads the object that `bytes` begin with, after a byte order mark and white space.
pub(super) fn object(bytes: &[u8]) -> Option<Object> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let mark = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let start = mark + bytes[mark..].iter().take_while(blank).count();
    let strict = strict(&bytes[start..]);
    let mut objects = serde_json::Deserializer::from_slice(&strict).into_iter::<LastId<'_>>();
    let LastId(value) = objects.next()?.ok()?;
    let literal = value.map(RawValue::get).filter(|value| value.starts_with('"')).map(|literal| {
        // The value is borrowed from the text.
        let at = start + (literal.as_ptr().addr() - strict.as_ptr().addr());
        Literal { place: at..at + literal.len(), text: string_at(literal.as_bytes(), 0) }
    });
    Some(Object { id: literal, start, end: start + objects.byte_offset() })
}

/// Reads the string whose opening quote is at `at`.
pub(super) fn string_at(bytes: &[u8], at: usize) -> Option<String> {
    let mut strings = serde_json::Deserializer::from_slice(bytes.get(at..)?).into_iter();
    strings.next()?.ok()
}

/// The same text, byte by byte, as `serde_json` reads it: Python's three numbers that are none become empty lists, and
/// what is not ASCII, which is in no id and no name of ours, one character that is.
fn strict(bytes: &[u8]) -> Vec<u8> {
    const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let mut text = bytes.to_vec();
    let (mut at, mut in_string) = (0, false);
    while let Some(&byte) = text.get(at) {
        let rest = &mut text[at..];
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'N' | b'I' | b'-' if !in_string => {
                if let Some(word) = WORDS.iter().find(|word| rest.starts_with(word)) {
                    rest[..word.len()].fill(b' ');
                    (rest[0], rest[word.len() - 1]) = (b'[', b']');
                }
            }
            _ if !byte.is_ascii() => rest[0] = NO_ASCII,
            _ => {}
        }
        at += 1;
    }
    text
}

/// The last value of a member `device_id`.
struct LastId<'a>(Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for LastId<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(LastId)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut last = None;
        // As it stands in the text: a name may be no text.
        while let Some(name) = members.next_key::<&RawValue>()? {
            if string_at(name.get().as_bytes(), 0).as_deref() == Some("device_id") {
                last = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(last)
    }
}
