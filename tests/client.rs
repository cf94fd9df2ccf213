//! The client for hosts in Rust, with the real worker: nothing is lost, and nothing goes on that nobody waits for.

use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use plexsync_client::protocol::error::{InvalidParams, NotConfigured};
use plexsync_client::protocol::identity::{Origin, ResetParams};
use plexsync_client::protocol::plex::{BodyEncoding, RequestParams, ScanParams};
use plexsync_client::{CallError, Event};
use plexsync_harness::FakePlex;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::host;

#[path = "../protocol/client/examples/ask.rs"]
#[expect(dead_code, reason = "the example's `main` is not called")]
mod ask;

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

fn get(path: &str) -> RequestParams {
    RequestParams::get(path)
}

#[test]
fn odd_bodies_come_through_as_they_were_sent() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for body in [
        "1e400",
        "123456789012345678901234567890",
        "-0.0000000000000000000000000000001",
        r#"{"a":1,"a":2,"":[1.0,1E+2]}"#,
        r#""\ud800""#,
        &deep,
    ] {
        plex.respond("/odd", 200, JSON, body);
        let response = client.plex_request(&get("/odd")).wait().unwrap();
        assert_eq!(response.body.get(), body);
        assert_eq!((response.body_encoding, response.body_error), (BodyEncoding::Json, None));
        let whole: Box<RawValue> = client.call("plex.request", &get("/odd")).wait().unwrap();
        assert!(whole.get().contains(&format!(r#""body":{body}"#)));
    }
    assert!(client.close().unwrap().success());
}

#[test]
fn bodies_are_read_as_types_or_as_values() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    let response = client.plex_request(&get("/identity")).wait().unwrap();
    let value: Value = response.body_as().unwrap();
    assert!(value["MediaContainer"]["machineIdentifier"].is_string());
    assert!(response.body_as::<Vec<u8>>().is_err());
    let empty = client
        .plex_request(&RequestParams { parse: plexsync_protocol::plex::Parse::None, ..get("/") });
    assert_eq!(empty.wait().unwrap().body.get(), "null");
}

#[test]
fn every_method_has_its_type() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    let first = client.identity_get().wait().unwrap();
    assert_eq!(first.origin, Origin::Created);
    let reset = client.identity_reset(&ResetParams::default()).wait().unwrap();
    assert_eq!(reset.previous.as_deref(), Some(first.device_id.as_str()));
    assert_eq!(client.identity_get().wait().unwrap(), reset.identity);
    assert_eq!(client.discover().wait().unwrap()["info"]["title"], "plexsync-worker");
    client.plex_request(&get("/identity")).wait().unwrap();
    assert_eq!(
        plex.requests()[0].header("X-Plex-Client-Identifier"),
        Some(reset.identity.device_id.as_str())
    );
}

#[test]
fn errors_say_what_to_do_next_and_keep_their_data() {
    let setup = host();
    let client = setup.client().start().unwrap();
    match client.call::<Value>("plex.request", &json!({"path": 1})).wait() {
        Err(error @ CallError::Invalid(_)) => {
            assert_eq!(error.data::<InvalidParams>().unwrap().pointer, "/path");
        }
        other => panic!("{other:?}"),
    }
    match client.plex_request(&get("/")).wait() {
        Err(error @ CallError::User(_)) => {
            assert!(!error.data::<NotConfigured>().unwrap().reason.is_empty());
        }
        other => panic!("{other:?}"),
    }
    let nowhere = RequestParams {
        server: Some("http://127.0.0.1:1".into()),
        token: Some(String::new()),
        retries: Some(0),
        ..get("/")
    };
    assert!(matches!(client.plex_request(&nowhere).wait(), Err(CallError::Retry(_))));
}

#[test]
fn a_dropped_call_ends_at_plex() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let (sender, events) = channel();
    let client = setup.client().on_event(move |event| drop(sender.send(event))).start().unwrap();
    plex.hold();
    let pending = client.plex_request(&get("/slow")).start();
    plex.wait_held(1);
    drop(pending);
    plex.wait_held(0);
    assert!(client.close().unwrap().success());
    let odd: Vec<_> = events
        .into_iter()
        .filter(|event| matches!(event, Event::Late { .. } | Event::Unexpected { .. }))
        .collect();
    assert!(odd.is_empty(), "the answer is `cancelled`, and no event: {odd:?}");
}

#[test]
fn a_call_is_cancelled_from_another_thread() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    plex.hold();
    let pending = client.plex_request(&get("/identity")).start();
    let handle = pending.cancel_handle();
    let waiting = std::thread::spawn(move || pending.wait());
    plex.wait_held(1);
    handle.cancel();
    match waiting.join().unwrap() {
        Err(CallError::Cancelled(error)) => assert_eq!(error.code, -32800),
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn a_killed_worker_is_started_again_and_is_the_same_device() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().restart(true).start().unwrap();
    let device = client.identity_get().wait().unwrap().device_id;
    plex.hold();
    let pending = client.plex_request(&get("/identity")).start();
    plex.wait_held(1);
    let first = client.pid();
    assert!(Command::new("kill").args(["-9", &first.to_string()]).status().unwrap().success());
    match pending.wait() {
        Err(CallError::Ended(ended)) => assert!(!ended.status.unwrap().success()),
        other => panic!("{other:?}"),
    }
    plex.release();
    assert_eq!(client.identity_get().wait().unwrap().device_id, device);
    assert_ne!(client.pid(), first);
    client.plex_request(&get("/identity")).wait().unwrap();
    assert_eq!(plex.events().len(), 1, "one device, whatever happens");
}

#[test]
fn progress_comes_page_by_page() {
    let plex = FakePlex::start();
    plex.set_items("1", 250);
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    let listing = RequestParams { all_pages: true, ..get("/library/sections/1/all") };
    let (sender, reports) = channel();
    let call = client.plex_request(&listing).on_progress(move |report| drop(sender.send(report)));
    let body: Value = call.wait().unwrap().body_as().unwrap();
    assert_eq!(body["MediaContainer"]["Metadata"].as_array().unwrap().len(), 250);
    let reports: Vec<_> = reports.into_iter().collect();
    assert!(!reports.is_empty());
    assert!(reports.iter().all(|report| report.total == Some(250)), "{reports:?}");
    assert!(reports.windows(2).all(|pair| pair[0].done < pair[1].done), "{reports:?}");
}

#[test]
fn a_call_that_brings_its_own_time_has_that() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().timeout(Duration::ZERO).start().unwrap();
    assert!(matches!(client.identity_get().wait(), Err(CallError::Timeout)));
    let path = Some("/media/movies/new/Unknown.mkv".to_owned());
    let scan = ScanParams { path, wait_ms: Some(1), ..ScanParams::default() };
    client.plex_scan(&scan).wait().unwrap();
    client
        .plex_request(&RequestParams { timeout_ms: Some(30_000), ..get("/identity") })
        .wait()
        .unwrap();
}

#[test]
fn many_threads_get_their_own_answers() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    for thread in 0..8 {
        plex.respond(&format!("/{thread}"), 200, JSON, thread.to_string());
    }
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for _ in 0..10 {
                    let response = client.plex_request(&get(&format!("/{thread}"))).wait().unwrap();
                    assert_eq!(response.body.get(), thread.to_string());
                }
            });
        }
    });
    assert_eq!(plex.events().len(), 1);
}

#[test]
fn a_call_on_its_way_is_answered_before_the_worker_is_closed() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let client = setup.client().start().unwrap();
    plex.hold();
    let pending = client.plex_request(&get("/identity")).start();
    plex.wait_held(1);
    let closing = std::thread::spawn(move || client.close().unwrap());
    plex.release();
    assert_eq!(pending.wait().unwrap().status, 200);
    assert!(closing.join().unwrap().success());
}

#[test]
fn a_token_reaches_neither_log_nor_errors() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex).env("PLEXSYNC_LOG", "trace");
    let client = setup.client().start().unwrap();
    let params = json!({"path": "/identity", "headers": {"X-Plex-Token": plex.token()}});
    let error = client.call::<Value>("plex.request", &params).wait().unwrap_err();
    client.plex_request(&get("/identity")).wait().unwrap();
    let said = format!("{error} {error:?} {client:?} {}", client.log());
    assert!(!said.contains(&plex.token()), "{said}");
}

#[test]
fn the_example_of_the_readme_does_what_it_says() {
    let plex = FakePlex::start();
    let setup = host().plex(&plex);
    let titles = ask::libraries(setup.client()).unwrap();
    assert!(titles.contains(&"Movies".to_owned()), "{titles:?}");
}

#[test]
fn a_host_takes_in_three_crates_and_no_runtime() {
    let arguments = "tree -p plexsync-client -e normal --prefix none --depth 1 --offline";
    let mut tree = Command::new(env!("CARGO"));
    tree.args(arguments.split(' ')).current_dir(env!("CARGO_MANIFEST_DIR"));
    let tree = String::from_utf8(tree.output().unwrap().stdout).unwrap();
    let mut names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["plexsync-client", "plexsync-protocol", "serde", "serde_json"]);
}
