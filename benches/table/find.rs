//! What it costs to find files, to wait for one, and to list devices.

use std::thread;
use std::time::{Duration, Instant};

use plexsync_harness::fake_plex::Section;
use plexsync_harness::fake_plex_tv::DeviceRow;
use plexsync_harness::{FakePlex, FakePlexTv, Host};
use serde_json::{Value, json};

use crate::report::{Table, Target};
use crate::stats::Sample;
use crate::worker::WORKER;

const ROUNDS: usize = 15;
const DEVICES: usize = 1000;
const ITEMS: usize = 20_000;
const PATHS: usize = 100;
/// Waits that are measured, each with a Plex and a worker of its own.
const WAITS: u32 = 20;

pub(crate) fn measure(table: &mut Table) {
    devices(table);
    for (how, in_folder) in [("a folder each", 1), ("20 a folder", 20), ("in one folder", ITEMS)] {
        find(table, how, in_folder);
    }
    // The items are there after half of it: in the first seconds, or when looks have become rare.
    let soon = |number: u32| Duration::from_millis(1000 + u64::from(number) * 200);
    let later = |number: u32| Duration::from_millis(24_000 + u64::from(number) * 200);
    wait(table, "with events", true, soon, Target::AtMost(300.0));
    wait(table, "without events", false, soon, Target::AtMost(2500.0));
    wait(table, "without events, after 12 s", false, later, Target::AtMost(2500.0));
}

fn milliseconds(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

fn devices(table: &mut Table) {
    let tv = FakePlexTv::start();
    let mut host = Host::builder().binary(WORKER).env("PLEXSYNC_PLEX_TV", tv.url()).start();
    let begun = host.call("auth.start", json!({})).unwrap();
    tv.claim(begun["user_code"].as_str().unwrap(), "alice");
    host.call("auth.finish", json!({"timeout_ms": 25_000})).unwrap();
    for number in 0..DEVICES {
        let (id, device) = (number.to_string(), format!("0x1f5e66d2{number:04}"));
        tv.add_device(DeviceRow::new([
            ("name", "a1b2c3d4e5f6"),
            ("product", "PlexAPI"),
            ("version", "4.18.2"),
            ("platform", "Linux"),
            ("provides", "controller"),
            ("clientIdentifier", &device),
            ("id", &id),
            ("token", &format!("TOKENTOKENTOKEN{number:05}")),
            ("createdAt", "1600000000"),
            ("lastSeenAt", "1600000003"),
        ]));
    }
    let list = |_| {
        let begin = Instant::now();
        let list = host.call("device.list", json!({})).unwrap();
        let time = milliseconds(begin);
        assert!(list["devices"].as_array().unwrap().len() > DEVICES);
        time
    };
    let times: Sample = (0..ROUNDS).map(list).collect();
    table.absolute(&format!("device.list of {DEVICES}"), " ms", &times, Target::AtMost(100.0));
}

/// A library of so many items, of which so many lie in a folder.
fn library(count: usize, in_folder: usize) -> FakePlex {
    let plex = FakePlex::start();
    plex.set_sections(vec![Section::new("1", "Films", "movie", &["/media"])]);
    let item = |number: usize| {
        json!({"ratingKey": number.to_string(), "type": "movie", "title": format!("Film {number}"),
            "summary": "Somebody goes somewhere, and comes back as somebody else. ".repeat(5),
            "Media": [{"id": number, "Part": [{"file": file(number, in_folder)}]}]})
    };
    let items: Vec<Value> = (0..count).map(item).collect();
    let listing = json!({"MediaContainer": {"size": count, "Metadata": items}});
    plex.set_listing("1", &listing.to_string());
    plex
}

fn file(number: usize, in_folder: usize) -> String {
    format!("/media/{}/Film {number:05}.mkv", number / in_folder)
}

fn find(table: &mut Table, how: &str, in_folder: usize) {
    let plex = library(ITEMS, in_folder);
    let mut host = Host::builder().binary(WORKER).plex(&plex).start();
    let few = if in_folder == ITEMS { 1 } else { PATHS };
    let paths: Vec<_> =
        (0..few).map(|place| file(place * (ITEMS / PATHS) + 7, in_folder)).collect();
    let mut requests = 0;
    let find = |_| {
        plex.clear();
        let begin = Instant::now();
        let found = host.call("plex.find", json!({"paths": paths})).unwrap();
        let time = milliseconds(begin);
        assert_eq!(found["items"].as_array().unwrap().len(), few, "{found}");
        requests = plex.requests().len();
        time
    };
    let times: Sample = (0..ROUNDS).map(find).collect();
    let row = format!("plex.find of {few} among {ITEMS} items, {how}");
    table.absolute(&row, " ms", &times, Target::AtMost(1000.0));
    table.note(&row, &format!("requests: {requests}"));
}

/// From the moment at which Plex has the item to the reply.
fn wait(
    table: &mut Table,
    how: &str,
    has_events: bool,
    takes: impl Fn(u32) -> Duration,
    target: Target,
) {
    let waits: Vec<_> = (0..WAITS)
        .map(takes)
        .map(|takes| thread::spawn(move || one_wait(has_events, takes)))
        .collect();
    let times: Sample = waits.into_iter().map(|wait| wait.join().unwrap()).collect();
    let row = format!("plex.scan that waits, {how}: item to reply");
    let slow = [times.quantile(0.95)].into_iter().collect();
    table.absolute(&format!("{row}, p95 of {WAITS}"), " ms", &slow, target);
    table.note(
        &row,
        &format!("median {:.0} ms, longest {:.0} ms", times.median(), times.quantile(1.0)),
    );
}

fn one_wait(has_events: bool, takes: Duration) -> f64 {
    const FILE: &str = "/media/new/Film.mkv";
    let plex = library(100, 20);
    if has_events {
        plex.tell_events();
    }
    plex.scans_take(takes);
    plex.add_file(FILE);
    let mut host = Host::builder().binary(WORKER).plex(&plex).start();
    let result = host.call("plex.scan", json!({"path": FILE, "wait_ms": 60_000})).unwrap();
    let time = milliseconds(plex.appeared(FILE).unwrap());
    assert_eq!(result["waited"], "found", "{result}");
    time
}
