//! Stand-in.
use plexsync_protocol::message::JsonText;
use plexsync_protocol::plex::{BodyEncoding, Parse};
pub(crate) struct Decoded {
    pub(crate) value: JsonText,
    pub(crate) encoding: BodyEncoding,
    pub(crate) error: Option<String>,
}
pub(crate) fn decode(_parse: Parse, _content_type: Option<&str>, bytes: Vec<u8>) -> Decoded {
    if bytes.is_empty() {
        return Decoded { value: JsonText::of(&()), encoding: BodyEncoding::None, error: None };
    }
    match serde_json::from_slice::<Box<serde_json::value::RawValue>>(&bytes) {
        Ok(raw) => Decoded { value: raw.into(), encoding: BodyEncoding::Json, error: None },
        Err(_) => Decoded {
            value: JsonText::of(&String::from_utf8_lossy(&bytes)),
            encoding: BodyEncoding::Text,
            error: None,
        },
    }
}
