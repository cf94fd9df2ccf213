//! Large and compressed bodies: they are decoded within the call's time, have a limit, and leave no memory behind.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use plexsync_harness::fake_plex::{Encoding, Kind};
use plexsync_harness::{FakePlex, Fault, Host};
use serde_json::{Value, json};

use crate::host;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn get(host: &mut Host, path: &str) -> Value {
    host.call("plex.request", json!({"path": path})).unwrap()
}

fn gzip(pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    pieces.into_iter().for_each(|piece| encoder.write_all(&piece).unwrap());
    encoder.finish().unwrap()
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
    let coded = |name| ("Content-Encoding", name);
    for headers in [&[JSON, coded("zstd")][..], &[JSON, coded("gzip"), coded("br")]] {
        plex.respond("/gz", 200, headers, "{}");
        let foreign = get(&mut host, "/gz");
        assert_eq!(
            (&foreign["body"], &foreign["body_encoding"]),
            (&json!("e30="), &json!("base64"))
        );
        assert!(foreign["body_error"].is_string());
    }
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
