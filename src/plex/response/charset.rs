//! Bytes to text: which charset, and strictly (a byte that has no place in it is an error, not a `U+FFFD`).

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// The `charset` of a content type (RFC 9110, section 8.3.2).
pub(crate) fn of_content_type(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

/// The text of `bytes`: by their BOM, which is taken off, else in the charset `label`, else in UTF-8.
///
/// # Errors
///
/// The charset is unknown (labels are the Encoding Standard's), or the bytes are not in it.
pub(crate) fn decode<'a>(bytes: &'a [u8], label: Option<&str>) -> Result<Cow<'a, str>, String> {
    let (encoding, start) = match (Encoding::for_bom(bytes), label) {
        (Some(found), _) => found,
        (None, None) => (UTF_8, 0),
        (None, Some(label)) => match Encoding::for_label(label.as_bytes()) {
            Some(encoding) => (encoding, 0),
            None => return Err("no text: its charset is unknown".to_owned()),
        },
    };
    let bytes = bytes.get(start..).unwrap_or_default();
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| format!("no text: a byte has no place in `{}`", encoding.name()))
}
