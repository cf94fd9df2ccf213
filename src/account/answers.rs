//! What plex.tv's answers mean. Types drift there (numbers come as strings), so members are read loosely, and only those
//! that are named here are read at all.

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::sign_in::{Account, SignInState};
use serde_json::Value;

use super::error::own_errors;
use super::plex_tv::Reply;
use crate::http::error::HttpError;
use crate::secret::{LONGEST, Secret, Secrets};

/// plex.tv's own code for a PIN that it does not know, or not any more.
const EXPIRED: u64 = 1020;
/// Seconds that a short code lasts, where plex.tv does not say.
const LIFETIME: u64 = 900;
/// What is believed of what it says.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=1800;

/// A PIN that was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) id: u64,
    pub(super) code: String,
    /// Seconds.
    pub(super) expires_in: u64,
}

/// What an answer about a PIN says of it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Nobody has entered the code yet.
    Waiting,
    /// Somebody has: this is the account's token.
    Claimed(Secret),
    /// Nobody can any more.
    Ended(SignInState),
}

/// Only plex.tv's own JSON says anything; a portal or a proxy may answer in its place.
pub(super) fn verdict(reply: &Reply, pin_id: u64) -> Option<Verdict> {
    let errors = own_errors(reply);
    match (reply.status, errors) {
        (404, Some(errors)) if errors.iter().any(|it| number(&it["code"]) == Some(EXPIRED)) => {
            Some(Verdict::Ended(SignInState::Expired))
        }
        (410, Some(_)) => Some(Verdict::Ended(SignInState::Expired)),
        (401 | 403, Some(_)) => Some(Verdict::Ended(SignInState::Refused)),
        (200, None) => claimed(&reply.json().unwrap_or_default(), pin_id),
        _ => None,
    }
}

fn claimed(body: &Value, pin_id: u64) -> Option<Verdict> {
    if number(&body["id"]) != Some(pin_id) {
        return None;
    }
    match &body["authToken"] {
        Value::Null => Some(Verdict::Waiting),
        Value::String(token) if token.is_empty() => Some(Verdict::Waiting),
        Value::String(token) if is_token(token) => {
            Some(Verdict::Claimed(Secret::new(token.as_str())))
        }
        _ => None,
    }
}

/// Whether it can be sent as it is.
fn is_token(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The PIN that plex.tv made; none if the answer is not its own.
pub(super) fn pin(reply: &Reply) -> Option<Pin> {
    let body: Value = reply.json()?;
    let code = body["code"].as_str().filter(|code| is_code(code))?;
    let expires_in = number(&body["expiresIn"]).unwrap_or(LIFETIME);
    let expires_in = expires_in.clamp(*LIFETIMES.start(), *LIFETIMES.end());
    Some(Pin { id: number(&body["id"])?, code: code.to_owned(), expires_in })
}

/// What a person can read and type.
fn is_code(text: &str) -> bool {
    (4..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9'))
}

/// The account that plex.tv describes; none if the answer is not its own.
pub(super) fn account(reply: &Reply, secrets: &Secrets) -> Option<Account> {
    let body: Value = reply.json()?;
    let name = |member: &str| {
        let name = shown(body[member].as_str().unwrap_or_default(), secrets);
        // Many accounts are named by an e-mail address.
        name.split('@').next().unwrap_or_default().to_owned()
    };
    Some(Account { id: number(&body["id"])?, username: name("username"), title: name("title") })
}

/// A name from elsewhere, as it may be shown: without what is a known secret, and without what [`controls`].
pub(super) fn shown(name: &str, secrets: &Secrets) -> String {
    // Redacted last: what was between the letters of a secret is gone then.
    let visible: String = name.chars().filter(|letter| !controls(*letter)).collect();
    secrets.redact(&visible).into_owned()
}

/// Whether a character controls a terminal, or the direction of the text around it.
pub(super) fn controls(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// An answer of success that is not plex.tv's own.
pub(super) fn foreign(reply: &Reply) -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Protocol,
        format!("what `{}` answers is not plex.tv's", reply.server),
        "a portal or a proxy may answer in its place: open any page in a browser, then try again",
    )
}

/// A whole number, written as one or as a string.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: body.into(), server: "https://plex.tv".to_owned() }
    }

    fn of(status: u16, body: &Value) -> String {
        match verdict(&reply(status, &body.to_string()), 7) {
            None => "Silent".to_owned(),
            Some(verdict) => format!("{verdict:?}"),
        }
    }

    #[test]
    fn only_plex_tvs_own_word_counts() {
        let errors = |code: u16| json!({"errors": [{"code": code, "message": "m"}]});
        let html = json!("<html>");
        for (status, body, expected) in [
            (200, json!({"id": 7, "authToken": null}), "Waiting"),
            (200, json!({"id": "7"}), "Waiting"),
            (200, json!({"id": 7, "authToken": ""}), "Waiting"),
            (200, json!({"id": 8, "authToken": "abc"}), "Silent"),
            (200, json!({"authToken": "abc"}), "Silent"),
            (200, json!({"id": 7, "authToken": "a b"}), "Silent"),
            (200, json!({"id": 7, "authToken": 5}), "Silent"),
            (200, html.clone(), "Silent"),
            (200, errors(1020), "Silent"),
            (404, errors(1020), "Ended(Expired)"),
            (404, json!({"errors": [{"code": 5}, {"code": "1020"}]}), "Ended(Expired)"),
            (404, errors(1002), "Silent"),
            (404, html.clone(), "Silent"),
            (410, errors(1), "Ended(Expired)"),
            (410, html.clone(), "Silent"),
            (401, errors(1001), "Ended(Refused)"),
            (403, errors(1041), "Ended(Refused)"),
            (401, html.clone(), "Silent"),
            (403, json!({"errors": "none"}), "Silent"),
            (400, errors(1000), "Silent"),
            (429, errors(1003), "Silent"),
            (500, errors(1020), "Silent"),
            (503, html, "Silent"),
            (302, json!(null), "Silent"),
        ] {
            assert_eq!(of(status, &body), expected, "{status} {body}");
        }
        let Some(Verdict::Claimed(token)) =
            verdict(&reply(200, r#"{"id":7,"authToken":"ey.-_~"}"#), 7)
        else {
            panic!("a claimed PIN")
        };
        assert_eq!(token.expose(), "ey.-_~");
    }

    #[test]
    fn a_pin_is_one_that_a_person_can_type() {
        let of = |body: Value| pin(&reply(201, &body.to_string()));
        let whole = |expires_in| Some(Pin { id: 7, code: "AB12".to_owned(), expires_in });
        for (expires_in, seconds) in [
            (json!(900), 900),
            (json!("900"), 900),
            (json!(5), 60),
            (json!(0), 60),
            (json!(100_000), 1800),
            (json!(-1), 900),
            (json!(null), 900),
        ] {
            assert_eq!(
                of(json!({"id": 7, "code": "AB12", "expiresIn": expires_in})),
                whole(seconds)
            );
        }
        for code in ["ABC", "abcd", "AB CD", "AB\u{1b}[", "", "ABCÄ"] {
            assert_eq!(of(json!({"id": 7, "code": code})), None, "{code}");
        }
        assert_eq!(of(json!({"code": "AB12"})), None);
        assert_eq!(of(json!("<html>")), None);
    }

    #[test]
    fn names_are_shown_without_mail_addresses_controls_and_secrets() {
        let secrets = Secrets::default();
        secrets.remember(&Secret::new("s3cret-token"));
        let of = |body: Value| account(&reply(200, &body.to_string()), &secrets);
        let one = of(json!({
            "id": "12", "username": "me@example.com", "title": "A\u{1b}[31m\u{202e}B s3cret-\u{202d}token\n", "email": "x@y",
        }));
        let expected = ("me".to_owned(), "A[31mB REDACTED".to_owned());
        assert_eq!(one, Some(Account { id: 12, username: expected.0, title: expected.1 }));
        assert_eq!(of(json!({"id": 3})).unwrap().title, "");
        assert_eq!(of(json!({"username": "me"})), None);
    }
}
