//! A body becomes one JSON value: by its content type, by its look, or as the caller wants it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use encoding_rs::Encoding;
use plexsync_protocol::plex::{BodyEncoding, Parse};

use super::buffer::{self, Body};
use super::charset::{self, Text};
use super::work::{Stop, Stopped};
use super::{json, xml};
use crate::json_text::JsonText;

/// What becomes of a body in the result of `plex.request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// `body`: one JSON value, without line ends.
    pub value: JsonText,
    /// `body_encoding`.
    pub encoding: BodyEncoding,
    /// `body_error`: why it is not what it claims to be, or how it was read all the same. It holds nothing of the body.
    pub error: Option<String>,
}

/// Decodes a body, whatever it is: what can't be done goes into `error`.
///
/// The peak of memory is that of the body for JSON, else the body and its JSON text, for text of control characters
/// seven times the body.
pub(crate) fn decode(
    parse: Parse,
    content_type: Option<&str>,
    body: Body,
    stop: &Stop,
) -> Result<Decoded, Stopped> {
    if body.is_empty() {
        return Ok(null());
    }
    let charset = content_type.and_then(charset::of_content_type);
    match (parse, content_type.and_then(kind)) {
        (Parse::None, _) => Ok(null()),
        (Parse::Json, _) | (Parse::Auto, Some(Kind::Json)) => as_json(body, charset, stop),
        (Parse::Xml, _) | (Parse::Auto, Some(Kind::Xml)) => as_xml(body.into_vec(), charset, stop),
        (Parse::Text, _) => as_text(body.into_vec(), charset, stop),
        (Parse::Auto, Some(Kind::Text)) => {
            Ok(text_or_base64(charset::read(body.into_vec(), charset, stop)?, None))
        }
        (Parse::Base64, _) | (Parse::Auto, Some(Kind::Other)) => Ok(as_base64(body, None)),
        (Parse::Auto, None) => by_look(body.into_vec(), stop),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Xml,
    Text,
    Other,
}

/// Types that are text although their name doesn't say so: playlists, subtitles, scripts, forms, pages, drawings.
const TEXT_TYPES: [&str; 12] = [
    "application/ecmascript",
    "application/javascript",
    "application/vnd.apple.mpegurl",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-ndjson",
    "application/x-subrip",
    "application/x-www-form-urlencoded",
    "application/x-yaml",
    "application/xhtml+xml",
    "application/yaml",
    "image/svg+xml",
];

/// What a content type promises; none for an empty one.
fn kind(content_type: &str) -> Option<Kind> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match essence.as_str() {
        "" => return None,
        "application/json" | "text/json" => Kind::Json,
        "application/xml" | "text/xml" => Kind::Xml,
        listed if TEXT_TYPES.contains(&listed) => Kind::Text,
        other if other.ends_with("+json") => Kind::Json,
        other if other.ends_with("+xml") => Kind::Xml,
        other if other.starts_with("text/") => Kind::Text,
        _ => Kind::Other,
    })
}

/// A body without a content type claims nothing, so there is no error. Plex players answer so.
fn by_look(bytes: Vec<u8>, stop: &Stop) -> Result<Decoded, Stopped> {
    if bytes.contains(&0) && Encoding::for_bom(&bytes).is_none() {
        return Ok(as_base64(bytes, None));
    }
    let label = xml::charset(&bytes, None).map(str::to_owned);
    let mut text = charset::read(bytes, label.as_deref(), stop)?;
    match text.text.trim_ascii_start().as_bytes().first() {
        Some(b'{' | b'[') => match json_of(text, stop)? {
            Ok(decoded) => return Ok(decoded),
            Err((back, _)) => text = back,
        },
        Some(b'<') => match xml::to_json(&text.text, stop)? {
            Ok(json) if !is_page(&json) => {
                return Ok(decoded(json, BodyEncoding::Xml, text.replaced()));
            }
            _ => {}
        },
        _ => {}
    }
    Ok(Decoded { error: None, ..text_or_base64(text, None) })
}

/// Whether this was an HTML page: Plex's own error pages are well-formed, but not data.
fn is_page(json: &[u8]) -> bool {
    json.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"{\"html\""))
}

fn as_json(mut body: Body, charset: Option<&str>, stop: &Stop) -> Result<Decoded, Stopped> {
    if std::str::from_utf8(&body).is_ok_and(|text| json::check(text).is_ok()) {
        json::on_one_line(&mut body, stop)?;
        return Ok(decoded(Bytes::from(body), BodyEncoding::Json, None));
    }
    let bytes = body.into_vec();
    // JSON is UTF-8 (RFC 8259, section 8.1), whatever else is said; where it is not, what is said may help.
    let charset = charset.filter(|_| std::str::from_utf8(&bytes).is_err());
    let text = charset::read(bytes, charset, stop)?;
    let json = json_of(text, stop)?;
    Ok(json.unwrap_or_else(|(text, reason)| text_or_base64(text, Some(reason))))
}

/// The text as JSON; where it is none, the text again and the reason.
fn json_of(text: Text, stop: &Stop) -> Result<Result<Decoded, (Text, String)>, Stopped> {
    let replaced = text.replaced();
    let (json, error) = match json::check(&text.text) {
        Ok(()) => (text.text, replaced),
        Err(reason) => match json::with_controls_escaped(&text.text, stop)? {
            Some(escaped) if json::check(&escaped).is_ok() => {
                let error = "control characters in strings were escaped".to_owned();
                (escaped, joined(replaced, Some(error)))
            }
            _ => return Ok(Err((text, reason))),
        },
    };
    let mut json = json.into_bytes();
    json::on_one_line(&mut json, stop)?;
    Ok(Ok(decoded(json, BodyEncoding::Json, error)))
}

fn as_xml(bytes: Vec<u8>, charset: Option<&str>, stop: &Stop) -> Result<Decoded, Stopped> {
    let charset = xml::charset(&bytes, charset).map(str::to_owned);
    let text = charset::read(bytes, charset.as_deref(), stop)?;
    Ok(match xml::to_json(&text.text, stop)? {
        Ok(json) => decoded(json, BodyEncoding::Xml, text.replaced()),
        Err(reason) => text_or_base64(text, Some(reason)),
    })
}

/// As the text that the caller wants, whatever it is.
fn as_text(bytes: Vec<u8>, charset: Option<&str>, stop: &Stop) -> Result<Decoded, Stopped> {
    let text = charset::read(bytes, charset, stop)?;
    Ok(decoded(quoted(&text.text), BodyEncoding::Text, text.replaced()))
}

/// As text, and as base64 where it is none; `error` is what went wrong before.
fn text_or_base64(text: Text, error: Option<String>) -> Decoded {
    match text.damage {
        None => decoded(quoted(&text.text), BodyEncoding::Text, error),
        Some(damage) => {
            drop(text.text);
            as_base64(damage.bytes, joined(error, Some(damage.reason)))
        }
    }
}

/// Both sentences.
pub(crate) fn joined(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Some(format!("{one}; {other}")),
        (one, other) => one.or(other),
    }
}

pub(crate) fn as_base64(bytes: impl AsRef<[u8]>, error: Option<String>) -> Decoded {
    let length = base64::encoded_len(bytes.as_ref().len(), true).unwrap_or_default();
    let mut text = buffer::with_room(length + 2);
    text.push(b'"');
    text.resize(length + 1, 0);
    let written = STANDARD.encode_slice(&bytes, text.get_mut(1..).unwrap_or_default());
    drop(bytes);
    text.truncate(written.unwrap_or_default() + 1);
    text.push(b'"');
    decoded(text, BodyEncoding::Base64, error)
}

/// `text` as a JSON string.
fn quoted(text: &str) -> Vec<u8> {
    let mut out = buffer::with_room(text.len() + text.len() / 16 + 2);
    match serde_json::to_writer(&mut out, text) {
        Ok(()) => out,
        Err(_) => b"\"\"".to_vec(), // a Vec can be written to
    }
}

fn null() -> Decoded {
    decoded(b"null".to_vec(), BodyEncoding::None, None)
}

fn decoded(text: impl Into<JsonText>, encoding: BodyEncoding, error: Option<String>) -> Decoded {
    Decoded { value: text.into(), encoding, error }
}

#[cfg(test)]
mod tests;
