//! The result of a call, as the contract has it.

use std::collections::BTreeMap;

use plexsync_protocol::plex::BodyEncoding;
use serde::Serialize;

use crate::json_text::JsonText;
use crate::plex::response::decode::Decoded;

/// Plex's answer to a call.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Response headers: lower-case names, repeated ones joined, no token of ours.
    pub headers: BTreeMap<String, String>,
    /// The body, decoded.
    pub(crate) body: Decoded,
    /// The last URL, without secrets.
    pub url: String,
    /// Tries; hops of a redirect are none.
    pub attempts: u32,
    /// Time for the whole call, in milliseconds.
    pub elapsed_ms: u64,
    /// About the server or the token that was used, for the user.
    pub warning: Option<String>,
}

#[derive(Serialize)]
struct Before<'a> {
    status: u16,
    ok: bool,
    headers: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct After<'a> {
    body_encoding: BodyEncoding,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_error: Option<&'a str>,
    url: &'a str,
    attempts: u32,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a str>,
}

impl Answer {
    /// The contract's result. A large body stays a piece of its own: it is never copied.
    pub fn into_json(self) -> JsonText {
        let ok = (200..300).contains(&self.status);
        let before = Before { status: self.status, ok, headers: &self.headers };
        let after = After {
            body_encoding: self.body.encoding,
            body_error: self.body.error.as_deref(),
            url: &self.url,
            attempts: self.attempts,
            elapsed_ms: self.elapsed_ms,
            warning: self.warning.as_deref(),
        };
        let mut front = object(&before);
        front.pop();
        front.extend_from_slice(br#","body":"#);
        let mut back = object(&after);
        if let Some(brace) = back.first_mut() {
            *brace = b',';
        }
        self.body.value.wrapped(front, &back)
    }
}

/// An object's text in one piece.
fn object(value: &impl Serialize) -> Vec<u8> {
    JsonText::of(value).into_bytes()
}

#[cfg(test)]
mod tests {
    use plexsync_protocol::plex::RequestResult;

    use super::*;

    fn answer(status: u16, error: Option<&str>, value: &str) -> Answer {
        Answer {
            status,
            headers: BTreeMap::from([("a\"b".to_owned(), "ü".to_owned())]),
            body: Decoded {
                value: JsonText::from(value.as_bytes().to_vec()),
                encoding: BodyEncoding::Json,
                error: error.map(str::to_owned),
            },
            url: "http://h/".to_owned(),
            attempts: 3,
            elapsed_ms: 7,
            warning: None,
        }
    }

    #[test]
    fn results_read_back() {
        for (status, ok) in
            [(199, false), (200, true), (204, true), (299, true), (300, false), (503, false)]
        {
            let text: Vec<u8> = answer(status, None, "{\"z\":1,\"a\":1.0}")
                .into_json()
                .pieces()
                .flatten()
                .copied()
                .collect();
            let result: RequestResult = serde_json::from_slice(&text).unwrap();
            assert_eq!((result.status, result.ok), (status, ok));
            assert_eq!(
                (result.attempts, result.elapsed_ms, result.url.as_str()),
                (3, 7, "http://h/")
            );
            assert_eq!(result.headers["a\"b"], "ü");
            assert_eq!(result.body_error, None);
            assert!(String::from_utf8(text).unwrap().contains("\"body\":{\"z\":1,\"a\":1.0},"));
        }
        let text: Vec<u8> =
            answer(200, Some("why"), "1").into_json().pieces().flatten().copied().collect();
        let result: RequestResult = serde_json::from_slice(&text).unwrap();
        assert_eq!(result.body_error.as_deref(), Some("why"));
    }

    #[test]
    fn a_large_body_is_a_piece_of_its_own() {
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        let text = answer(200, None, &large).into_json();
        assert!(text.pieces().any(|piece| piece == large.as_bytes()));
    }
}
