use std::time::Instant;

use proptest::prelude::*;
use serde::de::IgnoredAny;

use plexsync_protocol::json::MAX_DEPTH;

use super::*;

fn checked(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = text.to_vec();
    let result = check(&mut bytes);
    if result.is_err() {
        assert_eq!(bytes, text, "a text that is no JSON must stay as it came");
    }
    result.map(|()| bytes)
}

/// What serde_json says, which reads strings without a look at their UTF-8 when it ignores them.
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
fn tells_what_was_expected_where() {
    for (text, message) in [
        ("", "no JSON: expected a value at byte 0"),
        ("{\"a\" 1}", "no JSON: expected `:` at byte 5"),
        ("{\"a\":1,}", "no JSON: expected a string at byte 7"),
        ("[1 2]", "no JSON: expected `,` or `]` at byte 3"),
        ("{} x", "no JSON: expected the end of the text at byte 3"),
        ("\"a\tb\"", "no JSON: expected an escaped control character at byte 2"),
    ] {
        assert_eq!(checked(text.as_bytes()).unwrap_err(), message);
    }
}

#[test]
fn takes_off_the_bom_and_joins_lines() {
    assert_eq!(checked(b"\xEF\xBB\xBF{}").unwrap(), b"{}");
    assert_eq!(checked(b"\r\n{\r\n\t\"a\\n\":\n1\r}\n").unwrap(), b"  {  \t\"a\\n\": 1 } ");
    assert!(checked(b"\xEF\xBB\xBF\xEF\xBB\xBF{}").is_err());
    assert!(checked(b"\xEF\xBB\xBF").is_err());
}

#[test]
fn nests_as_deep_as_it_says() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(checked(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert!(checked(nested(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(checked(objects(MAX_DEPTH).as_bytes()).is_ok());
    assert!(checked(objects(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(checked("[{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    let mixed = format!("{}1", "[{\"a\":".repeat(256));
    assert!(checked(format!("{mixed}{}", "}]".repeat(256)).as_bytes()).is_ok());
    assert!(checked(format!("{mixed}{}", "]}".repeat(256)).as_bytes()).is_err());
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
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(bytes.starts_with(b"\xEF\xBB\xBF") || checked(&bytes).is_ok() == oracle(&bytes));
    }
}

/// `cargo test --release -p plexsync-worker --lib -- --ignored --nocapture how_fast`
#[test]
#[ignore = "prints a figure, checks nothing"]
fn how_fast_is_a_large_listing() {
    let entry = r#"{"ratingKey":"55","key":"/library/metadata/55","type":"movie","title":"Big Buck Bunny","year":2008,
      "summary":"Follow a day of the life of Big Buck Bunny when he meets three bullying rodents.","rating":6.2,
      "Media":[{"id":46,"duration":5062,"Part":[{"id":46,"file":"/data/Big Buck Bunny.mp4","size":13400000}]}]},"#;
    let mut text = b"[".to_vec();
    text.extend(entry.as_bytes().iter().cycle().take(entry.len() * 100_000));
    *text.last_mut().unwrap() = b']';
    for _ in 0..5 {
        let mut bytes = text.clone();
        let start = Instant::now();
        check(&mut bytes).unwrap();
        let ours = start.elapsed();
        let start = Instant::now();
        serde_json::from_slice::<IgnoredAny>(&text).unwrap();
        println!("{} bytes: check {ours:?}, IgnoredAny {:?}", text.len(), start.elapsed());
    }
}
