//! What is sent again, how often, and how long the worker waits before.

use std::time::{Duration, SystemTime};

use plexsync_harness::{FakePlex, Fault, Host, RpcError};
use serde_json::{Value, json};

use crate::host;

fn request(host: &mut Host, method: &str) -> Result<Value, RpcError> {
    host.call("plex.request", json!({"path": "/library/sections", "method": method}))
}

#[test]
fn each_method_is_repeated_as_far_as_it_is_safe() {
    // Tries after an answer that asks for another, after a close without an answer, and after a lost body.
    for (method, busy, closed, body) in [
        ("GET", 3, 3, 3),
        ("HEAD", 3, 3, 1),
        ("OPTIONS", 3, 3, 3),
        ("PUT", 1, 3, 1),
        ("DELETE", 1, 3, 1),
        ("POST", 1, 1, 1),
        ("PATCH", 1, 1, 1),
    ] {
        for (fault, tries) in [
            (Fault::Maintenance, busy),
            (Fault::CloseWithoutAnswer, closed),
            (Fault::TruncatedChunked, body),
        ] {
            let plex = FakePlex::start();
            plex.fault(fault.clone().always());
            let mut host = host().plex(&plex).start();
            let _any = request(&mut host, method);
            assert_eq!(plex.requests().len(), tries, "{method} {fault:?}");
        }
    }
}

#[test]
fn these_answers_are_asked_again() {
    for (status, tries) in
        [(429, 2), (502, 2), (503, 2), (504, 2), (500, 1), (501, 1), (404, 1), (408, 1)]
    {
        let plex = FakePlex::start();
        plex.fault(Fault::answer(status, &[], ""));
        let mut host = host().plex(&plex).start();
        let answer = request(&mut host, "GET").unwrap();
        assert_eq!(answer["attempts"], tries, "{status}");
        assert_eq!(answer["status"], if tries == 2 { 200 } else { status }, "{status}");
    }
}

#[test]
fn the_last_answer_is_the_result() {
    let plex = FakePlex::start();
    plex.fault(Fault::Maintenance.always());
    let mut host = host().plex(&plex).start();
    for retries in [0, 1, 3] {
        plex.clear();
        plex.fault(Fault::Maintenance.always());
        let params = json!({"path": "/identity", "retries": retries});
        let answer = host.call("plex.request", params).unwrap();
        assert_eq!((&answer["status"], &answer["attempts"]), (&json!(503), &json!(retries + 1)));
        assert_eq!(plex.requests().len(), retries + 1);
    }
}

#[test]
fn retry_after_is_honoured_in_seconds_and_as_a_date() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
    for (asked, at_least) in [("2".to_owned(), 2000), (soon(), 1000)] {
        let plex = FakePlex::start();
        plex.fault(Fault::RateLimited(Some(asked.clone())));
        let answer = request(&mut host().plex(&plex).start(), "GET").unwrap();
        assert_eq!((&answer["status"], &answer["attempts"]), (&json!(200), &json!(2)));
        let elapsed = answer["elapsed_ms"].as_u64().unwrap();
        assert!(elapsed >= at_least, "{asked}: {elapsed} ms");
    }
    for asked in ["3600", &date] {
        let plex = FakePlex::start();
        plex.fault(Fault::RateLimited(Some(asked.to_owned())).always());
        let mut host = host().plex(&plex).start();
        let params = json!({"path": "/identity", "timeout_ms": 10_000});
        let answer = host.call("plex.request", params).unwrap();
        assert_eq!(
            (&answer["status"], &answer["attempts"]),
            (&json!(429), &json!(1)),
            "{asked}: a pause that is longer than the call is not begun"
        );
    }
}

/// A date that is still ahead when a worker has been started on a busy machine.
fn soon() -> String {
    httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(9))
}

#[test]
fn a_connection_that_died_idle_does_not_count() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for method in ["GET", "POST", "PUT"] {
        request(&mut host, "GET").unwrap();
        plex.close_idle_connections();
        let answer = request(&mut host, method).unwrap();
        assert_eq!(answer["attempts"], 1, "{method}");
    }
    let posts = plex.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(posts, 1);
}

#[test]
fn a_lost_body_is_asked_for_again() {
    for fault in [Fault::ResetMidBody, Fault::TruncatedChunked, Fault::LengthTooLong] {
        let plex = FakePlex::start();
        plex.fault(fault.clone());
        let answer = request(&mut host().plex(&plex).start(), "GET").unwrap();
        assert_eq!((&answer["status"], &answer["attempts"]), (&json!(200), &json!(2)), "{fault:?}");
        assert_eq!(answer["body"]["MediaContainer"]["size"], 6);
    }
}

#[test]
fn one_timeout_is_for_the_whole_call() {
    let plex = FakePlex::start();
    plex.fault(Fault::Maintenance.times(2));
    plex.fault(Fault::StallBody.always());
    let mut host = host().plex(&plex).start();
    let params = json!({"path": "/library/sections", "timeout_ms": 3000, "retries": 10});
    let error = host.call("plex.request", params).unwrap_err();
    assert_eq!((error.code, error.datum("phase").as_str()), (-32011, Some("body")));
    assert_eq!(plex.requests().len(), 3, "a timeout is not repeated: the time is used up");
}
