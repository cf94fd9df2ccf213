//! The query: what a call adds to it, and names that may not be in it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::plex::error::PlexError;
use crate::plex::request::headers;

/// Everything but RFC 3986's unreserved characters. A space is `%20`: in a query, only forms read `+` as one.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Appends the call's `query` to the URL.
pub(crate) fn append(url: &mut Url, query: &BTreeMap<String, Value>) -> Result<(), PlexError> {
    if query.is_empty() {
        return Ok(());
    }
    let mut text = url.query().unwrap_or_default().to_owned();
    for (name, value) in query {
        let pointer = format!("/query/{}", escape_pointer(name));
        if is_refused(name) {
            return Err(PlexError::invalid(pointer, REFUSED));
        }
        match value {
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    append_one(&mut text, name, value, || format!("{pointer}/{index}"))?;
                }
            }
            value => append_one(&mut text, name, value, || pointer.clone())?,
        }
    }
    if !text.is_empty() {
        url.set_query(Some(&text));
    }
    Ok(())
}

/// Refuses a query in `path` that holds a token or names a device.
pub(crate) fn check(url: &Url) -> Result<(), PlexError> {
    match names(url.query().unwrap_or_default()).any(is_refused) {
        true => Err(PlexError::invalid("/path", REFUSED)),
        false => Ok(()),
    }
}

/// Whether the query of a path has one of these names, in any letter case.
pub(crate) fn holds(path: &str, wanted: &[&str]) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    names(query).any(|name| {
        let name = percent_decode_str(name).decode_utf8_lossy();
        wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name))
    })
}

/// Takes tokens and device names out of the query of a URL that a server made up.
pub(crate) fn strip(url: &mut Url) {
    let Some(query) = url.query() else { return };
    if !names(query).any(is_refused) {
        return;
    }
    let kept: Vec<_> = query
        .split(SEPARATORS)
        .filter(|part| !is_refused(part.split('=').next().unwrap_or_default()))
        .collect();
    let kept = kept.join("&");
    url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
}

/// A segment of a path, quoted.
pub(crate) fn quote(text: &str) -> String {
    utf8_percent_encode(text, QUOTED).to_string()
}

const REFUSED: &str = "the token and the device's identity travel as headers only; use `token`, and leave the identity to the worker";

/// Some servers read `;` as `&` (the HTML 4 recommendation, appendix B.2.2).
const SEPARATORS: [char; 2] = ['&', ';'];

fn names(query: &str) -> impl Iterator<Item = &str> {
    query.split(SEPARATORS).map(|part| part.split('=').next().unwrap_or_default())
}

fn is_refused(name: &str) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy();
    headers::is_ours(&name)
}

fn append_one(
    text: &mut String,
    name: &str,
    value: &Value,
    pointer: impl Fn() -> String,
) -> Result<(), PlexError> {
    let value = match value {
        Value::Null => return Ok(()),
        Value::Bool(value) => if *value { "1" } else { "0" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(value) => quote(value),
        Value::Array(_) | Value::Object(_) => {
            let reason = "expected a string, a number, a boolean or null, or an array of these";
            return Err(PlexError::invalid(pointer(), reason));
        }
    };
    if !text.is_empty() {
        text.push('&');
    }
    text.push_str(&quote(name));
    text.push('=');
    text.push_str(&value);
    Ok(())
}

/// A name as a token of a JSON pointer (RFC 6901, section 3).
pub(crate) fn escape_pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn with(url: &str, query: Value) -> Result<String, (String, String)> {
        let mut url = Url::parse(url).unwrap();
        let query = serde_json::from_value(query).unwrap();
        match append(&mut url, &query) {
            Ok(()) => Ok(url.to_string()),
            Err(PlexError::Invalid { pointer, reason }) => Err((pointer, reason)),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn values() {
        for (query, expected) in [
            (json!({}), "http://h/"),
            (json!({"a": null, "b": []}), "http://h/"),
            (json!({"a": true, "b": false}), "http://h/?a=1&b=0"),
            (
                json!({"a": 1, "b": -1.5, "c": 18446744073709551615u64}),
                "http://h/?a=1&b=-1.5&c=18446744073709551615",
            ),
            (json!({"type": [1, "2", null, true]}), "http://h/?type=1&type=2&type=1"),
            (json!({"path": "/a b/ü&=#+%"}), "http://h/?path=%2Fa%20b%2F%C3%BC%26%3D%23%2B%25"),
            (json!({"title>>": "", "a&b": "c"}), "http://h/?a%26b=c&title%3E%3E="),
        ] {
            assert_eq!(with("http://h/", query.clone()).unwrap(), expected, "{query}");
        }
        assert_eq!(with("http://h/?x=%20y", json!({"a": 1})).unwrap(), "http://h/?x=%20y&a=1");
    }

    #[test]
    fn refusals_point_at_their_place() {
        for (query, pointer) in [
            (json!({"a": {}}), "/query/a"),
            (json!({"a/~b": [1, [2]]}), "/query/a~1~0b/1"),
            (json!({"X-Plex-Token": "t"}), "/query/X-Plex-Token"),
            (json!({"x-plex-token": null}), "/query/x-plex-token"),
            (json!({"X-Plex%2DToken": "t"}), "/query/X-Plex%2DToken"),
            (json!({"X-PLEX-CLIENT-IDENTIFIER": "t"}), "/query/X-PLEX-CLIENT-IDENTIFIER"),
            (json!({"X-Plex-Device-Name": "t"}), "/query/X-Plex-Device-Name"),
        ] {
            assert_eq!(with("http://h/", query.clone()).unwrap_err().0, pointer, "{query}");
        }
    }

    #[test]
    fn a_token_in_the_path_is_refused_and_in_a_redirect_taken_out() {
        for (url, refused, stripped) in [
            ("http://h/a?b=c", false, "http://h/a?b=c"),
            ("http://h/X-Plex-Token", false, "http://h/X-Plex-Token"),
            ("http://h/a?b=X-Plex-Token", false, "http://h/a?b=X-Plex-Token"),
            ("http://h/a?X-Plex-Container-Size=1", false, "http://h/a?X-Plex-Container-Size=1"),
            ("http://h/a?X-Plex-Token=t", true, "http://h/a"),
            ("http://h/a?b=c&x-plex-token=t&d", true, "http://h/a?b=c&d"),
            ("http://h/a?b;X-Plex-Token", true, "http://h/a?b"),
            ("http://h/a?%58-Plex-%54oken=t", true, "http://h/a"),
            ("http://h/a?X-Plex-Provides=player", true, "http://h/a"),
            ("http://h/a?+X-Plex-Token=t", true, "http://h/a"),
            ("http://h/a?X-Plex-Token%09=t", true, "http://h/a"),
            ("http://h/a?X-Plex-Token%00=t&b", true, "http://h/a?b"),
            ("http://h/a?X-Plex-Token[]=t", true, "http://h/a"),
            ("http://h/a??X-Plex-Token=t", true, "http://h/a"),
            ("http://h/a?X_Plex_Token=t", true, "http://h/a"),
            ("http://h/a?x_plex-client.identifier=t", true, "http://h/a"),
            ("http://h/a?X-Plex-Tokens=t", false, "http://h/a?X-Plex-Tokens=t"),
        ] {
            let mut url = Url::parse(url).unwrap();
            assert_eq!(check(&url).is_err(), refused, "{url}");
            strip(&mut url);
            assert_eq!(url.as_str(), stripped);
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_reads_back(pairs in prop::collection::btree_map("[a-z &=+%ü]{1,8}", "\\PC{0,12}", 0..4)) {
            let mut url = Url::parse("http://h/").unwrap();
            let query = pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            append(&mut url, &query).unwrap();
            let read: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(read, pairs);
            prop_assert!(url.as_str().parse::<hyper::Uri>().is_ok());
        }
    }
}
