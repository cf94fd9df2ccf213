//! Bodies: what each kind becomes, that JSON stays as it was sent, and that the size has a limit.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use plexsync_harness::fake_plex::{Encoding, Kind};
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

fn gzip(pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    pieces.into_iter().for_each(|piece| encoder.write_all(&piece).unwrap());
    encoder.finish().unwrap()
}

#[test]
fn decoding_ends_with_the_time_of_the_call_and_gives_its_memory_back() {
    let blank = std::iter::repeat_n(vec![b' '; 1 << 20], 600);
    let bomb = gzip([b"[".to_vec()].into_iter().chain(blank).chain([b"]".to_vec()]));
    let plex = FakePlex::start();
    plex.respond("/bomb", 200, &[JSON, ("Content-Encoding", "gzip")], bomb);
    let mut host = host().plex(&plex).start();
    let params = json!({"path": "/bomb", "max_bytes": 1 << 30, "timeout_ms": 400});
    let error = host.call("plex.request", params).unwrap_err();
    assert_eq!((error.code, &error.data.unwrap()["phase"]), (-32011, &json!("body")));
    get(&mut host, "/identity");
    assert!(is_given_back(&host), "{:?}", host.memory_kib());
}

/// Whether the worker soon holds no more than one without bodies.
fn is_given_back(host: &Host) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while host.memory_kib().now > 40_000 {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[test]
fn the_memory_of_a_body_is_given_back() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for megabytes in [2, 12, 30, 60, 30, 12, 2] {
        let body = format!("\"{}\"", "x".repeat(megabytes * 1_000_000));
        plex.respond("/large", 200, &[JSON], body);
        let _read_raw = host.start_call("plex.request", json!({"path": "/large"}));
        host.read_raw_line().unwrap();
        assert!(is_given_back(&host), "{megabytes} MB: {:?}", host.memory_kib());
    }
}

#[test]
fn compressed_bodies_are_decoded() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let plain = get(&mut host, "/library/sections");
    for encoding in [Encoding::Gzip, Encoding::Deflate, Encoding::RawDeflate, Encoding::Brotli] {
        plex.fault(Fault::Encoded(encoding));
        let decoded = get(&mut host, "/library/sections");
        assert_eq!(decoded["body"], plain["body"], "{encoding:?}");
        assert_eq!(decoded["headers"]["content-encoding"], Value::Null, "{encoding:?}");
    }
    let asked = plex.requests()[0].header("Accept-Encoding").unwrap().to_owned();
    for encoding in ["gzip", "deflate", "br"] {
        assert!(asked.contains(encoding), "{asked}");
    }
}

#[test]
fn codings_are_known_in_any_letter_case_and_gzip_in_several_members() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let body = [gzip([b"[1,".to_vec()]), gzip([b"2]".to_vec()])].concat();
    for name in ["gzip", "GZIP", "x-gzip", "X-GZip"] {
        plex.respond("/gz", 200, &[JSON, ("Content-Encoding", name)], body.clone());
        assert_eq!(get(&mut host, "/gz")["body"], json!([1, 2]), "{name}");
    }
    plex.respond("/gz", 200, &[JSON, ("Content-Encoding", "zstd")], "{}");
    let foreign = get(&mut host, "/gz");
    assert_eq!((&foreign["body"], &foreign["body_encoding"]), (&json!("e30="), &json!("base64")));
    assert!(foreign["body_error"].is_string());
}

#[test]
fn damaged_compression_is_told_with_a_way_round() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for fault in [Fault::FalseGzip, Fault::CutGzip] {
        plex.fault(fault.clone());
        let error = host.call("plex.request", json!({"path": "/identity"})).unwrap_err();
        assert_eq!((error.code, &error.data.unwrap()["kind"]), (-32010, &json!("protocol")));
        let hint = r#""headers": {"Accept-Encoding": "identity"}"#;
        assert!(error.message.contains(hint), "{fault:?}: {}", error.message);
    }
    let params = json!({"path": "/identity", "headers": {"Accept-Encoding": "identity"}});
    host.call("plex.request", params).unwrap();
    assert_eq!(plex.requests().last().unwrap().header("Accept-Encoding"), Some("identity"));
}

#[test]
fn the_limit_is_for_decoded_bytes() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let mut ask = |fault: Fault, max_bytes: u64| {
        plex.fault(fault);
        host.call(
            "plex.request",
            json!({"path": "/body", "max_bytes": max_bytes, "parse": "text", "retries": 0}),
        )
    };
    for fault in [Fault::Big(Kind::Json, 100_000), Fault::GzipBomb(100_000)] {
        assert_eq!(ask(fault.clone(), 100_000).unwrap()["status"], 200, "{fault:?}");
        let error = ask(fault.clone(), 99_999).unwrap_err();
        assert_eq!(error.code, -32012, "{fault:?}");
        assert!(error.message.contains("max_bytes"), "{}", error.message);
    }
}

/// 50 MB of JSON: at most one and a half times the body, beside what the worker needed before. Twice would be two of it.
#[test]
fn a_large_body_is_held_once() {
    const BODY: u64 = 50_000_000;
    let plex = FakePlex::start();
    for (kind, share) in [(Kind::Json, 3), (Kind::Binary, 6)] {
        let mut host = host().plex(&plex).start();
        get(&mut host, "/identity");
        let before = host.memory_kib().peak;
        plex.fault(Fault::Big(kind, BODY));
        let _read_raw = host.start_call("plex.request", json!({"path": "/library"}));
        assert!(host.read_raw_line().unwrap().len() as u64 > BODY);
        let grown = (host.memory_kib().peak - before) * 1024;
        assert!(grown <= BODY * share / 2, "{kind:?}: {grown} bytes");
    }
}
