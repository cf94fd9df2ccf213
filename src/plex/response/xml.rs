//! XML becomes JSON of the shape that Plex's own JSON has.
//!
//! `<MediaContainer size="1"><Video key="7"/></MediaContainer>` becomes
//! `{"MediaContainer":{"size":"1","Video":[{"key":"7"}]}}`: the root is the one member, attributes become members and
//! stay strings, children are in an array under their tag, an element's own text under `_text`. Attributes come
//! first, then tags in the order in which they appear first, then the text.
//!
//! Nothing is lost where names meet. An attribute keeps its name, as in Plex's JSON (plex.tv's `<user username="x">`
//! has a child `<username>`, too); children are then under `username[]`, which no XML name can be. A child `_text`
//! is under `_text[]`; beside an attribute `_text` the own text is under `#text`.
//!
//! Read leniently: a `DOCTYPE` is skipped, so no entity is ever defined, expanded or fetched; an unknown reference
//! and a lone `&` are text; characters that XML forbids are dropped, raw (Plex sends them in titles) or as `&#4;`.
//! White space between elements is dropped. Tags that don't match, and an attribute twice, are errors.

mod builder;
mod text;

use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use self::builder::Builder;
use super::buffer;
use super::work::{PIECE, Stop, Stopped};

/// Deepest nesting of elements; each is an object in an array, so the JSON is twice as deep. Plex needs 6.
pub(crate) const MAX_DEPTH: usize = 128;

/// The JSON text of an XML document, or why it is none, and where (in bytes of its UTF-8); nothing of the document.
pub(crate) fn to_json(text: &str, stop: &Stop) -> Result<Result<Vec<u8>, String>, Stopped> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut builder = Builder::default();
    let mut looked_at = 0;
    loop {
        let taken = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => builder.take(event),
            Err(error) => Err(reason(&error)),
        };
        let place = reader.buffer_position();
        if let Err(reason) = taken {
            return Ok(Err(format!("invalid XML: {reason} at byte {place}")));
        }
        if place >= looked_at + PIECE as u64 {
            looked_at = place;
            stop.check()?;
        }
    }
    Ok(builder.finish().map_err(|reason| format!("invalid XML: {reason}")))
}

/// The charset that a document names: in its declaration, else in its content type.
pub(crate) fn charset<'a>(bytes: &'a [u8], declared: Option<&'a str>) -> Option<&'a str> {
    match bytes {
        [b'<', 0, ..] => Some("utf-16le"),
        [0, b'<', ..] => Some("utf-16be"),
        _ => match in_declaration(bytes) {
            // it could not have been read as ASCII if it were
            Some(label) if label.to_ascii_lowercase().starts_with("utf-16") => Some("utf-8"),
            Some(label) => Some(label),
            None => declared,
        },
    }
}

/// The label in `<?xml version="1.0" encoding="label"?>`.
fn in_declaration(bytes: &[u8]) -> Option<&str> {
    let head = bytes.get(..bytes.len().min(256))?.trim_ascii_start().strip_prefix(b"<?xml")?;
    let head = head.get(..memchr::memchr(b'>', head)?)?;
    let (_, rest) = str::from_utf8(head).ok()?.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest.split(quote).nth(1)
}

/// The library's own messages quote names from the document, these don't.
fn reason(error: &Error) -> &'static str {
    match error {
        Error::Syntax(_) => "markup is not closed",
        Error::IllFormed(
            IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_),
        ) => "an end tag has no start tag",
        _ => "markup is ill-formed",
    }
}

#[cfg(test)]
mod tests;
