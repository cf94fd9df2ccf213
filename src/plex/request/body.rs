//! The body that a call sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plexsync_protocol::plex::RequestParams;

use crate::plex::error::PlexError;

/// Bytes to send, and the content type that they bring where the call sets none.
pub(crate) struct SendBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: Option<&'static str>,
}

/// The body of a call: none, the text of a string, an object or an array exactly as written, or bytes.
pub(crate) fn of(params: &RequestParams) -> Result<Option<SendBody>, PlexError> {
    match (&params.body, &params.body_base64) {
        (Some(_), Some(_)) => Err(PlexError::invalid(
            "/body_base64",
            "only one of `body` and `body_base64` can be sent",
        )),
        (Some(raw), None) => json_or_text(raw.get()).map(Some),
        (None, Some(text)) => match STANDARD.decode(text) {
            Ok(bytes) => Ok(Some(SendBody { bytes, content_type: None })),
            Err(_) => Err(PlexError::invalid(
                "/body_base64",
                "is not valid base64 (RFC 4648, section 4, with padding)",
            )),
        },
        (None, None) => Ok(None),
    }
}

fn json_or_text(raw: &str) -> Result<SendBody, PlexError> {
    let invalid = || PlexError::invalid("/body", "expected a string, an object or an array");
    match raw.as_bytes().first() {
        Some(b'{' | b'[') => {
            Ok(SendBody { bytes: raw.as_bytes().to_vec(), content_type: Some("application/json") })
        }
        Some(b'"') => {
            let half =
                "holds half a surrogate pair, which no text has; send bytes as `body_base64`";
            let text: String =
                serde_json::from_str(raw).map_err(|_| PlexError::invalid("/body", half))?;
            Ok(SendBody { bytes: text.into_bytes(), content_type: None })
        }
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sent = Option<(Vec<u8>, Option<&'static str>)>;

    fn body(params: &str) -> Result<Sent, String> {
        let params = serde_json::from_str(&format!(r#"{{"path": "/", {params}}}"#)).unwrap();
        match of(&params) {
            Ok(body) => Ok(body.map(|body| (body.bytes, body.content_type))),
            Err(PlexError::Invalid { pointer, reason }) => Err(format!("{pointer}: {reason}")),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies() {
        let json = Some("application/json");
        assert_eq!(body(r#""body": null"#).unwrap(), None);
        assert_eq!(body(r#""body": "a\"\u00fc""#).unwrap(), Some(("a\"ü".into(), None)));
        assert_eq!(body(r#""body": """#).unwrap(), Some((vec![], None)));
        assert_eq!(
            body(r#""body": {"b": 1.0,  "a": 1e400}"#).unwrap(),
            Some((r#"{"b": 1.0,  "a": 1e400}"#.into(), json))
        );
        assert_eq!(body(r#""body": [ ]"#).unwrap(), Some(("[ ]".into(), json)));
        assert_eq!(body(r#""body_base64": "AP8=""#).unwrap(), Some((vec![0, 255], None)));
        for (params, pointer) in [
            (r#""body": 1"#, "/body"),
            (r#""body": true"#, "/body"),
            (r#""body": "\ud800""#, "/body"),
            (r#""body_base64": "AP8""#, "/body_base64"),
            (r#""body_base64": "A-8=""#, "/body_base64"),
            (r#""body": "", "body_base64": """#, "/body_base64"),
        ] {
            let error = body(params).unwrap_err();
            assert!(error.starts_with(&format!("{pointer}: ")), "{params}: {error}");
            let is_half = params.contains("ud800");
            assert_eq!(error.contains("half a surrogate pair"), is_half, "{error}");
        }
    }
}
