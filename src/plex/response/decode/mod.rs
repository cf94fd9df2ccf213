//! A body becomes one JSON value: by its content type, by its look, or as the caller wants it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plexsync_protocol::message::JsonText;
use plexsync_protocol::plex::{BodyEncoding, Parse};

use crate::plex::response::{charset, json, xml};

/// What becomes of a body in the result of `plex.request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// `body`: one JSON value, without line ends.
    pub value: JsonText,
    /// `body_encoding`.
    pub encoding: BodyEncoding,
    /// `body_error`: why it is not what it claims to be. It holds nothing of the body.
    pub error: Option<String>,
}

/// Decodes a body, whatever it is: what can't be done goes into `error`.
///
/// The peak of memory is the body and its JSON text, for text of control characters seven times the body.
pub(crate) fn decode(parse: Parse, content_type: Option<&str>, bytes: Vec<u8>) -> Decoded {
    if bytes.is_empty() {
        return null();
    }
    let charset = content_type.and_then(charset::of_content_type);
    match (parse, content_type.and_then(kind)) {
        (Parse::None, _) => null(),
        (Parse::Json, _) | (Parse::Auto, Some(Kind::Json)) => as_json(bytes, charset),
        (Parse::Xml, _) | (Parse::Auto, Some(Kind::Xml)) => as_xml(bytes, charset),
        (Parse::Text, _) | (Parse::Auto, Some(Kind::Text)) => as_text(bytes, charset, None),
        (Parse::Base64, _) | (Parse::Auto, Some(Kind::Other)) => as_base64(bytes, None),
        (Parse::Auto, None) => by_look(bytes),
    }
}

/// Whether a body of this type is decoded as JSON.
pub(crate) fn claims_json(parse: Parse, content_type: Option<String>) -> bool {
    let kind = content_type.as_deref().and_then(kind);
    parse == Parse::Json || (parse == Parse::Auto && kind == Some(Kind::Json))
}

/// Decodes a body that claims to be JSON and was checked while it came.
pub(crate) fn decode_json(parts: json::Parts, content_type: Option<&str>) -> Decoded {
    match parts.end() {
        Ok(parts) => Decoded {
            value: JsonText::from_pieces(parts.into_iter().map(Into::into).collect()),
            encoding: BodyEncoding::Json,
            error: None,
        },
        Err((reason, bytes)) => {
            as_text(bytes, content_type.and_then(charset::of_content_type), Some(reason))
        }
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

/// A body without a content type claims nothing, so there is no error either. Plex players answer so.
fn by_look(mut bytes: Vec<u8>) -> Decoded {
    let bare = bytes.strip_prefix(json::BOM).unwrap_or(&bytes);
    match bare.trim_ascii_start().first().copied() {
        Some(b'{' | b'[') if json::check(&mut bytes).is_ok() => {
            return decoded(bytes, BodyEncoding::Json, None);
        }
        Some(b'<') => match xml::to_json(&bytes, None) {
            Ok(text) if !is_page(&text) => return decoded(text, BodyEncoding::Xml, None),
            _ => {}
        },
        _ => {}
    }
    match charset::decode(&bytes, None) {
        Ok(text) if !text.contains('\0') => decoded(quoted(&text), BodyEncoding::Text, None),
        _ => as_base64(bytes, None),
    }
}

/// Whether this was an HTML page: Plex's own error pages are well-formed, and data to nobody.
fn is_page(text: &[u8]) -> bool {
    text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"{\"html\""))
}

fn as_json(mut bytes: Vec<u8>, charset: Option<&str>) -> Decoded {
    match json::check(&mut bytes) {
        Ok(()) => decoded(bytes, BodyEncoding::Json, None),
        Err(reason) => as_text(bytes, charset, Some(reason)),
    }
}

fn as_xml(bytes: Vec<u8>, charset: Option<&str>) -> Decoded {
    match xml::to_json(&bytes, charset) {
        Ok(text) => decoded(text, BodyEncoding::Xml, None),
        Err(reason) => {
            let charset = xml::charset(&bytes, charset).map(str::to_owned);
            as_text(bytes, charset.as_deref(), Some(reason))
        }
    }
}

/// As text, and as base64 where it is none; `error` is what went wrong before.
fn as_text(bytes: Vec<u8>, charset: Option<&str>, error: Option<String>) -> Decoded {
    let text = match charset::decode(&bytes, charset) {
        Ok(text) => quoted(&text),
        Err(reason) => {
            let error = error.map_or(reason.clone(), |before| format!("{before}; {reason}"));
            return as_base64(bytes, Some(error));
        }
    };
    decoded(text, BodyEncoding::Text, error)
}

fn as_base64(bytes: Vec<u8>, error: Option<String>) -> Decoded {
    let length = base64::encoded_len(bytes.len(), true).unwrap_or_default();
    let mut text = Vec::with_capacity(length + 2);
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
    let mut out = Vec::with_capacity(text.len() + text.len() / 16 + 2);
    match serde_json::to_writer(&mut out, text) {
        Ok(()) => out,
        Err(_) => b"\"\"".to_vec(), // a Vec can be written to
    }
}

fn null() -> Decoded {
    decoded(b"null".to_vec(), BodyEncoding::None, None)
}

fn decoded(text: Vec<u8>, encoding: BodyEncoding, error: Option<String>) -> Decoded {
    Decoded { value: JsonText::from(text), encoding, error }
}

#[cfg(test)]
mod tests;
