//! Bytes to text: which charset, and what becomes of bytes that it does not know.

use encoding_rs::{CoderResult, Encoding, UTF_8};

use super::buffer;
use super::work::{PIECE, Stop, Stopped};

/// A text, and what was wrong with its bytes.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) damage: Option<Damage>,
}

/// The bytes were not in their charset.
#[derive(Debug)]
pub(crate) struct Damage {
    /// Why they are no text.
    pub(crate) reason: String,
    /// How they were read all the same.
    pub(crate) replaced: String,
    /// As they came.
    pub(crate) bytes: Vec<u8>,
}

impl Text {
    /// How damage was read over.
    pub(crate) fn replaced(&self) -> Option<String> {
        self.damage.as_ref().map(|damage| damage.replaced.clone())
    }
}

/// The `charset` of a content type (RFC 9110, section 8.3.2).
pub(crate) fn of_content_type(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

/// The text of `bytes`: by their BOM, which is taken off, else in the charset `label` (one of the Encoding Standard's),
/// else in UTF-8. Bytes that the charset does not know become U+FFFD. UTF-8 is not copied.
pub(crate) fn read(mut bytes: Vec<u8>, label: Option<&str>, stop: &Stop) -> Result<Text, Stopped> {
    let named = label.map(|label| Encoding::for_label(label.as_bytes()));
    let (encoding, bom) =
        Encoding::for_bom(&bytes).unwrap_or((named.flatten().unwrap_or(UTF_8), 0));
    let is_unknown = bom == 0 && named == Some(None);
    if encoding == UTF_8 && !is_unknown {
        match String::from_utf8(bytes) {
            Ok(mut text) => {
                text.drain(..bom);
                return Ok(Text { text, damage: None });
            }
            Err(broken) => bytes = broken.into_bytes(),
        }
    }
    let (text, is_broken) = decode(bytes.get(bom..).unwrap_or_default(), encoding, stop)?;
    let damage = match (is_unknown, is_broken) {
        (false, false) => None,
        (false, true) => Some(Damage {
            reason: format!("not valid {}", encoding.name()),
            replaced: format!("bytes that are not valid {} became U+FFFD", encoding.name()),
            bytes,
        }),
        (true, _) => Some(Damage {
            reason: "its charset is unknown".to_owned(),
            replaced: "its charset is unknown, it was read as UTF-8".to_owned(),
            bytes,
        }),
    };
    Ok(Text { text, damage })
}

/// The text, and whether anything was replaced in it.
fn decode(
    bytes: &[u8],
    encoding: &'static Encoding,
    stop: &Stop,
) -> Result<(String, bool), Stopped> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::from_utf8(buffer::with_room(bytes.len())).unwrap_or_default();
    let (mut done, mut is_broken) = (0, false);
    loop {
        let end = bytes.len().min(done + PIECE);
        let piece = bytes.get(done..end).unwrap_or_default();
        let room = decoder.max_utf8_buffer_length(piece.len()).unwrap_or(4 * PIECE);
        text.reserve(room);
        let (result, read, replaced) =
            decoder.decode_to_string(piece, &mut text, end == bytes.len());
        done += read;
        is_broken |= replaced;
        if result == CoderResult::InputEmpty && done == bytes.len() {
            return Ok((text, is_broken));
        }
        stop.check()?;
    }
}
