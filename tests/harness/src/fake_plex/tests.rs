#![expect(clippy::too_many_lines, reason = "a table of requests and answers")]

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::*;

const JSON: &str = "Accept: application/json\r\n";

/// What came back, and how it ended.
struct Raw {
    bytes: Vec<u8>,
    error: Option<io::ErrorKind>,
}

impl Raw {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn status(&self) -> u16 {
        self.text().split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\r\n\r\n").next().unwrap_or_default().to_owned();
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }

    fn body(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n");
        end.map_or(&[], |end| &self.bytes[end + 4..])
    }

    fn json(&self) -> Value {
        serde_json::from_slice(self.body())
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Sends one request, and reads at most `limit` bytes or until the connection ends.
fn ask_for(plex: &FakePlex, method: &str, target: &str, headers: &str, limit: usize) -> Raw {
    let mut socket = TcpStream::connect(("127.0.0.1", plex.port())).unwrap();
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut raw = Raw { bytes: Vec::new(), error: None };
    let mut piece = vec![0; 64 * 1024];
    while raw.bytes.len() < limit {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => raw.bytes.extend_from_slice(&piece[..count]),
            Err(error) => {
                raw.error = Some(error.kind());
                break;
            }
        }
    }
    raw
}

/// As the owner's device `id`.
fn ask(plex: &FakePlex, method: &str, target: &str, headers: &str) -> Raw {
    let identity =
        format!("X-Plex-Token: {}\r\nX-Plex-Client-Identifier: id-1\r\n{headers}", plex.token());
    ask_for(plex, method, target, &identity, usize::MAX)
}

#[test]
fn endpoints_answer_as_plex_does() {
    let plex = FakePlex::start();
    let xml = "text/xml;charset=utf-8";
    type Row = (&'static str, &'static str, &'static str, u16, Option<&'static str>, &'static str);
    let table: &[Row] = &[
        ("GET", "/", JSON, 200, Some("application/json"), r#""friendlyName":"Attic""#),
        ("GET", "/", "", 200, Some(xml), r#"friendlyName="Attic""#),
        ("GET", "/", "Accept: application/json, */*\r\n", 200, Some(xml), "<MediaContainer "),
        ("HEAD", "/", JSON, 200, Some("application/json"), ""),
        ("GET", "/identity", JSON, 200, Some("application/json"), r#""claimed":true"#),
        ("GET", "/web", "", 301, None, "Location: http://home.example:32400/web/index.html"),
        ("GET", "/media/providers", JSON, 200, Some("application/json"), "MediaProvider"),
        (
            "GET",
            "/library/sections",
            "",
            200,
            Some(xml),
            r#"<Location id="10" path="/media/movies"/>"#,
        ),
        ("GET", "/library/sections/1", JSON, 200, Some("application/json"), "Movies"),
        ("GET", "/library/sections/77/all", JSON, 404, Some("text/html"), "404 Not Found"),
        ("POST", "/library/sections/1/refresh", "", 200, None, ""),
        ("DELETE", "/library/sections/1/refresh", "", 200, None, ""),
        ("GET", "/library/metadata/5/refresh", "", 405, Some("text/html"), "405"),
        ("PUT", "/library/metadata/5/refresh", "", 200, None, ""),
        ("GET", "/library/metadata/5", JSON, 200, Some("application/json"), "Film 5"),
        ("PUT", "/:/prefs?FriendlyName=x", "", 200, None, ""),
        ("GET", "/:/prefs", "", 400, Some("text/html"), "400 Bad Request"),
        ("GET", "/:/prefs", "", 200, Some(xml), "FriendlyName"),
        ("GET", "/:/scrobble?key=1", "", 200, None, ""),
        ("GET", "/status/sessions", "", 200, Some(xml), "size=\"0\""),
        ("GET", "/devices", "", 200, Some(xml), r#"clientIdentifier="id-1""#),
        ("GET", "/photo/:/transcode", "", 200, Some("image/jpeg"), "JFIF"),
        ("GET", "/resources", JSON, 200, None, "<MediaContainer"),
        ("DELETE", "/transcode/sessions/x", "", 404, Some("text/html"), "Not Found"),
        (
            "GET",
            "/api/v2/ping",
            JSON,
            200,
            Some("application/json; charset=utf-8"),
            r#"{"pong":true}"#,
        ),
        ("GET", "/api/v2/user", JSON, 200, Some("application/json; charset=utf-8"), "owner"),
        ("GET", "/api/v2/user", "", 200, Some("application/xml; charset=utf-8"), "<response "),
        (
            "GET",
            "/api/v2/resources",
            JSON,
            200,
            Some("application/json; charset=utf-8"),
            "connections",
        ),
        ("GET", "/devices.xml", JSON, 200, Some("application/xml; charset=utf-8"), "<Device "),
        ("GET", "/api/v2/nothing", JSON, 404, Some("application/json; charset=utf-8"), "1002"),
    ];
    for (method, target, headers, status, content_type, said) in table {
        let raw = ask(&plex, method, target, headers);
        let context = format!("{method} {target} {headers:?}: {}", raw.text());
        assert_eq!(raw.status(), *status, "{context}");
        assert_eq!(raw.header("content-type").as_deref(), *content_type, "{context}");
        assert!(raw.text().contains(said), "{context}");
        assert_eq!(raw.error, None, "{context}");
    }
    assert_eq!(plex.requests().len(), table.len());
    assert_eq!(plex.devices().len(), 1, "one identifier is one device");
}

#[test]
fn refusals_have_the_lengths_that_plex_was_seen_to_send() {
    let plex = FakePlex::start();
    let shared = format!("X-Plex-Token: {}\r\n", plex.shared_token());
    let jwt = "X-Plex-Token: eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln\r\n";
    let table = [
        ("/", "", 401, 193),
        ("/library/sections", "", 401, 91),
        ("/library/sections", jwt, 401, 91),
        ("/library/sections", "X-Plex-Token: wrong\r\n", 401, 91),
        ("/status/sessions", shared.as_str(), 403, 85),
        ("/nothing", shared.as_str(), 404, 85),
    ];
    for (target, headers, status, length) in table {
        let raw = ask_for(&plex, "GET", target, headers, usize::MAX);
        assert_eq!((raw.status(), raw.body().len()), (status, length), "{target}: {}", raw.text());
    }
    assert!(plex.events().len() == 2, "only the two with a good token were new devices");
}

#[test]
fn an_unknown_identifier_is_one_new_device_and_none_is_one_each_time() {
    let plex = FakePlex::start();
    let token = format!("X-Plex-Token: {}\r\n", plex.token());
    let with = |id: &str, more: &str| {
        let headers = format!("{token}x-plex-client-identifier: {id}\r\n{more}");
        ask_for(&plex, "GET", "/", &headers, usize::MAX);
    };
    with("a", "X-Plex-Platform: Linux\r\nX-Plex-Device-Name: One\r\n");
    with("a", "X-Plex-Device-Name: Two\r\n");
    assert_eq!(plex.events().len(), 1);
    assert!(plex.events()[0].to_string().contains("One (Linux)"), "{}", plex.events()[0]);
    assert_eq!(plex.devices()[0].name.as_deref(), Some("Two"));
    assert_eq!(plex.devices()[0].requests, 2);

    with("", "");
    with("", "");
    assert_eq!(plex.events().len(), 3, "each request without an identifier is a new device");
    ask_for(&plex, "GET", "/", "X-Plex-Client-Identifier: b\r\n", usize::MAX);
    ask_for(&plex, "GET", "/", "X-Plex-Client-Identifier: b\r\nX-Plex-Token: x\r\n", usize::MAX);
    assert_eq!(plex.events().len(), 3, "without a good token nothing is registered");

    assert!(plex.forget("a") && !plex.forget("a"));
    with("a", "");
    assert_eq!(plex.events().len(), 4, "a forgotten device is new again");

    let target = format!("/?X-Plex-Client-Identifier=q&X-Plex-Token={}", plex.token());
    ask_for(&plex, "GET", &target, "X-Plex-Client-Identifier: h\r\n", usize::MAX);
    let device = plex.devices().pop().unwrap();
    assert_eq!(device.identifier.as_deref(), Some("h"));
    assert_eq!(device.conflicting, ["q"]);
}

#[test]
fn the_servers_own_token_overwrites_the_servers_row() {
    let plex = FakePlex::start();
    let headers =
        format!("X-Plex-Token: {}\r\nX-Plex-Provides: controller\r\n", plex.server_token());
    ask_for(&plex, "GET", "/", &headers, usize::MAX);
    assert_eq!(plex.server_row().0, "controller");
}

#[test]
fn pages_come_by_header_and_by_query() {
    let plex = FakePlex::start();
    plex.set_items("3", 250);
    let page = |start: &str, size: &str| {
        let headers =
            format!("{JSON}X-Plex-Container-Start: {start}\r\nX-Plex-Container-Size: {size}\r\n");
        ask(&plex, "GET", "/library/sections/3/all", &headers)
    };
    for (start, size, expected) in
        [("0", "100", 100), ("200", "100", 50), ("300", "100", 0), ("0", "0", 0)]
    {
        let raw = page(start, size);
        let container = &raw.json()["MediaContainer"];
        assert_eq!(container["size"], json!(expected));
        assert_eq!(container["totalSize"], json!(250));
        assert_eq!(container["offset"], json!(start.parse::<u64>().unwrap()));
        assert_eq!(container["Metadata"].as_array().map_or(0, Vec::len), expected);
        assert_eq!(raw.header("X-Plex-Container-Total-Size").as_deref(), Some("250"));
    }
    let raw = ask(
        &plex,
        "GET",
        "/library/sections/3/all?X-Plex-Container-Start=9&X-Plex-Container-Size=1",
        JSON,
    );
    assert_eq!(raw.json()["MediaContainer"]["Metadata"][0]["ratingKey"], "3000009");

    plex.set_paging(Paging::Strict);
    let raw = ask(&plex, "GET", "/library/sections/3/all", JSON);
    assert!(raw.status() == 400 && raw.text().contains("Missing X-Plex-Container-Size header."));
    assert_eq!(page("0", "1").status(), 200);
    plex.set_paging(Paging::AtMost(7));
    assert_eq!(page("0", "100").json()["MediaContainer"]["size"], 7);
    plex.set_paging(Paging::Ignored);
    assert_eq!(page("0", "100").json()["MediaContainer"]["size"], 250);
    plex.set_paging(Paging::WithoutTotal);
    assert_eq!(page("0", "100").json()["MediaContainer"]["totalSize"], Value::Null);
}

#[test]
fn a_listing_that_stands_in_a_file_is_answered_byte_for_byte() {
    let plex = FakePlex::start();
    let body = ask(&plex, "GET", "/library/sections/1/all", JSON).body().to_owned();
    assert_eq!(body, library::MOVIES.as_bytes());
    let target = "/library/sections/1/all?X-Plex-Container-Start=1&X-Plex-Container-Size=2";
    assert_eq!(ask(&plex, "GET", target, JSON).json()["MediaContainer"]["totalSize"], 4);
}

#[test]
fn scans_are_remembered() {
    let plex = FakePlex::start();
    ask(&plex, "GET", "/library/sections/1/refresh?path=%2Fmedia%2Fmovies%2FA%20%26%20B", "");
    ask(&plex, "GET", "/library/sections/2/refresh", "");
    let [one, whole] = [Some("/media/movies/A & B".to_owned()), None];
    let expected =
        [Scan { section: "1".into(), path: one }, Scan { section: "2".into(), path: whole }];
    assert_eq!(plex.scans(), expected);
}

#[test]
fn a_pin_belongs_to_the_device_that_asked_for_it() {
    let plex = FakePlex::start();
    let id = |id: &str| format!("{JSON}X-Plex-Client-Identifier: {id}\r\n");
    assert_eq!(
        ask_for(&plex, "POST", "/api/v2/pins", JSON, usize::MAX).json()["errors"][0]["code"],
        1000
    );
    let pin = ask_for(&plex, "POST", "/api/v2/pins", &id("a"), usize::MAX);
    assert_eq!(pin.status(), 201);
    let target = format!("/api/v2/pins/{}", pin.json()["id"]);
    assert_eq!(ask_for(&plex, "GET", &target, &id("b"), usize::MAX).status(), 404);
    assert!(plex.approve_pin(pin.json()["code"].as_str().unwrap()));
    let mine = ask_for(&plex, "GET", &target, &id("a"), usize::MAX);
    assert_eq!(mine.json()["authToken"].as_str(), Some(plex.token().as_str()));
}

#[test]
fn deleting_ones_own_device_revokes_its_token() {
    let plex = FakePlex::start();
    ask(&plex, "GET", "/", "");
    let number = plex.devices()[0].number;
    assert_eq!(ask(&plex, "DELETE", &format!("/devices/{number}.xml"), "").status(), 200);
    assert_eq!(ask(&plex, "GET", "/", "").status(), 401);
}

#[test]
fn other_programs_can_look_and_are_not_seen() {
    let plex = FakePlex::start();
    ask(&plex, "GET", "/library/sections?a=b", "");
    let requests = ask_for(&plex, "GET", "/__fake/requests", "", usize::MAX).json();
    assert_eq!(requests[0]["target"], "/library/sections?a=b");
    assert_eq!(requests[0]["headers"][0], json!(["Host", "h"]));
    assert_eq!(
        ask_for(&plex, "GET", "/__fake/events", "", usize::MAX).json()[0]["identifier"],
        "id-1"
    );
    assert_eq!(ask_for(&plex, "POST", "/__fake/forget/id-1", "", usize::MAX).json(), true);
    assert_eq!(ask_for(&plex, "GET", "/__fake/devices", "", usize::MAX).json(), json!([]));
    ask_for(&plex, "POST", "/__fake/clear", "", usize::MAX);
    assert_eq!(plex.requests().len(), 0);
}

#[test]
fn held_requests_wait_for_their_release() {
    let plex = FakePlex::start();
    plex.hold_on("/library");
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| ask(&plex, "GET", "/library/sections", "").status()))
            .collect();
        plex.wait_held(3);
        assert_eq!(ask(&plex, "GET", "/identity", "").status(), 200, "others are not held");
        plex.release();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == 200));
    });
    plex.wait_held(0);
}

#[test]
fn a_client_that_goes_away_is_no_longer_held() {
    let plex = FakePlex::start();
    plex.hold();
    let mut socket = TcpStream::connect(("127.0.0.1", plex.port())).unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    plex.wait_held(1);
    drop(socket);
    plex.wait_held(0);
}

#[test]
fn plans_are_taken_in_order_for_the_requests_they_fit() {
    let plex = FakePlex::start();
    plex.fault(Fault::Maintenance.times(2).on("/library"));
    plex.fault(Fault::RateLimited(Some("3".into())));
    plex.respond("/custom", 418, &[("X-A", "b")], "tea");
    let status = |target: &str| ask(&plex, "GET", target, "").status();
    assert_eq!(status("/library/sections"), 503);
    assert_eq!(status("/identity"), 429, "the first plan is for /library only");
    assert_eq!([status("/library/sections"), status("/library/sections")], [503, 200]);
    let custom = ask(&plex, "GET", "/custom?a=b", "");
    assert_eq!((custom.status(), custom.body()), (418, &b"tea"[..]));
    assert_eq!(custom.header("x-a").as_deref(), Some("b"));
    plex.fault(Fault::NoContent.always());
    assert_eq!([status("/"), status("/identity")], [204, 204]);
    plex.no_faults();
    assert_eq!(status("/identity"), 200);
}

#[test]
fn every_fault_does_what_its_name_says() {
    type Check = fn(&Raw) -> bool;
    let table: Vec<(Fault, usize, Check)> = vec![
        (Fault::Delay(Duration::ZERO), usize::MAX, |raw| raw.status() == 200),
        (Fault::Maintenance, usize::MAX, |raw| {
            raw.status() == 503 && raw.text().contains(r#"title="Maintenance""#)
        }),
        (Fault::Starting, usize::MAX, |raw| {
            raw.json()["MediaContainer"]["startState"] == "startingPlugins"
        }),
        (Fault::CloseWithoutAnswer, usize::MAX, |raw| raw.bytes.is_empty() && raw.error.is_none()),
        (Fault::ResetWithoutAnswer, usize::MAX, |raw| {
            raw.error == Some(io::ErrorKind::ConnectionReset)
        }),
        (Fault::CloseAfterAnswer, usize::MAX, |raw| {
            raw.header("connection").as_deref() == Some("Keep-Alive") && raw.json().is_object()
        }),
        (Fault::ResetMidBody, usize::MAX, |raw| raw.error == Some(io::ErrorKind::ConnectionReset)),
        (Fault::TruncatedChunked, usize::MAX, |raw| {
            raw.header("content-length").is_none()
                && !raw.text().ends_with("0\r\n\r\n")
                && raw.header("transfer-encoding").as_deref() == Some("chunked")
        }),
        (Fault::Chunked, usize::MAX, |raw| {
            raw.text().contains("\r\n\r\n7\r\n")
                && raw.text().ends_with("0\r\nX-Trailer: here\r\n\r\n")
        }),
        (Fault::LengthTooLong, usize::MAX, |raw| announced(raw) == raw.body().len() + 100),
        (Fault::LengthTooShort, usize::MAX, |raw| announced(raw) == raw.body().len() / 2),
        (Fault::StallBody, 250, |raw| announced(raw) > raw.body().len() && raw.error.is_none()),
        (Fault::EndlessHeaders, 3_000_000, |raw| {
            raw.body().is_empty() && raw.text().contains("X-Filler-1000:")
        }),
        (Fault::Drip(Duration::ZERO), usize::MAX, |raw| raw.json().is_object()),
        (Fault::InformationalFlood(50), usize::MAX, |raw| {
            raw.text().matches("103 Early Hints").count() == 50
                && raw.text().contains("HTTP/1.1 200 OK")
        }),
        (Fault::NotHttp, usize::MAX, |raw| raw.bytes.starts_with(b"SSH-")),
        (Fault::FalseGzip, usize::MAX, |raw| {
            raw.header("content-encoding").as_deref() == Some("gzip") && raw.json().is_object()
        }),
        (Fault::Encoded(Encoding::Gzip), usize::MAX, |raw| {
            decodes(raw, &mut flate2::read::GzDecoder::new(raw.body()))
        }),
        (Fault::Encoded(Encoding::Deflate), usize::MAX, |raw| {
            decodes(raw, &mut flate2::read::ZlibDecoder::new(raw.body()))
        }),
        (Fault::Encoded(Encoding::RawDeflate), usize::MAX, |raw| {
            decodes(raw, &mut flate2::read::DeflateDecoder::new(raw.body()))
        }),
        (Fault::Encoded(Encoding::Brotli), usize::MAX, |raw| {
            decodes(raw, &mut brotli::Decompressor::new(raw.body(), 4096))
        }),
        (Fault::CutGzip, usize::MAX, |raw| {
            announced(raw) == raw.body().len()
                && flate2::read::GzDecoder::new(raw.body()).read_to_end(&mut Vec::new()).is_err()
        }),
        (Fault::GzipBomb(20_000_000), usize::MAX, |raw| {
            raw.body().len() < 40_000 && raw.text().ends_with("0\r\n\r\n")
        }),
        (Fault::ControlBytesInHeader, usize::MAX, |raw| {
            raw.text().contains("X-Odd: a\u{1}b\u{b}c\u{7f}\r\n")
        }),
        (Fault::Latin1Header, usize::MAX, |raw| {
            raw.bytes.windows(6).any(|window| window == b"caf\xe9\r\n")
        }),
        (Fault::InvalidUtf8, usize::MAX, |raw| std::str::from_utf8(raw.body()).is_err()),
        (Fault::CutJson, usize::MAX, |raw| {
            announced(raw) == raw.body().len()
                && serde_json::from_slice::<Value>(raw.body()).is_err()
        }),
        (Fault::ControlByteInXml, usize::MAX, |raw| raw.body().contains(&4)),
        (Fault::BrokenXml, usize::MAX, |raw| !raw.text().ends_with('>')),
        (Fault::NoContent, usize::MAX, |raw| {
            raw.status() == 204 && raw.header("content-length").is_none()
        }),
        (Fault::Empty, usize::MAX, |raw| {
            raw.status() == 200 && announced(raw) == 0 && raw.header("content-type").is_none()
        }),
        (Fault::NoContentType, usize::MAX, |raw| {
            raw.json().is_object() && raw.header("content-type").is_none()
        }),
        (Fault::Big(Kind::Json, 1_000_000), usize::MAX, |raw| {
            raw.body().len() == 1_000_000 && raw.json()["MediaContainer"]["Metadata"].is_array()
        }),
        (Fault::Big(Kind::Xml, 300_000), usize::MAX, |raw| {
            raw.body().len() == 300_000 && raw.text().ends_with("</MediaContainer>")
        }),
        (Fault::Big(Kind::Binary, 300_001), usize::MAX, |raw| {
            raw.body().len() == 300_001
                && announced(raw) == 300_001
                && std::str::from_utf8(raw.body()).is_err()
        }),
        (Fault::Redirect(307, "../elsewhere".into()), usize::MAX, |raw| {
            raw.status() == 307 && raw.header("location").as_deref() == Some("../elsewhere")
        }),
        (Fault::RateLimited(None), usize::MAX, |raw| {
            raw.status() == 429 && raw.header("retry-after").is_none()
        }),
        (Fault::RateLimited(Some("2".into())), usize::MAX, |raw| {
            raw.header("retry-after").as_deref() == Some("2")
        }),
        (Fault::answer(207, &[("A", "b")], "c"), usize::MAX, |raw| {
            raw.status() == 207 && raw.body() == b"c"
        }),
    ];
    let plex = FakePlex::start();
    for (fault, limit, check) in table {
        plex.fault(fault.clone());
        let identity =
            format!("{JSON}X-Plex-Token: {}\r\nX-Plex-Client-Identifier: i\r\n", plex.token());
        let raw = ask_for(&plex, "GET", "/identity", &identity, limit);
        assert!(
            check(&raw),
            "{fault:?}: {:?} {}",
            raw.error,
            raw.text().get(..2000).unwrap_or(&raw.text())
        );
        assert_eq!(ask(&plex, "GET", "/identity", JSON).status(), 200, "after {fault:?}");
    }
}

fn announced(raw: &Raw) -> usize {
    raw.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(usize::MAX)
}

/// Whether the body decodes to JSON of the length that Plex's own header tells.
fn decodes(raw: &Raw, decoder: &mut dyn Read) -> bool {
    let mut body = Vec::new();
    decoder.read_to_end(&mut body).unwrap();
    let original = raw.header("x-plex-content-original-length");
    original == Some(body.len().to_string()) && serde_json::from_slice::<Value>(&body).is_ok()
}

mod tls_setups {
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};

    use super::*;

    fn handshake(setup: TlsSetup) -> Result<String, String> {
        let plex = FakePlex::start_tls(setup);
        let mut roots = rustls::RootCertStore::empty();
        let pem = plex.ca_pem().unwrap().as_bytes();
        roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let url = plex.url();
        let host = url.strip_prefix("https://").unwrap().rsplit_once(':').unwrap().0.to_owned();
        let name = ServerName::try_from(host).unwrap();
        let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(("127.0.0.1", plex.port())).unwrap();
        let mut stream = rustls::StreamOwned::new(client, socket);
        let sent = stream.write_all(b"GET /identity HTTP/1.1\r\nConnection: close\r\n\r\n");
        sent.map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        assert!(plex.requests()[0].tls);
        Ok(answer)
    }

    #[test]
    fn certificates_are_as_good_as_they_say() {
        let table = [
            (TlsSetup::RightName, ""),
            (TlsSetup::PlexDirect, ""),
            (TlsSetup::WrongName, "NotValidForName"),
            (TlsSetup::Expired, "Expired"),
            (TlsSetup::SelfSigned, "UnknownIssuer"),
            (TlsSetup::PlainHttp, "InvalidContentType"),
            (TlsSetup::CloseAtOnce, ""),
        ];
        for (setup, complaint) in table {
            match handshake(setup) {
                Ok(answer) => {
                    let good = [TlsSetup::RightName, TlsSetup::PlexDirect];
                    assert!(good.contains(&setup), "{setup:?} was accepted");
                    assert!(answer.contains("200 OK"), "{setup:?}: {answer}");
                }
                Err(error) => {
                    assert!(
                        setup != TlsSetup::RightName && setup != TlsSetup::PlexDirect,
                        "{error}"
                    );
                    let error = error.replace("certificate not valid for name", "NotValidForName");
                    let error = error.replace("certificate expired", "Expired");
                    assert!(error.contains(complaint), "{setup:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn plain_http_where_tls_is_required_is_closed_without_an_answer() {
        let plex = FakePlex::start_tls(TlsSetup::RightName);
        let raw = ask_for(&plex, "GET", "/identity", "", usize::MAX);
        assert!(raw.bytes.is_empty());
        assert!(plex.requests().is_empty());
    }
}

#[test]
fn a_scan_takes_its_time_and_is_told_step_by_step() {
    let plex = FakePlex::start();
    plex.set_sections(vec![Section::new("1", "Films", "movie", &["/m"])]);
    plex.scans_take(Duration::from_millis(400));
    plex.tell_events();
    plex.add_file("/m/new/Heat.mkv");
    plex.add_file("/m/other/Ran.mkv");
    let section = || {
        let list = ask(&plex, "GET", "/library/sections", JSON).json();
        list["MediaContainer"]["Directory"][0].clone()
    };
    let (before, begun) = (section(), Instant::now());
    for _ in 0..2 {
        ask(&plex, "GET", "/library/sections/1/refresh?path=%2Fm%2Fnew", JSON);
    }
    assert_eq!(section()["refreshing"], true);
    let running = ask(&plex, "GET", "/activities", JSON).json();
    assert_eq!(running["MediaContainer"]["Activity"][0]["type"], "library.update.section");
    let shared = format!("X-Plex-Token: {}\r\n", plex.shared_token());
    assert_eq!(ask_for(&plex, "GET", "/activities", &shared, usize::MAX).status(), 403);
    let file = "/library/sections/1/all?type=1&file=heat";
    while ask(&plex, "GET", file, JSON).json()["MediaContainer"]["size"] != 1 {}
    assert!(begun.elapsed() >= Duration::from_millis(200));
    while section()["refreshing"] == true {}
    // The second one waited for the first.
    assert!(begun.elapsed() >= Duration::from_millis(800));
    assert_ne!(section()["scannedAt"], before["scannedAt"]);
    assert_eq!(plex.appeared("/m/other/Ran.mkv"), None);
    let told = plex.inner.state().events.clone().unwrap();
    let of = |part: &str| told.iter().filter(|event| event.contains(part)).count();
    let steps = [r#""started""#, r#""updated""#, r#""ended""#, "TimelineEntry", "librarySectionID"];
    assert_eq!(steps.map(of), [2, 4, 2, 4, 6]);
}

#[test]
fn a_server_that_ends_forgets_its_scans() {
    let plex = FakePlex::start();
    plex.scans_take(Duration::from_secs(600));
    ask(&plex, "GET", "/library/sections/1/refresh", JSON);
    plex.turn_off();
    plex.turn_on();
    let running = ask(&plex, "GET", "/activities", JSON).json();
    assert_eq!(running["MediaContainer"]["size"], 0);
}
