//! Request headers: the identity on every request, the token beside it, the call's own; and response headers.

use std::collections::BTreeMap;

use hyper::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, RANGE};

use crate::http::headers::{IDENTITY, TOKEN, Unsendable, put_token, value};
use crate::http::text;
use crate::plex::error::PlexError;
use crate::plex::request::query::escape_pointer;
use crate::plex::response::compression::ACCEPTED;
use crate::secret::{Secret, Secrets};

/// Headers of the connection (RFC 9110, section 7.6.1) and of the message's framing: not the caller's.
const CONNECTION: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a name, in a header or in a query, is the token's or the identity's. Plex reads both places. What stands
/// between its letters does not count: CGI reads `X_Plex_Token` as the same header, PHP `X-Plex-Token[]` as the same
/// name, and others cut at a control character.
pub(crate) fn is_ours(name: &str) -> bool {
    IDENTITY.iter().chain([&TOKEN]).any(|own| letters(own.as_str()).eq(letters(name)))
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
}

/// All headers of a request but those that the HTTP library writes (`Host`, framing). The call may ask for another
/// `Accept` than the usual one.
pub(crate) fn build(
    device: Result<HeaderMap, Unsendable>,
    token: Option<&Secret>,
    own: &BTreeMap<String, String>,
) -> Result<HeaderMap, PlexError> {
    let mut headers = device.map_err(|Unsendable| {
        PlexError::invalid("", "the identity holds a character that no header can carry")
    })?;
    if let Some(token) = token {
        put_token(&mut headers, token)
            .ok_or_else(|| PlexError::invalid("/token", "holds a control character"))?;
    }
    add_own(&mut headers, own)?;
    // A part of a compressed body can't be decompressed.
    if !headers.contains_key(RANGE) {
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static(ACCEPTED));
    }
    Ok(headers)
}

fn add_own(headers: &mut HeaderMap, own: &BTreeMap<String, String>) -> Result<(), PlexError> {
    let mut seen = HeaderMap::with_capacity(own.len());
    for (name, text) in own {
        let invalid =
            |reason: &str| PlexError::invalid(format!("/headers/{}", escape_pointer(name)), reason);
        if is_ours(name) {
            return Err(invalid("the worker sends this header; use `token` for a token"));
        }
        if CONNECTION.iter().any(|refused| refused.eq_ignore_ascii_case(name)) {
            return Err(invalid("this header belongs to the connection"));
        }
        let name: HeaderName = name
            .parse()
            .map_err(|_| invalid("is not a valid header name (RFC 9110, section 5.1)"))?;
        let value = value(text).ok_or_else(|| invalid("holds a control character"))?;
        if seen.insert(name.clone(), ()).is_some() {
            return Err(invalid("is given twice, in different letter case"));
        }
        headers.insert(name, value);
    }
    Ok(())
}

/// Response headers as the contract has them: lower-case names, repeated ones joined with `, `, no token of ours.
pub(crate) fn answer(headers: &HeaderMap, secrets: &Secrets) -> BTreeMap<String, String> {
    let mut answer = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let text = text(value);
        // A server may echo a token, in a `Location` above all, and not only that of the call it answers.
        let text = secrets.redact(&text);
        answer
            .entry(name.as_str().to_owned())
            .and_modify(|joined| {
                joined.push_str(", ");
                joined.push_str(&text);
            })
            .or_insert_with(|| text.into_owned());
    }
    answer
}

#[cfg(test)]
mod tests {
    use plexsync_protocol::identity::IdentityHeaders;

    use super::*;
    use crate::http::headers::of_device;

    fn identity() -> IdentityHeaders {
        IdentityHeaders::new("an id", "1.0.0")
    }

    fn device() -> Result<HeaderMap, Unsendable> {
        of_device(&identity())
    }

    fn refused(name: &str, value: &str) -> Option<(String, String)> {
        let own = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        match build(device(), None, &own) {
            Ok(_) => None,
            Err(PlexError::Invalid { pointer, reason }) => Some((pointer, reason)),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_identity_header_is_known_and_sent() {
        let identity = identity();
        let headers = build(device(), None, &BTreeMap::new()).unwrap();
        for (name, value) in identity.iter() {
            assert!(is_ours(name), "{name}");
            assert_eq!(headers[name], value);
        }
        assert_eq!(IDENTITY.len(), identity.iter().count());
        assert_eq!(headers["accept"], "application/json");
        assert!(!headers.contains_key("x-plex-token"));
    }

    #[test]
    fn the_token_is_sent_and_hidden_from_debug() {
        let token = Secret::new("secret-token");
        let headers = build(device(), Some(&token), &BTreeMap::new()).unwrap();
        assert_eq!(headers["x-plex-token"], "secret-token");
        assert!(!format!("{headers:?}").contains("secret-token"));
    }

    #[test]
    fn own_headers() {
        assert_eq!(refused("Accept", "text/xml"), None);
        assert_eq!(refused("X-Plex-Language", "de"), None);
        assert_eq!(refused("X-Plex-Target-Name", "Wohnzimmer über"), None);
        for (name, value) in [
            ("X-Plex-Token", "t"),
            ("x-plex-TOKEN", ""),
            ("X_Plex_Token", "t"),
            ("x_plex.client-identifier", "else"),
            ("X-Plex-Client-Identifier", "else"),
            ("x-plex-provides", "player"),
            ("HOST", "evil"),
            ("Content-Length", "5"),
            ("transfer-encoding", "chunked"),
            ("Connection", "close"),
            ("X Y", "1"),
            ("", "1"),
            ("X-Y", "a\r\nX-Plex-Token: t"),
            ("X-Y", "a\0"),
        ] {
            let (pointer, reason) = refused(name, value).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(pointer, format!("/headers/{name}"));
            assert!(!reason.contains("evil"), "{reason}");
        }
        let twice = BTreeMap::from(
            [("Accept", "a"), ("accept", "b")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert!(build(device(), None, &twice).is_err());
    }

    #[test]
    fn response_headers() {
        let mut headers = HeaderMap::new();
        headers.append("X-A", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_static("2"));
        headers.append("x-u", HeaderValue::from_bytes("ü".as_bytes()).unwrap());
        headers.append("x-l", HeaderValue::from_bytes(b"\xfc").unwrap());
        headers.append("location", HeaderValue::from_static("/a?X-Plex-Token=ab%2Bcdefgh"));
        headers.append("x-echo", HeaderValue::from_static("got ab+cdefgh"));
        let secrets = Secrets::default();
        secrets.remember(&Secret::new("ab+cdefgh"));
        let answer = answer(&headers, &secrets);
        assert_eq!(answer["x-a"], "1, 2");
        assert_eq!(answer["x-u"], "ü");
        assert_eq!(answer["x-l"], "ü");
        assert_eq!(answer["location"], "/a?X-Plex-Token=REDACTED");
        assert_eq!(answer["x-echo"], "got REDACTED");
    }
}
