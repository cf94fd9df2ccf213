//! Bodies: what each kind becomes, and that JSON stays as it was sent.

use plexsync_harness::{FakePlex, Fault, Host};
use serde_json::{Value, json};

use crate::host;

const JSON: (&str, &str) = ("Content-Type", "application/json");
const XML: (&str, &str) = ("Content-Type", "text/xml;charset=utf-8");

fn get(host: &mut Host, path: &str) -> Value {
    host.call("plex.request", json!({"path": path})).unwrap()
}

/// The answer to these bytes under this content type.
fn answer(content_type: &str, body: impl Into<Vec<u8>>) -> Value {
    let plex = FakePlex::start();
    plex.respond("/body", 200, &[("Content-Type", content_type)], body);
    get(&mut host().plex(&plex).start(), "/body")
}

#[test]
fn json_stays_as_it_was_sent() {
    let sent = r#"{"z":1,"a":1e400,"z":-0.0,"n":123456789012345678901234567890,"e":"\u00e9\/é"}"#;
    let plex = FakePlex::start();
    plex.respond("/odd", 200, &[JSON], sent);
    let mut host = host().plex(&plex).start();
    let _read_raw = host.start_call("plex.request", json!({"path": "/odd"}));
    let line = String::from_utf8(host.read_raw_line().unwrap()).unwrap();
    assert!(line.contains(&format!("\"body\":{sent},\"body_encoding\":\"json\"")), "{line}");
}

#[test]
fn line_ends_in_json_do_not_break_the_line() {
    let answer = answer("application/json", "{\r\n  \"a\": [\n1\n]\n}\n");
    assert_eq!(answer["body"], json!({"a": [1]}));
}

/// Several megabytes of a listing, on several lines, with more in front.
fn long_listing(front: &str) -> String {
    let entries: Vec<_> = (0..60_000)
        .map(|number| {
            format!(r#"{{"key":{number},"title":"Entry \u00e9 é {number}","rating":7.50}}"#)
        })
        .collect();
    format!("{front}{{\"Metadata\":[{}]}}", entries.join(",\n"))
}

#[test]
fn a_long_body_passes_as_it_was_sent() {
    let sent = long_listing("\u{feff}");
    let plex = FakePlex::start();
    plex.respond("/long", 200, &[JSON], sent.clone());
    let mut host = host().plex(&plex).start();
    let _read_raw = host.start_call("plex.request", json!({"path": "/long"}));
    let line = String::from_utf8(host.read_raw_line().unwrap()).unwrap();
    let expected = sent.trim_start_matches('\u{feff}').replace('\n', " ");
    assert!(line.contains(&format!("\"body\":{expected},\"body_encoding\":\"json\"")));
}

#[test]
fn a_long_body_that_lies_comes_as_text_as_it_was_sent() {
    for (broken, reason) in [
        (long_listing("[") + "x]", "invalid JSON: expected `,` or `]` at line 60000 column"),
        (long_listing("") + "\n{}", "invalid JSON: trailing characters at line 60001 column 1"),
        (long_listing("1 "), "invalid JSON: trailing characters at line 1 column 3"),
    ] {
        let answer = answer("application/json", broken.clone());
        assert_eq!(answer["body_encoding"], "text");
        assert!(answer["body"] == broken, "the text is another one");
        assert!(
            answer["body_error"].as_str().unwrap().contains(reason),
            "{}",
            answer["body_error"]
        );
    }
}

#[test]
fn each_kind_has_its_encoding() {
    for (content_type, sent, encoding, body) in [
        ("application/json; charset=utf-8", &b"[1]"[..], "json", json!([1])),
        ("application/problem+json", b"{}", "json", json!({})),
        ("text/xml", b"<A b=\"1\"><C/><C/></A>", "xml", json!({"A": {"b": "1", "C": [{}, {}]}})),
        ("text/html", b"<p>no</p>", "text", json!("<p>no</p>")),
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "text", json!("café")),
        ("text/plain", b"caf\xc3\xa9\n", "text", json!("café\n")),
        ("image/jpeg", b"\xff\xd8\0", "base64", json!("/9gA")),
        ("application/octet-stream", b"{}", "base64", json!("e30=")),
        ("", b"{\"a\":1}", "json", json!({"a": 1})),
        ("", b"plain", "text", json!("plain")),
        ("", b"\0\x01", "base64", json!("AAE=")),
        ("application/json", b"", "none", json!(null)),
    ] {
        let answer = answer(content_type, sent);
        assert_eq!((&answer["body_encoding"], &answer["body"]), (&json!(encoding), &body));
        assert_eq!(answer["body_error"], Value::Null, "{content_type}");
    }
}

#[test]
fn a_body_that_lies_comes_as_text_with_the_reason() {
    for (fault, encoding) in [
        (Fault::CutJson, "text"),
        (Fault::BrokenXml, "text"),
        (Fault::answer(200, &[JSON], "<html>proxy login</html>"), "text"),
        (Fault::answer(200, &[JSON], b"<html>caf\xe9</html>"), "base64"),
        (Fault::answer(200, &[XML], "{}"), "text"),
        (Fault::answer(200, &[("Content-Type", "text/plain; charset=klingon")], "x"), "base64"),
    ] {
        let plex = FakePlex::start();
        plex.fault(fault.clone());
        let answer = get(&mut host().plex(&plex).start(), "/identity");
        assert_eq!(answer["body_encoding"], encoding, "{fault:?}");
        assert!(answer["body_error"].is_string(), "{fault:?}");
        assert_eq!(answer["ok"], true, "{fault:?}");
    }
}

#[test]
fn xml_becomes_the_shape_of_plex_s_own_json() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let params = json!({"path": "/library/sections", "headers": {"Accept": "application/xml"}});
    let from_xml = host.call("plex.request", params).unwrap();
    assert_eq!(from_xml["body_encoding"], "xml");
    let directories = &from_xml["body"]["MediaContainer"]["Directory"];
    let from_json = get(&mut host, "/library/sections");
    let expected = &from_json["body"]["MediaContainer"]["Directory"];
    for (converted, own) in directories.as_array().unwrap().iter().zip(expected.as_array().unwrap())
    {
        assert_eq!(converted["title"], own["title"]);
        assert_eq!(converted["Location"][0]["path"], own["Location"][0]["path"]);
    }
    plex.fault(Fault::ControlByteInXml);
    let odd = get(&mut host, "/identity");
    assert_eq!(odd["body"]["MediaContainer"]["Video"][0]["title"], "AB");
}

#[test]
fn entities_in_xml_do_nothing() {
    let levels = (1..30).map(|n| format!("<!ENTITY e{n} \"&e{};&e{};\">", n - 1, n - 1));
    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY e0 \"boom\">{}]><a b=\"&e29;\">&e29;</a>",
        levels.collect::<String>()
    );
    let outside = "<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><a>&f;</a>";
    for body in [bomb.as_str(), outside] {
        let answer = answer("text/xml", body).to_string();
        assert!(answer.len() < 2 * bomb.len() + 2000, "{} bytes", answer.len());
        assert!(!answer.contains("root:"), "{answer}");
    }
}

#[test]
fn deep_xml_and_json_do_no_harm() {
    let deep = 200_000;
    let xml = "<a>".repeat(deep) + &"</a>".repeat(deep);
    let json = "[".repeat(deep) + &"]".repeat(deep);
    for (content_type, body) in [("text/xml", xml), ("application/json", json)] {
        let plex = FakePlex::start();
        plex.respond("/deep", 200, &[("Content-Type", content_type)], body);
        let mut host = host().plex(&plex).start();
        let _read_raw = host.start_call("plex.request", json!({"path": "/deep"}));
        assert!(host.read_raw_line().unwrap().starts_with(b"{\"jsonrpc\":\"2.0\""));
        host.call("identity.get", json!({})).unwrap();
    }
}

#[test]
fn without_a_body_there_is_none() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for params in [
        json!({"path": "/identity", "method": "HEAD"}),
        json!({"path": "/identity", "parse": "none"}),
        json!({"path": "/empty"}),
        json!({"path": "/no-content"}),
    ] {
        plex.fault(Fault::Empty.on("/empty"));
        plex.fault(Fault::NoContent.on("/no-content"));
        let answer = host.call("plex.request", params.clone()).unwrap();
        assert_eq!(answer["body"], Value::Null, "{params}");
        assert_eq!(answer["body_encoding"], "none", "{params}");
        assert_eq!(answer["ok"], true, "{params}");
    }
}

#[test]
fn the_caller_may_say_what_it_is() {
    let plex = FakePlex::start();
    plex.respond("/body", 200, &[("Content-Type", "text/plain")], "[1]");
    let mut host = host().plex(&plex).start();
    for (parse, body) in [
        ("json", json!([1])),
        ("text", json!("[1]")),
        ("base64", json!("WzFd")),
        ("xml", json!("[1]")),
    ] {
        let params = json!({"path": "/body", "parse": parse});
        let answer = host.call("plex.request", params).unwrap();
        assert_eq!(answer["body"], body, "{parse}");
        assert_eq!(answer["body_error"].is_string(), parse == "xml", "{parse}");
    }
}

/// What bad bytes and control characters cost: a character.
#[test]
fn one_bad_title_never_costs_a_body() {
    for (content_type, sent, body) in [
        (JSON.1, &b"{\"title\":\"caf\xe9\"}"[..], json!({"title": "caf\u{FFFD}"})),
        (JSON.1, b"{\"title\":\"a\nb\x04\"}", json!({"title": "a\nb\u{4}"})),
        (XML.1, b"<Video title='caf\xe9'/>", json!({"Video": {"title": "caf\u{FFFD}"}})),
        ("", b"{\"title\":\"caf\xe9\"}", json!({"title": "caf\u{FFFD}"})),
    ] {
        let answer = answer(content_type, sent);
        assert_eq!(answer["body"], body, "{content_type}");
        assert_eq!(answer["body_encoding"], if content_type == XML.1 { "xml" } else { "json" });
        assert!(answer["body_error"].is_string(), "{content_type}");
    }
    let plex = FakePlex::start();
    plex.respond("/text", 200, &[("Content-Type", "text/plain")], b"caf\xe9");
    let mut host = host().plex(&plex).start();
    let wanted = host.call("plex.request", json!({"path": "/text", "parse": "text"})).unwrap();
    assert_eq!(wanted["body"], "caf\u{FFFD}");
    assert_eq!(wanted["body_error"], "bytes that are not valid UTF-8 became U+FFFD");
    assert_eq!(get(&mut host, "/text")["body_encoding"], "base64");
}

#[test]
fn a_bad_title_does_not_stop_a_scan() {
    let plex = FakePlex::start();
    plex.respond(
        "/library/sections",
        200,
        &[JSON],
        b"{\"MediaContainer\":{\"Directory\":[{\"key\":\"1\",\"title\":\"caf\xe9\",\"Location\":[{\"path\":\"/data\"}]}]}}",
    );
    let mut host = host().plex(&plex).start();
    let scan = host.call("plex.scan", json!({"folder": "/data/x"})).unwrap();
    assert_eq!(scan["section"], "1");
}

/// Whatever a large body is made of: JSON is never refused.
#[test]
fn a_large_body_passes_whatever_it_is_made_of() {
    const LENGTH: usize = 8 << 20;
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for body in [
        format!("\"{}\"", "x".repeat(LENGTH)),
        format!("\"{}\"", "\\u0000".repeat(LENGTH / 6)),
        "7".repeat(LENGTH),
        format!("[{}]", " ".repeat(LENGTH)),
        format!("{}{}", "[".repeat(LENGTH / 2), "]".repeat(LENGTH / 2)),
    ] {
        plex.respond("/large", 200, &[JSON], body.clone());
        let _read_raw = host.start_call("plex.request", json!({"path": "/large"}));
        let line = host.read_raw_line().unwrap();
        let passed = format!("\"body\":{body},\"body_encoding\":\"json\",\"url\"");
        let start = &body[..10];
        assert!(String::from_utf8(line).unwrap().contains(&passed), "{start}...");
    }
}
