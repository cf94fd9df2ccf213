use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const UNAUTHORIZED: &str =
    "<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>";

fn decode(parse: Parse, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Decoded {
    super::decode(parse, content_type, body.into().into(), &Stop::default()).unwrap()
}

fn text(decoded: &Decoded) -> Vec<u8> {
    decoded.value.clone().into_bytes()
}

/// What is decoded, as encoding, value, and whether there is an error.
fn outcome(parse: Parse, content_type: Option<&str>, body: &[u8]) -> (BodyEncoding, Value, bool) {
    let decoded = decode(parse, content_type, body);
    let value = serde_json::from_slice(&text(&decoded)).unwrap();
    (decoded.encoding, value, decoded.error.is_some())
}

#[track_caller]
fn auto(
    content_type: impl Into<Option<&'static str>>,
    body: impl AsRef<[u8]>,
    encoding: BodyEncoding,
    value: Value,
) {
    assert_eq!(outcome(Parse::Auto, content_type.into(), body.as_ref()), (encoding, value, false));
}

#[track_caller]
fn broken(
    content_type: impl Into<Option<&'static str>>,
    body: impl AsRef<[u8]>,
    encoding: BodyEncoding,
    value: Value,
) {
    assert_eq!(outcome(Parse::Auto, content_type.into(), body.as_ref()), (encoding, value, true));
}

#[test]
fn goes_by_content_type() {
    use BodyEncoding::{Base64, Json, Text, Xml};
    for json in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/json",
        "application/problem+json",
    ] {
        auto(json, r#"{"a":1}"#, Json, json!({"a": 1}));
    }
    for xml in ["text/xml", "application/xml;charset=utf-8", "application/rss+xml"] {
        auto(xml, "<a b='1'/>", Xml, json!({"a": {"b": "1"}}));
    }
    for plain in [
        "text/html",
        "text/plain; charset=utf-8",
        "TEXT/vtt",
        "application/javascript",
        "image/svg+xml",
        "application/xhtml+xml",
        "application/x-www-form-urlencoded",
        "application/vnd.apple.mpegurl",
    ] {
        auto(plain, "<a/>\n\"", Text, json!("<a/>\n\""));
    }
    for other in ["image/jpeg", "application/octet-stream", "video/mp4", "nonsense"] {
        auto(other, "{}", Base64, json!("e30="));
    }
}

#[test]
fn goes_by_look_without_a_content_type() {
    use BodyEncoding::{Base64, Json, Text, Xml};
    for none in [None, Some(""), Some(" ; charset=utf-8")] {
        auto(none, " {\"a\":1}", Json, json!({"a": 1}));
        auto(none, "\u{FEFF}\n[1]", Json, json!([1]));
        auto(none, "\u{FEFF} <a/>", Xml, json!({"a": {}}));
        auto(none, "{\n", Text, json!("{\n"));
        auto(none, "OK", Text, json!("OK"));
        auto(none, "1", Text, json!("1"));
        auto(none, " ", Text, json!(" "));
        auto(none, "Failure: 200 OK", Text, json!("Failure: 200 OK"));
        auto(
            none,
            r#"<Response code="200" status="OK">"#,
            Text,
            json!(r#"<Response code="200" status="OK">"#),
        );
        auto(none, UNAUTHORIZED, Text, json!(UNAUTHORIZED));
        auto(none, "a\0b", Base64, json!("YQBi"));
        auto(none, b"\xff\xff", Base64, json!("//8="));
        auto(none, PNG, Base64, json!("iVBORw0KGgoAAAANSUhEUg=="));
    }
}

#[test]
fn says_when_a_body_is_not_what_it_claims_to_be() {
    use BodyEncoding::{Base64, Text};
    broken("application/json", UNAUTHORIZED, Text, json!(UNAUTHORIZED));
    broken("application/json", "{\"a\":\n1,}", Text, json!("{\"a\":\n1,}"));
    broken("application/json", "\u{FEFF}", Text, json!(""));
    broken("application/json", PNG, Base64, json!("iVBORw0KGgoAAAANSUhEUg=="));
    broken(
        "text/xml",
        r#"<Response code="200" status="OK">"#,
        Text,
        json!(r#"<Response code="200" status="OK">"#),
    );
    broken(
        "text/xml",
        b"<?xml version='1.0' encoding='latin1'?><a>\xe9",
        Text,
        json!("<?xml version='1.0' encoding='latin1'?><a>é"),
    );
    broken("text/xml", b"<a>\xe9", Base64, json!("PGE+6Q=="));
    broken("text/plain", b"\xe9", Base64, json!("6Q=="));
    broken("text/plain; charset=klingon", "a", Base64, json!("YQ=="));
    for (content_type, message) in [
        ("text/json", "invalid JSON: expected value at line 1 column 1; not valid UTF-8"),
        (
            "text/xml",
            "invalid XML: there is text outside the root element at byte 9; not valid UTF-8",
        ),
        ("text/plain", "not valid UTF-8"),
        ("text/plain; charset=klingon", "its charset is unknown"),
    ] {
        let decoded = decode(Parse::Auto, Some(content_type), b"\x89secret");
        assert_eq!(decoded.error.as_deref(), Some(message));
    }
}

#[test]
fn a_bad_byte_costs_a_character_and_no_body() {
    use BodyEncoding::{Json, Text, Xml};
    let replaced = json!({"a": "caf\u{FFFD}"});
    for content_type in ["application/json", "application/json; charset=utf-8"] {
        broken(content_type, b"{\"a\":\"caf\xe9\"}", Json, replaced.clone());
    }
    broken("text/xml", b"<r a='caf\xe9'/>", Xml, json!({"r": replaced.clone()}));
    broken("", b"{\"a\":\"caf\xe9\"}", Json, replaced.clone());
    broken("", b"<r a='caf\xe9'/>", Xml, json!({"r": replaced}));
    broken("text/xml; charset=klingon", "<r a='é'/>", Xml, json!({"r": {"a": "é"}}));
    auto("application/json; charset=iso-8859-1", b"\"caf\xe9\"", Json, json!("café"));
    auto("application/json; charset=iso-8859-1", "\"café\"", Json, json!("café"));
    auto("application/json", b"\xff\xfe1\0", Json, json!(1));
    let error = |body: &[u8]| decode(Parse::Json, None, body).error.unwrap();
    assert_eq!(error(b"\"\xe9\""), "bytes that are not valid UTF-8 became U+FFFD");
    assert_eq!(
        error(b"\"\xe9\t\""),
        "bytes that are not valid UTF-8 became U+FFFD; control characters in strings were escaped"
    );
    let wanted = outcome(Parse::Text, Some("text/plain"), b"caf\xe9");
    assert_eq!(wanted, (Text, json!("caf\u{FFFD}"), true));
}

#[test]
fn a_raw_control_character_in_json_costs_nothing() {
    use BodyEncoding::{Json, Text};
    broken("application/json", "{\n\"a\":\"1\t2\n3\"}", Json, json!({"a": "1\t2\n3"}));
    broken("application/json", "{\"a\":\"1\t2\"", Text, json!("{\"a\":\"1\t2\""));
}

#[test]
fn does_as_it_is_told() {
    use BodyEncoding::{Base64, Json, Text, Xml};
    let png = json!("iVBORw0KGgoAAAANSUhEUg==");
    for (parse, content_type, body, expected) in [
        (Parse::Json, Some("text/html"), &b"[1]"[..], (Json, json!([1]), false)),
        (Parse::Json, None, b"OK", (Text, json!("OK"), true)),
        (Parse::Json, None, PNG, (Base64, png, true)),
        (Parse::Xml, Some("application/json"), b"<a/>", (Xml, json!({"a": {}}), false)),
        (
            Parse::Xml,
            None,
            UNAUTHORIZED.as_bytes(),
            (
                Xml,
                json!({"html": {
                    "head": [{"title": [{"_text": "Unauthorized"}]}],
                    "body": [{"h1": [{"_text": "401 Unauthorized"}]}],
                }}),
                false,
            ),
        ),
        (Parse::Xml, None, b"{}", (Text, json!("{}"), true)),
        (Parse::Text, Some("application/json"), b"[1]", (Text, json!("[1]"), false)),
        (Parse::Text, None, PNG, (Text, json!("\u{FFFD}PNG\r\n\u{1a}\n\0\0\0\rIHDR"), true)),
        (Parse::Text, None, b"a\0b", (Text, json!("a\0b"), false)),
        (Parse::Base64, Some("application/json"), b"{}", (Base64, json!("e30="), false)),
        (Parse::None, Some("application/json"), b"{}", (BodyEncoding::None, json!(null), false)),
    ] {
        assert_eq!(outcome(parse, content_type, body), expected, "{parse:?} {content_type:?}");
    }
}

#[test]
fn an_empty_body_is_null() {
    for parse in [Parse::Auto, Parse::Json, Parse::Xml, Parse::Text, Parse::Base64, Parse::None] {
        for content_type in [None, Some("application/json"), Some("text/xml"), Some("image/png")] {
            assert_eq!(outcome(parse, content_type, b""), (BodyEncoding::None, json!(null), false));
        }
    }
}

#[test]
fn passes_json_as_it_came() {
    let body = r#"{"z":1e400,"a":123456789012345678901234567890,"z":1.50,"é":"\u00e9"}"#;
    assert_eq!(text(&decode(Parse::Auto, Some("application/json"), body)), body.as_bytes());
    let lines = decode(Parse::Auto, Some("application/json"), b"{\r\n\"a\":\n1}");
    assert_eq!(text(&lines), b"{  \"a\": 1}");
}

#[test]
fn reads_text_in_its_charset() {
    use BodyEncoding::Text;
    auto("text/plain", "é", Text, json!("é"));
    auto("text/plain", "\u{FEFF}é", Text, json!("é"));
    auto("text/plain; charset=\"ISO-8859-1\"", b"\xe9", Text, json!("é"));
    auto("text/plain; format=flowed; Charset = windows-1251", b"\xef\xf0", Text, json!("пр"));
    auto("text/plain; charset=shift_jis", b"\x89\x66", Text, json!("映"));
    auto("text/plain; charset=latin1", b"\xff\xfea\0", Text, json!("a"));
    auto("text/plain; charset=", "é", Text, json!("é"));
}

#[test]
fn writes_text_on_one_line() {
    let all: String = ('\0'..='\u{ff}').chain(['\u{2028}', '\u{FFFE}', '🎬']).collect();
    let decoded = decode(Parse::Text, None, all.clone());
    assert_eq!(serde_json::from_slice::<String>(&text(&decoded)).unwrap(), all);
    assert!(!text(&decoded).iter().any(|byte| *byte < b' '));
}

proptest! {
    #[test]
    fn makes_one_line_of_json_of_anything(
        parse in prop::sample::select(vec![
            Parse::Auto, Parse::Json, Parse::Xml, Parse::Text, Parse::Base64, Parse::None,
        ]),
        content_type in prop::option::of(prop_oneof![
            "(application|text|image)/(json|xml|html|png|x\\+xml)(; ?charset=(utf-8|utf-16|latin1|gbk|x))?",
            ".{0,20}",
        ]),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            ".{0,64}".prop_map(String::into_bytes),
            "[\\[\\]{}:,\"0-9a\\n]{0,20}".prop_map(String::into_bytes),
            "(<a>|</a>|<b c='&#1;\n'/>|x|\n){0,12}".prop_map(String::into_bytes),
        ],
    ) {
        let decoded = decode(parse, content_type.as_deref(), body.clone());
        let json = text(&decoded);
        let value = serde_json::from_slice::<Box<serde_json::value::RawValue>>(&json);
        prop_assert!(value.is_ok(), "{:?}", String::from_utf8_lossy(&json));
        prop_assert!(memchr::memchr2(b'\n', b'\r', &json).is_none());
        prop_assert_eq!(decoded.encoding == BodyEncoding::None, body.is_empty() || parse == Parse::None);
        if decoded.encoding == BodyEncoding::Base64 {
            let value = serde_json::from_slice::<String>(&json).unwrap();
            prop_assert_eq!(STANDARD.decode(value).unwrap(), body);
        }
    }
}
