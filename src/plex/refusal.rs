//! An answer that says no, where a method needs a yes.

use plexsync_protocol::plex::SectionScan;
use serde_json::Value;
use url::Url;

use crate::plex::Answer;
use crate::secret::Secrets;

/// Most of Plex's words that are passed on, in characters.
const LONGEST_MESSAGE: usize = 200;
/// A body larger than this, in bytes, is not an error page.
const LARGEST_PAGE: usize = 64 * 1024;
/// Where a body says what is wrong: Plex's JSON, the XML of a server in maintenance, any other XML.
const NAMES: [&str; 4] = ["message", "status", "title", "_text"];

/// A status outside 2xx.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{server}` refused {what} with status `{status}`{}", words(message))]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Plex's words, at most 200 characters, without secrets and control characters. Empty if it said nothing.
    pub message: String,
    /// Scheme, host and port of the server.
    pub server: String,
    /// What was asked for, as the object of `refused`.
    pub what: String,
    /// About the server or the token that was used, for the user.
    pub warning: Option<String>,
    /// The sections that took the scan.
    pub asked: Vec<SectionScan>,
    /// The sections that refused it.
    pub refused: Vec<SectionScan>,
}

impl Refusal {
    /// The refusal that `answer` is.
    pub(crate) fn of(answer: &Answer, what: impl Into<String>, secrets: &Secrets) -> Self {
        let url = Url::parse(&answer.url);
        let server = url.map(|url| url.origin().ascii_serialization());
        Self {
            status: answer.status,
            message: message(answer, secrets),
            server: server.unwrap_or_default(),
            what: what.into(),
            warning: answer.warning.clone(),
            asked: Vec::new(),
            refused: Vec::new(),
        }
    }
}

fn words(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

fn message(answer: &Answer, secrets: &Secrets) -> String {
    let body: Vec<u8> = answer.body.value.pieces().flatten().copied().take(LARGEST_PAGE).collect();
    let text = match serde_json::from_slice(&body) {
        Ok(Value::String(page)) => text_of(&page),
        Ok(body) => NAMES.iter().find_map(|name| find(&body, name)).unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    };
    // Before the cut: half a secret would not be found.
    let text = secrets.redact(&text);
    let text = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let text = text.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    text.chars().take(LONGEST_MESSAGE).collect()
}

/// The text of an HTML page, which repeats its title in its head.
fn text_of(page: &str) -> String {
    let body = page.split_once("</head>").map_or(page, |(_, body)| body);
    let outside =
        body.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    outside.collect::<Vec<_>>().join(" ")
}

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    match value {
        Value::Object(members) => {
            let own = members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            own.or_else(|| members.values().find_map(|value| find(value, name)))
        }
        Value::Array(values) => values.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::json_text::JsonText;
    use plexsync_protocol::plex::BodyEncoding;
    use serde_json::json;

    use super::*;
    use crate::plex::response::decode::Decoded;
    use crate::secret::Secret;

    fn refusal(body: &Value) -> Refusal {
        let secrets = Secrets::default();
        secrets.remember(&Secret::new("T0ken"));
        let value = JsonText::of(body);
        let answer = Answer {
            status: 401,
            headers: BTreeMap::new(),
            body: Decoded { value, encoding: BodyEncoding::Text, error: None },
            url: "http://plex:32400/base/library".to_owned(),
            attempts: 1,
            elapsed_ms: 1,
            warning: None,
        };
        Refusal::of(&answer, "the list", &secrets)
    }

    #[test]
    fn it_says_what_plex_said() {
        let html = "<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>";
        let maintenance = json!({"Response": {"code": "503", "title": "Maintenance", "status": "wait\r\n a bit"}});
        let json =
            json!({"errors": [{"code": 1001, "message": "no \u{1b}[31m T0ken", "status": 401}]});
        for (body, expected) in [
            (json!(html), "401 Unauthorized"),
            (json!("plain\n text"), "plain text"),
            (maintenance, "wait a bit"),
            (json, "no [31m REDACTED"),
            (json!({"error": {"title": "t"}}), "t"),
            (json!({"html": {"body": [{"h1": [{"_text": "401"}]}]}}), "401"),
            (json!(null), ""),
            (json!([1, {}]), ""),
        ] {
            assert_eq!(refusal(&body).message, expected);
        }
        assert_eq!(refusal(&json!("x".repeat(1000))).message.len(), 200);
        let sentence = refusal(&json!("no")).to_string();
        assert_eq!(sentence, "`http://plex:32400` refused the list with status `401` (no)");
    }
}
