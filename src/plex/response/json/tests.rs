use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

fn checked(text: &[u8]) -> Result<Vec<u8>, String> {
    let text = str::from_utf8(text).map_err(|error| error.to_string())?;
    check(text).map(|()| {
        let mut bytes = text.as_bytes().to_vec();
        on_one_line(&mut bytes, &Stop::default()).unwrap();
        bytes
    })
}

fn escaped(text: &str) -> Option<String> {
    with_controls_escaped(text, &Stop::default()).unwrap()
}

/// What serde_json says when it builds nothing, which reads strings without a look at their UTF-8.
fn oracle(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok() && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

#[test]
fn passes_json_as_it_came() {
    for text in [
        "{}",
        "[]",
        "0",
        "-0",
        "-0.0e-0",
        "1e400",
        "123456789012345678901234567890",
        "1.50",
        r#""""#,
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"":null}"#,
        r#""\u00e9\ud800 \/ \" \\ \b\f\n\r\t""#,
        r#" [ true , false , null ] "#,
        r#"["a longer string with a \"quote\" in it, ünïcödé, 映画 and 🎬 at the end"]"#,
        "\"\u{7f}\u{2028}\"",
        r#"[[],{},[{}],{"a":[]}]"#,
    ] {
        assert_eq!(checked(text.as_bytes()), Ok(text.as_bytes().to_vec()), "{text}");
        assert!(oracle(text.as_bytes()), "{text}");
    }
}

#[test]
fn refuses_what_is_no_json() {
    let texts: &[&[u8]] = &[
        b"",
        b" ",
        b"{",
        b"[",
        b"}",
        b"]",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,1]",
        b"{\"a\"}",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{a:1}",
        b"{'a':1}",
        b"{\"a\":1]",
        b"[1}",
        b"{\"a\":1 \"b\":2}",
        b"[1 2]",
        b"1 2",
        b"{}{}",
        b"nul",
        b"nulll",
        b"True",
        b"NaN",
        b"Infinity",
        b"01",
        b"-",
        b"+1",
        b".5",
        b"1.",
        b"1e",
        b"1e+",
        b"0x1",
        b"\"",
        b"\"abc",
        b"\"\\\"",
        b"\"\\x\"",
        b"\"\\u12\"",
        b"\"\\u12g4\"",
        b"\"\\",
        b"\"a\nb\"",
        b"\"a\x00b\"",
        b"\"1234567\x1f\"",
        b"\"\xff\"",
        b"\"12345678\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\xff",
        b"[1]\0",
        b"// c\n1",
        b"1\xc2\xa0",
        b"\x0c1",
    ];
    for text in texts {
        assert!(checked(text).is_err(), "{:?}", String::from_utf8_lossy(text));
        assert!(!oracle(text), "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn says_what_was_expected_where() {
    for (text, message) in [
        ("", "invalid JSON: EOF while parsing a value at line 1 column 0"),
        ("{\"a\" 1}", "invalid JSON: expected `:` at line 1 column 6"),
        ("[1\n 2]", "invalid JSON: expected `,` or `]` at line 2 column 2"),
        ("{} secret", "invalid JSON: trailing characters at line 1 column 4"),
    ] {
        assert_eq!(checked(text.as_bytes()).unwrap_err(), message);
    }
}

#[test]
fn line_ends_become_spaces() {
    let line = checked(b"\r\n{\r\n\t\"a\\n\":\n1\r}\n").unwrap();
    assert_eq!(line, b"  {  \t\"a\\n\": 1 } ");
}

#[test]
fn no_depth_of_nesting_ends_the_process() {
    let deep = 30_000_000;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(checked(nested(512).as_bytes()).is_ok());
    assert!(checked(nested(deep).as_bytes()).is_ok());
    assert!(checked(objects(1_000_000).as_bytes()).is_ok());
    assert!(checked("[".repeat(deep).as_bytes()).is_err());
    assert!(checked("[{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    let mixed = format!("{}1", "[{\"a\":".repeat(256));
    assert!(checked(format!("{mixed}{}", "}]".repeat(256)).as_bytes()).is_ok());
    assert!(checked(format!("{mixed}{}", "]}".repeat(256)).as_bytes()).is_err());
}

#[test]
fn control_characters_are_escaped_in_strings_only() {
    for (text, expected) in [
        ("\"a\tb\"", Some("\"a\\u0009b\"")),
        ("{\n\"a\nb\":\r\"\0\"}", Some("{\n\"a\\u000ab\":\r\"\\u0000\"}")),
        ("[\"\\\\\x1f\", \"\\\"\x01é\"]", Some("[\"\\\\\\u001f\", \"\\\"\\u0001é\"]")),
        ("[\n1,\t2]", None),
        ("\"\\n\"", None),
        ("", None),
    ] {
        assert_eq!(escaped(text).as_deref(), expected, "{text:?}");
    }
}

#[test]
fn passes_what_plex_writes() {
    for (_, body) in plexsync_harness::fixtures::plex("json") {
        let line = checked(&body).unwrap();
        let [before, after] =
            [&body, &line].map(|text| serde_json::from_slice::<serde_json::Value>(text).unwrap());
        assert_eq!(before, after);
        assert!(!line.contains(&b'\n'));
    }
}

/// JSON texts, with and without white space.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,24}".prop_map(Into::into),
        "[ -~]{0,40}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::hash_map(".{0,12}", inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    (value, any::<bool>()).prop_map(|(value, pretty)| match pretty {
        true => serde_json::to_string_pretty(&value).unwrap(),
        false => serde_json::to_string(&value).unwrap(),
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json_on_json(text in texts()) {
        prop_assert!(oracle(text.as_bytes()));
        let line = checked(text.as_bytes()).unwrap();
        prop_assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&line).unwrap(),
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        );
        prop_assert!(memchr::memchr2(b'\n', b'\r', &line).is_none());
    }

    #[test]
    fn agrees_with_serde_json_on_broken_json(
        text in texts(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>(), 0..20usize), 1..4),
    ) {
        let mut bytes = text.into_bytes();
        for (place, what, byte, likely) in changes {
            let byte = b"\"\\{}[],:0-.eE+tu \n".get(likely).copied().unwrap_or(byte);
            let place = place.index(bytes.len() + 1);
            match what {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => bytes[place] = byte,
                _ => bytes.truncate(place),
            }
        }
        prop_assert_eq!(checked(&bytes).is_ok(), oracle(&bytes), "{:?}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn agrees_with_serde_json_on_token_soup(text in r#"[\[\]{},:"\\ \n0-9a-fntrue.+-]{0,40}"#) {
        prop_assert_eq!(checked(text.as_bytes()).is_ok(), oracle(text.as_bytes()));
    }

    #[test]
    fn a_string_with_any_control_characters_is_read_as_it_was_meant(text in prop::collection::vec(
        prop_oneof![any::<char>(), (0..0x20u8).prop_map(char::from)].prop_filter("they end it", |c| !matches!(c, '"' | '\\')),
        0..40,
    )) {
        let text: String = text.into_iter().collect();
        let raw = format!("[\"{text}\",\n\t1]");
        let json = escaped(&raw).unwrap_or(raw);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(value, serde_json::json!([text, 1]));
    }
}
