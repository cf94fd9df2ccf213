//! What has to be true of every body and every line, whoever wrote it: of the fixtures in `promises`, of other people's
//! bytes in `real_bytes`.

use std::path::Path;

use plexsync_harness::fake_plex::Paging;
use plexsync_harness::fixtures::File;
use plexsync_harness::{FakePlex, HostBuilder};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value, json};

const LISTING: &str = "/library/sections/1/all";

/// Has Plex answer each body with this content type; each arrives as what `expected` makes of it.
fn arrive(
    host: &HostBuilder,
    (content_type, encoding): (&str, &str),
    files: &[File],
    expected: impl Fn(&Path, &[u8]) -> Value,
) {
    let plex = FakePlex::start();
    let mut host = host.clone().plex(&plex).start();
    for (path, body) in files {
        plex.respond("/body", 200, &[("Content-Type", content_type)], body.clone());
        let answer = host.call("plex.request", json!({"path": "/body"})).unwrap();
        assert_eq!(answer["body"], expected(path, body), "{}", path.display());
        assert_eq!(answer["body_encoding"], encoding, "{}", path.display());
    }
}

fn json_of(path: &Path, body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// JSON arrives with every value that was sent.
pub(crate) fn json_bodies_arrive(host: &HostBuilder, files: &[File]) {
    arrive(host, ("application/json", "json"), files, json_of);
}

/// XML arrives as the JSON that a slow and simple reader makes of it.
pub(crate) fn xml_bodies_arrive(host: &HostBuilder, files: &[File]) {
    arrive(host, ("text/xml;charset=utf-8", "xml"), files, |path, body| {
        let text =
            str::from_utf8(body).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        simply(text)
    });
}

/// The one member of the document: its outermost element.
fn simply(text: &str) -> Value {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => return named(&start, element(&mut reader, &start)),
            Event::Empty(start) => return named(&start, Value::Object(attributes(&start))),
            Event::Eof => panic!("no element in {text:?}"),
            _ => {}
        }
    }
}

fn element(reader: &mut Reader<&[u8]>, start: &BytesStart) -> Value {
    let (mut members, mut text) = (attributes(start), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let child = element(reader, &start);
                add(&mut members, &start, child);
            }
            Event::Empty(start) => add(&mut members, &start, Value::Object(attributes(&start))),
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => {
                let escaped = format!("&{};", &*name);
                text.push_str(&quick_xml::escape::unescape(&escaped).unwrap());
            }
            Event::End(_) => break,
            other => assert!(matches!(other, Event::Comment(_)), "{other:?}"),
        }
    }
    if !text.trim_ascii().is_empty() {
        members.insert("_text".to_owned(), json!(text));
    }
    Value::Object(members)
}

fn name(start: &BytesStart) -> String {
    start.name().as_ref().to_owned()
}

fn named(start: &BytesStart, value: Value) -> Value {
    Value::Object(Map::from_iter([(name(start), value)]))
}

fn attributes(start: &BytesStart) -> Map<String, Value> {
    let pair = |attribute: quick_xml::events::attributes::Attribute| {
        let value = quick_xml::escape::unescape(&attribute.value).unwrap();
        (attribute.key.as_ref().to_owned(), json!(value))
    };
    start.attributes().map(|attribute| pair(attribute.unwrap())).collect()
}

/// Elements of a name are an array, be there one or many.
fn add(members: &mut Map<String, Value>, start: &BytesStart, child: Value) {
    let array = members.entry(name(start)).or_insert_with(|| json!([]));
    array.as_array_mut().unwrap().push(child);
}

/// Listings that come an entry at a time are whole in the end; how many of the files are listings.
pub(crate) fn listings_are_joined(host: &HostBuilder, files: &[File]) -> usize {
    let (plex, mut count) = (FakePlex::start(), 0);
    plex.set_paging(Paging::AtMost(1));
    let mut host = host.clone().plex(&plex).start();
    for (path, body) in files {
        let sent = json_of(path, body);
        let Some(entries) = sent["MediaContainer"]["Metadata"].as_array() else { continue };
        plex.clear();
        plex.set_listing("1", str::from_utf8(body).unwrap());
        let answer =
            host.call("plex.request", json!({"path": LISTING, "all_pages": true})).unwrap();
        let joined = &answer["body"]["MediaContainer"];
        assert_eq!(joined["Metadata"].as_array(), Some(entries), "{}", path.display());
        assert_eq!(joined["size"], entries.len(), "{}", path.display());
        assert!(plex.requests().len() >= entries.len(), "{} came at once", path.display());
        count += 1;
    }
    count
}

/// Every line that Stash writes to a plugin is answered, and none by a failure of the protocol.
pub(crate) fn stash_is_answered(host: &HostBuilder, files: &[File]) {
    let data = tempfile::tempdir().unwrap();
    for (path, input) in files {
        let expected = input.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
        let stdout = host.clone().data_dir(data.path()).run(input.clone()).stdout;
        let replies: Vec<Value> =
            stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(replies.len(), expected, "{}: {stdout}", path.display());
        let is_rpc = path.file_name().unwrap().to_string_lossy().starts_with("rpc-");
        for reply in &replies {
            let answer = if is_rpc { &reply["result"] } else { reply };
            assert!(!answer.is_null(), "{}: {reply}", path.display());
            assert!(!is_rpc || reply["error"].is_null(), "{}: {reply}", path.display());
            assert_ne!(answer["error"], "", "{}: {reply}", path.display());
        }
    }
}
