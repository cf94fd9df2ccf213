//! `all_pages`: a listing in pages becomes one answer, with news of how far it is for those who asked.

use plexsync_harness::fake_plex::Paging;
use plexsync_harness::{FakePlex, Fault, Host};
use serde_json::{Value, json};

use crate::host;

const LISTING: &str = "/library/sections/1/all";

fn with_items(count: u64, paging: Paging) -> FakePlex {
    let plex = FakePlex::start();
    plex.set_items("1", count);
    plex.set_paging(paging);
    plex
}

/// The result, and the progress that came before it as (done, total).
fn listing(host: &mut Host, more: Value) -> (Value, Vec<(Value, Value)>) {
    let mut params = json!({"path": LISTING, "all_pages": true, "progress_token": "t"});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let _read_below = host.start_call("plex.request", params);
    let mut progress = Vec::new();
    loop {
        let message = host.read_reply();
        if message["method"] != "$/progress" {
            return (message, progress);
        }
        assert_eq!((&message["jsonrpc"], message.get("id")), (&json!("2.0"), None));
        assert_eq!(message["params"]["token"], "t");
        progress.push((message["params"]["done"].clone(), message["params"]["total"].clone()));
    }
}

fn assert_whole(reply: &Value, count: usize) {
    let container = &reply["result"]["body"]["MediaContainer"];
    let empty = Vec::new();
    let entries = container["Metadata"].as_array().unwrap_or(&empty);
    assert_eq!(entries.len(), count);
    assert_eq!(container["size"], count);
    for (place, entry) in entries.iter().enumerate() {
        assert_eq!(entry["ratingKey"], format!("1{place:06}"));
    }
}

#[test]
fn every_way_to_page_gives_the_whole_listing() {
    for paging in
        [Paging::Usual, Paging::Strict, Paging::Ignored, Paging::AtMost(30), Paging::WithoutTotal]
    {
        for count in [0, 1, 99, 100, 101, 250] {
            let plex = with_items(count, paging);
            let (reply, _) = listing(&mut host().plex(&plex).start(), json!({}));
            assert_eq!(reply["result"]["status"], 200, "{paging:?} {count}");
            assert_whole(&reply, usize::try_from(count).unwrap());
        }
    }
}

#[test]
fn progress_is_told_after_each_page() {
    let plex = with_items(250, Paging::Usual);
    let (_, progress) = listing(&mut host().plex(&plex).start(), json!({}));
    let told: Vec<_> = progress.iter().map(|(done, total)| json!([done, total])).collect();
    assert_eq!(json!(told), json!([[100, 250], [200, 250], [250, 250]]));
    assert_eq!(plex.requests().len(), 3);
}

#[test]
fn without_a_token_nothing_is_sent_unasked() {
    let plex = with_items(250, Paging::Usual);
    let mut host = host().plex(&plex).start();
    host.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "plex.request",
        "params": {"path": LISTING, "all_pages": true}}));
    assert_whole(&host.read_reply(), 250);
    host.send(&json!({"id": 2, "method": "plex.request",
        "params": [{"path": LISTING, "all_pages": true, "progress_token": "t"}]}));
    assert_eq!(host.read_reply()["id"], 2, "1.0 has no notifications from the server");
    host.close_stdin();
    assert!(host.read_to_end().is_empty());
}

#[test]
fn listings_in_xml_are_joined_too() {
    let plex = with_items(120, Paging::Usual);
    let more = json!({"headers": {"Accept": "application/xml"}});
    let (reply, _) = listing(&mut host().plex(&plex).start(), more);
    let container = &reply["result"]["body"]["MediaContainer"];
    let arrays = container.as_object().unwrap().values().filter_map(Value::as_array);
    assert_eq!(arrays.map(Vec::len).max(), Some(120));
    assert_eq!(container["size"], "120");
}

#[test]
fn a_listing_that_ends_too_early_says_so() {
    let plex = with_items(250, Paging::Usual);
    let mut host = host().plex(&plex).start();
    let (whole, _) = listing(&mut host, json!({}));
    assert_eq!(whole["result"]["body_error"], Value::Null);
    let query = "X-Plex-Container-Start=0&X-Plex-Container-Size=100";
    let first =
        host.call("plex.request", json!({"path": format!("{LISTING}?{query}")})).unwrap()["body"]
            .to_string();
    plex.respond(LISTING, 200, &[("Content-Type", "application/json")], first);
    for parse in ["auto", "text"] {
        let (reply, _) = listing(&mut host, json!({"parse": parse}));
        assert_eq!(
            reply["result"]["body_error"],
            "the listing has `250` entries, but the server sent only `100`"
        );
    }
}

#[test]
fn a_page_with_a_bad_title_joins_the_others() {
    let plex = FakePlex::start();
    let page = |title: &[u8], start: usize| {
        let mut text = format!(
            r#"{{"MediaContainer":{{"size":1,"totalSize":2,"offset":{start},"Metadata":[{{"title":""#
        )
        .into_bytes();
        text.extend_from_slice(title);
        text.extend_from_slice(b"\"}]}}");
        Fault::answer(200, &[("Content-Type", "application/json")], text)
    };
    for (first, second) in [(&b"caf\xe9"[..], &b"b"[..]), (b"a", b"caf\xe9"), (b"a", b"b\tc")] {
        plex.fault(page(first, 0));
        plex.fault(page(second, 1));
        let (reply, _) = listing(&mut host().plex(&plex).start(), json!({}));
        let result = &reply["result"];
        let entries = result["body"]["MediaContainer"]["Metadata"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(result["body_encoding"], "json");
        assert!(result["body_error"].is_string());
    }
}

#[test]
fn what_is_no_listing_is_answered_as_it_is() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let params = json!({"path": "/identity", "all_pages": true});
    let answer = host.call("plex.request", params).unwrap();
    assert!(answer["body"]["MediaContainer"]["machineIdentifier"].is_string());
    assert_eq!(plex.requests().len(), 1);
}

#[test]
fn the_limit_is_for_the_sum() {
    let plex = with_items(250, Paging::Usual);
    let mut host = host().plex(&plex).start();
    let one_page = host
        .call("plex.request", json!({"path": format!("{LISTING}?X-Plex-Container-Start=0&X-Plex-Container-Size=100"), "parse": "text"}))
        .unwrap();
    let bytes = one_page["body"].as_str().unwrap().len();
    let (reply, _) = listing(&mut host, json!({"max_bytes": bytes * 2}));
    assert_eq!(reply["error"]["code"], -32012);
    let (reply, _) = listing(&mut host, json!({"max_bytes": bytes * 4}));
    assert_whole(&reply, 250);
}

#[test]
fn a_page_that_fails_is_fetched_again_and_else_the_answer() {
    let plex = with_items(250, Paging::Usual);
    let mut host = host().plex(&plex).start();
    plex.fault(Fault::ResetMidBody);
    plex.fault(Fault::Maintenance);
    let (reply, _) = listing(&mut host, json!({}));
    assert_whole(&reply, 250);
    assert_eq!(reply["result"]["attempts"], 5, "three pages, two of them tried again");
    plex.fault(Fault::Maintenance.always());
    let (reply, _) = listing(&mut host, json!({"retries": 0}));
    assert_eq!(reply["result"]["status"], 503);
}

#[test]
fn a_listing_can_be_cancelled_between_pages() {
    let plex = with_items(250, Paging::Usual);
    let mut host = host().plex(&plex).start();
    plex.hold();
    let call = host.start_call("plex.request", json!({"path": LISTING, "all_pages": true}));
    plex.wait_held(1);
    host.cancel(call);
    assert_eq!(host.wait(call).unwrap_err().code, -32800);
    plex.release();
    host.call("plex.request", json!({"path": "/identity"})).unwrap();
    assert_eq!(plex.requests().len(), 2, "no page is asked for after that");
}
