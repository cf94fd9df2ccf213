//! `plex.scan` with `wait_ms`: the call ends when an item has the file, or when it is known that none will.

use std::thread;
use std::time::{Duration, Instant};

use plexsync_harness::fake_plex::{Fault, Section};
use plexsync_harness::{FakePlex, Host, Pending};
use serde_json::{Value, json};

const FILE: &str = "/m/new/Heat.mkv";
/// Longer than any test needs.
const LONG: u64 = 60_000;

/// A Plex with one section, empty.
fn plex() -> FakePlex {
    let plex = FakePlex::start();
    plex.set_sections(vec![Section::new("1", "Movies", "movie", &["/m"])]);
    set(&plex, &[]);
    plex
}

fn set(plex: &FakePlex, files: &[&str]) {
    let item = |file: &&str| json!({"ratingKey": "7", "type": "movie", "title": "Heat", "Media": [{"Part": [{"file": file}]}]});
    let items: Vec<_> = files.iter().map(item).collect();
    let listing = json!({"MediaContainer": {"size": items.len(), "Metadata": items}});
    plex.set_listing("1", &listing.to_string());
}

fn started(plex: &FakePlex) -> Host {
    crate::host().plex(plex).start()
}

fn scan(host: &mut Host, wait_ms: u64) -> Pending {
    host.start_call("plex.scan", json!({"path": FILE, "wait_ms": wait_ms}))
}

/// Waits until Plex was asked to scan, and was looked at for the file so often.
fn wait_for_looks(plex: &FakePlex, count: usize) {
    let end = Instant::now() + Duration::from_secs(30);
    while looks(plex) < count {
        assert!(Instant::now() < end, "{} looks", looks(plex));
        thread::sleep(Duration::from_millis(5));
    }
}

fn looks(plex: &FakePlex) -> usize {
    plex.requests().iter().filter(|it| it.query_value("file").is_some()).count()
}

fn found(result: &Value) {
    assert_eq!(
        (&result["outcome"], &result["waited"]),
        (&json!("asked"), &json!("found")),
        "{result}"
    );
    let item = &result["items"][0];
    assert_eq!(
        (&item["rating_key"], &item["path"], &item["file"]),
        (&json!("7"), &json!(FILE), &json!(FILE))
    );
}

#[test]
fn an_item_that_is_there_already_ends_the_wait_at_once() {
    let plex = plex();
    set(&plex, &["/m/new/Other.mkv", FILE]);
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    found(&host.wait(call).unwrap());
    assert_eq!((looks(&plex), plex.scans().len()), (1, 1));
}

#[test]
fn an_item_that_comes_later_is_found_without_a_stream() {
    let plex = plex();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 2);
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn an_event_is_a_reason_to_look() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    // From now on only the stream makes it look soon.
    plex.tell_scan("u1", "1", "started");
    wait_for_looks(&plex, 2);
    plex.tell_scan("u1", "1", "updated");
    set(&plex, &[FILE]);
    plex.tell("timeline", &json!({"TimelineEntry": {"sectionID": "1", "itemID": "7", "state": 5}}));
    let waiting = Instant::now();
    found(&host.wait(call).unwrap());
    assert!(waiting.elapsed() < Duration::from_secs(8), "{:?}", waiting.elapsed());
}

#[test]
fn the_stream_is_asked_for_as_this_device_before_the_scan() {
    let plex = plex();
    plex.tell_events();
    set(&plex, &[FILE]);
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    found(&host.wait(call).unwrap());
    let requests = plex.requests();
    let place = |path: &str| requests.iter().position(|it| it.path().contains(path)).unwrap();
    let stream = place("eventsource");
    assert!(stream < place("refresh"));
    let stream = &requests[stream];
    assert_eq!(stream.query_value("filters").as_deref(), Some("activity,timeline"));
    assert_eq!(stream.header("accept"), Some("text/event-stream"));
    assert_eq!(stream.header("x-plex-token"), Some(plex.token().as_str()));
    assert!(stream.header("x-plex-client-identifier").is_some());
    assert_eq!(plex.devices().len(), 1);
}

#[test]
fn a_scan_that_ends_without_the_item_ends_the_wait() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    for event in ["started", "updated", "ended"] {
        plex.tell_scan("u1", "1", event);
    }
    let result = host.wait(call).unwrap();
    assert_eq!((&result["waited"], &result["items"]), (&json!("ended"), &json!([])), "{result}");
}

#[test]
fn an_item_that_comes_with_the_end_of_the_scan_is_found() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    plex.tell_scan("u1", "1", "started");
    plex.tell_scan("u1", "1", "ended");
    wait_for_looks(&plex, 2);
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn other_scans_end_nothing() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    // One that ran before, one of another section, one that names no section.
    plex.tell_scan("before", "1", "updated");
    plex.tell_scan("before", "1", "ended");
    plex.tell_scan("other", "2", "started");
    plex.tell_scan("other", "2", "ended");
    let nameless =
        json!({"event": "ended", "uuid": "n", "Activity": {"type": "library.update.section"}});
    plex.tell("activity", &json!({"ActivityNotification": nameless}));
    wait_for_looks(&plex, 2);
    set(&plex, &[FILE]);
    plex.tell("timeline", &json!({"TimelineEntry": {"state": 5}}));
    found(&host.wait(call).unwrap());
}

#[test]
fn time_that_is_over_is_no_error() {
    for has_stream in [false, true] {
        let plex = plex();
        if has_stream {
            plex.tell_events();
        }
        let mut host = started(&plex);
        let call = scan(&mut host, 300);
        let result = host.wait(call).unwrap();
        assert_eq!((&result["waited"], &result["items"]), (&json!("timeout"), &json!([])));
        assert_eq!(result["status"], 200);
    }
}

#[test]
fn a_stream_that_ends_or_is_none_does_not_end_the_wait() {
    let page = Fault::answer(200, &[("Content-Type", "text/html")], "<html>");
    let faults = [page, Fault::answer(403, &[], ""), Fault::CloseWithoutAnswer];
    for fault in faults {
        let plex = plex();
        plex.tell_events();
        plex.fault(fault.always().on("/:/eventsource"));
        let mut host = started(&plex);
        let call = scan(&mut host, LONG);
        wait_for_looks(&plex, 1);
        set(&plex, &[FILE]);
        found(&host.wait(call).unwrap());
    }
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    plex.end_events();
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn a_server_that_fails_in_the_middle_is_waited_for() {
    let plex = plex();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    plex.fault(Fault::Maintenance.times(2).on("/library/sections/1/all"));
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn a_cancelled_wait_closes_its_stream() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    host.cancel(call);
    assert_eq!(host.read_reply()["error"]["code"], -32800);
    let end = Instant::now() + Duration::from_secs(30);
    // One that may be used again is left.
    while plex.connections() > 1 {
        assert!(Instant::now() < end, "{} connections", plex.connections());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_wait_needs_a_file_and_a_time() {
    let plex = plex();
    let mut host = started(&plex);
    for (params, pointer) in [
        (json!({"folder": "/m/new", "wait_ms": 5}), "/wait_ms"),
        (json!({"path": "/m/new/", "wait_ms": 5}), "/wait_ms"),
        (json!({"path": FILE, "wait_ms": 600_001}), "/wait_ms"),
        (json!({"path": FILE, "wait_ms": -1}), "/wait_ms"),
        (json!({"path": FILE, "timeout_ms": 0}), "/timeout_ms"),
    ] {
        let error = host.call("plex.scan", params.clone()).unwrap_err();
        assert_eq!((error.code, error.datum("pointer")), (-32602, &json!(pointer)), "{params}");
    }
    let plain = host.call("plex.scan", json!({"path": FILE, "wait_ms": 0})).unwrap();
    assert_eq!(plain.get("waited"), None, "{plain}");
}

#[test]
fn progress_is_told_while_it_waits() {
    let plex = plex();
    let mut host = started(&plex);
    let params = json!({"path": FILE, "wait_ms": LONG, "progress_token": "p"});
    let call = host.start_call("plex.scan", params);
    let told = host.read_reply();
    let (method, params) = (&told["method"], &told["params"]);
    let expected = (&json!("$/progress"), &json!("p"), &json!(60));
    assert_eq!((method, &params["token"], &params["total"]), expected, "{told}");
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn a_plex_that_is_silent_takes_no_more_than_the_calls_time_from_a_scan_that_waits() {
    let plex = plex();
    let mut host = started(&plex);
    plex.hold();
    let params = json!({"path": FILE, "timeout_ms": 1000, "wait_ms": 500});
    let error = host.call("plex.scan", params).unwrap_err();
    // By the call itself, not by the loop that waits for it.
    assert!(error.code == -32011 && error.message.contains("did not answer in time"), "{error}");
}

/// One scan, from its beginning to its end.
const TAKES: Duration = Duration::from_millis(600);

/// A Plex whose scans take their time.
fn scanning(has_stream: bool) -> FakePlex {
    let plex = plex();
    plex.scans_take(TAKES);
    if has_stream {
        plex.tell_events();
    }
    plex
}

/// The item of a file that a scan brought.
fn brought(result: &Value, file: &str) {
    let item = &result["items"][0];
    assert_eq!((&result["waited"], &item["file"]), (&json!("found"), &json!(file)), "{result}");
}

fn wait_for_scans(plex: &FakePlex, count: usize) {
    let end = Instant::now() + Duration::from_secs(30);
    while plex.scans().len() < count {
        assert!(Instant::now() < end, "{:?}", plex.scans());
        thread::sleep(Duration::from_millis(5));
    }
}

/// How many scans Plex is at now.
fn activities(host: &mut Host) -> Value {
    let answer = host.call("plex.request", json!({"path": "/activities"})).unwrap();
    answer["body"]["MediaContainer"]["size"].clone()
}

#[test]
fn a_scan_that_takes_its_time_is_followed_to_the_item() {
    for has_stream in [true, false] {
        let plex = scanning(has_stream);
        plex.add_file(FILE);
        let mut host = started(&plex);
        let call = scan(&mut host, LONG);
        brought(&host.wait(call).unwrap(), FILE);
        assert_eq!(plex.scans().len(), 1);
    }
}

#[test]
fn a_scan_that_brings_nothing_is_followed_to_its_end() {
    let plex = scanning(true);
    plex.add_file("/m/other/Ran.mkv");
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    assert_eq!(host.wait(call).unwrap()["waited"], "ended");
    assert_eq!(activities(&mut host), 0);
}

#[test]
fn activities_that_name_no_section_end_nothing() {
    let plex = scanning(true);
    plex.scans_take(Duration::from_millis(100));
    plex.scans_are_nameless();
    let mut host = started(&plex);
    let call = scan(&mut host, 2500);
    assert_eq!(host.wait(call).unwrap()["waited"], "timeout");
    assert_eq!(activities(&mut host), 0);
}

#[test]
fn a_shared_server_tells_no_activities_and_is_looked_at() {
    let plex = scanning(true);
    plex.add_file(FILE);
    let mut host = crate::host().plex(&plex).token(&plex.shared_token()).start();
    let call = scan(&mut host, LONG);
    brought(&host.wait(call).unwrap(), FILE);
}

#[test]
fn two_scans_at_once_are_told_apart() {
    let (first, gone) = ("/m/first/Heat.mkv", "/m/gone/Ran.mkv");
    for has_stream in [true, false] {
        let plex = scanning(has_stream);
        plex.add_file(first);
        plex.add_file(FILE);
        let mut host = started(&plex);
        let calls = [first, FILE]
            .map(|path| host.start_call("plex.scan", json!({"path": path, "wait_ms": LONG})));
        let [one, two] = calls.map(|call| host.wait(call).unwrap());
        brought(&one, first);
        brought(&two, FILE);
    }
    // One whose file never comes ends with its own scan, not with the one before.
    let plex = scanning(true);
    plex.add_file(first);
    let mut host = started(&plex);
    let one = host.start_call("plex.scan", json!({"path": first, "wait_ms": LONG}));
    let two = host.start_call("plex.scan", json!({"path": gone, "wait_ms": LONG}));
    wait_for_scans(&plex, 2);
    brought(&host.wait(one).unwrap(), first);
    assert_eq!(host.wait(two).unwrap()["waited"], "ended");
    assert_eq!(activities(&mut host), 0);
}

#[test]
fn a_scan_that_goes_on_is_waited_for_when_another_ends() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    plex.tell_scan("u1", "1", "started");
    plex.tell_scan("u2", "1", "started");
    plex.tell_scan("u1", "1", "ended");
    wait_for_looks(&plex, 2);
    // The last looks after an end would be over by now.
    thread::sleep(Duration::from_millis(1500));
    plex.tell_scan("u2", "1", "updated");
    set(&plex, &[FILE]);
    plex.tell_scan("u2", "1", "ended");
    found(&host.wait(call).unwrap());
}

#[test]
fn a_server_that_restarts_is_waited_for() {
    for has_stream in [true, false] {
        let plex = scanning(has_stream);
        plex.scans_take(Duration::from_secs(600));
        plex.add_file(FILE);
        let mut host = started(&plex);
        let call = scan(&mut host, LONG);
        wait_for_looks(&plex, 1);
        plex.turn_off();
        // The scan is lost with the server; somebody asks for another one.
        plex.scans_take(TAKES);
        plex.turn_on();
        host.call("plex.scan", json!({"folder": "/m"})).unwrap();
        brought(&host.wait(call).unwrap(), FILE);
    }
}

#[test]
fn a_server_that_goes_without_a_word_is_asked_again() {
    let plex = plex();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    plex.fault(Fault::StallBody.times(1).on("/library/sections/1/all"));
    wait_for_looks(&plex, 2);
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn a_proxy_that_holds_the_stream_back_holds_up_nothing() {
    let plex = scanning(true);
    plex.hold_on("/:/eventsource");
    plex.add_file(FILE);
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    plex.wait_held(1);
    brought(&host.wait(call).unwrap(), FILE);
}

#[test]
fn a_stream_that_says_nothing_holds_up_nothing() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 2);
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn a_stream_that_is_never_silent_holds_up_nothing() {
    let plex = plex();
    plex.tell_events();
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    wait_for_looks(&plex, 1);
    let ping = json!({});
    let long = json!({"TimelineEntry": "x".repeat(300_000)});
    for _ in 0..50 {
        (0..20).for_each(|_| plex.tell("ping", &ping));
        plex.tell("timeline", &long);
        plex.tell_scan(&"u".repeat(300), "1", "started");
    }
    set(&plex, &[FILE]);
    found(&host.wait(call).unwrap());
}

#[test]
fn a_look_into_a_large_folder_takes_no_more_than_two_requests() {
    let plex = plex();
    let files: Vec<_> = (0..2000).map(|number| format!("/m/new/{number}.mkv")).collect();
    set(&plex, &files.iter().map(String::as_str).chain([FILE]).collect::<Vec<_>>());
    let mut host = started(&plex);
    let call = scan(&mut host, LONG);
    found(&host.wait(call).unwrap());
    assert_eq!(looks(&plex), 2);
}
