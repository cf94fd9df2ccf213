//! `plex.request`: the same device with every request, the token to its own server only, any answer a result.

use plexsync_harness::{FakePlex, Fault};
use serde_json::json;

use crate::host;

#[test]
fn every_request_carries_the_identity() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let identity = host.call("identity.get", json!({})).unwrap();
    for path in ["/identity", "/library/sections", "/photo/:/transcode", "/nothing/here"] {
        host.call("plex.request", json!({"path": path})).unwrap();
    }
    for request in plex.requests() {
        for (name, value) in identity["headers"].as_object().unwrap() {
            assert_eq!(request.header(name), value.as_str(), "{}: {name}", request.target);
        }
        assert_eq!(request.header("Accept"), Some("application/json"));
        assert_eq!(request.header("X-Plex-Token"), Some(plex.token().as_str()));
    }
}

#[test]
fn plex_sees_one_device_through_restarts_and_two_after_a_reset() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for _ in 0..3 {
        assert_eq!(
            host.call("plex.request", json!({"path": "/library/sections"})).unwrap()["status"],
            200
        );
        host.restart();
    }
    assert_eq!(plex.events().len(), 1);
    host.call("identity.reset", json!({})).unwrap();
    host.call("plex.request", json!({"path": "/library/sections"})).unwrap();
    assert_eq!(plex.events().len(), 2);
}

#[test]
fn identity_and_token_can_t_be_overridden() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for (params, pointer) in [
        (
            json!({"path": "/", "headers": {"x-plex-CLIENT-identifier": "x"}}),
            "/headers/x-plex-CLIENT-identifier",
        ),
        (json!({"path": "/", "headers": {"X-Plex-Token": "x"}}), "/headers/X-Plex-Token"),
        (json!({"path": "/", "headers": {"host": "x"}}), "/headers/host"),
        (json!({"path": "/", "headers": {"Content-Length": "1"}}), "/headers/Content-Length"),
        (json!({"path": "/", "headers": {"Connection": "close"}}), "/headers/Connection"),
        (json!({"path": "/", "query": {"X-Plex-Token": "x"}}), "/query/X-Plex-Token"),
        (json!({"path": "/?x-plex%2Dtoken=x"}), "/path"),
        (json!({"path": "/?X-Plex-Client-Identifier=x"}), "/path"),
        (json!({"path": "//evil.example/"}), "/path"),
        (json!({"path": "http://evil.example/"}), "/path"),
        (json!({"path": "identity"}), "/path"),
        (json!({"path": "/\\evil.example"}), "/path"),
    ] {
        let error = host.call("plex.request", params.clone()).unwrap_err();
        assert_eq!(
            (error.code, error.datum("pointer").as_str()),
            (-32602, Some(pointer)),
            "{params}: {}",
            error.message
        );
    }
    assert!(plex.requests().is_empty());
}

#[test]
fn a_foreign_server_needs_its_own_token() {
    let (plex, other) = (FakePlex::start(), FakePlex::start());
    let mut host = host().plex(&plex).start();
    let error = host.call("plex.request", json!({"path": "/", "server": other.url()})).unwrap_err();
    assert_eq!((error.code, error.datum("missing").as_str()), (-32014, Some("token")));
    host.call("plex.request", json!({"path": "/", "server": other.url(), "token": "others"}))
        .unwrap();
    host.call("plex.request", json!({"path": "/", "server": other.url(), "token": ""})).unwrap();
    let tokens: Vec<_> = other
        .requests()
        .iter()
        .map(|request| request.header("X-Plex-Token").map(str::to_owned))
        .collect();
    assert_eq!(tokens, [Some("others".to_owned()), None]);
}

#[test]
fn without_a_server_the_call_says_what_is_missing() {
    let error = host().start().call("plex.request", json!({"path": "/"})).unwrap_err();
    assert_eq!((error.code, error.datum("missing").as_str()), (-32014, Some("server")));
}

#[test]
fn query_and_body_travel_as_they_should() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let query = json!({"a": "x y&z", "b": true, "c": 5, "d": null, "e": [1, "two", false]});
    host.call("plex.request", json!({"path": "/echo?first=1", "query": query})).unwrap();
    host.call(
        "plex.request",
        json!({"path": "/echo", "method": "POST", "body": {"b": [1, 2], "a": 1}}),
    )
    .unwrap();
    host.call("plex.request", json!({"path": "/echo", "method": "PUT"})).unwrap();
    host.call("plex.request", json!({"path": "/echo", "method": "POST", "body": "text"})).unwrap();
    host.call("plex.request", json!({"path": "/echo", "method": "POST", "body_base64": "AAH/"}))
        .unwrap();
    let requests = plex.requests();
    assert_eq!(requests[0].target, "/echo?first=1&a=x%20y%26z&b=1&c=5&e=1&e=two&e=0");
    assert_eq!(requests[1].header("Content-Type"), Some("application/json"));
    assert_eq!(requests[1].body, br#"{"a":1,"b":[1,2]}"#);
    assert_eq!(requests[2].header("Content-Length"), Some("0"));
    assert_eq!(
        (requests[3].body.as_slice(), requests[3].header("Content-Type")),
        (&b"text"[..], None)
    );
    assert_eq!(requests[4].body, [0, 1, 255]);
}

#[test]
fn what_no_url_and_no_text_can_hold_is_refused_by_name() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for (params, pointer, reason) in [
        (r#"{"path": "/a?path=/data/100% a"}"#, "/path", "`%25`"),
        (r#"{"path": "/a#b"}"#, "/path", "`%23`"),
        (r#"{"path": "/a\\b"}"#, "/path", "backslash"),
        (
            r#"{"path": "/a", "method": "POST", "body": "caf\udce9"}"#,
            "/body",
            "half a surrogate pair",
        ),
    ] {
        host.send_text(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"plex.request","params":{params}}}"#
        ));
        let reply = host.read_reply();
        let data = &reply["error"]["data"];
        assert_eq!((&reply["error"]["code"], &data["pointer"]), (&json!(-32602), &json!(pointer)));
        assert!(data["reason"].as_str().unwrap().contains(reason), "{data}");
    }
    assert!(plex.requests().is_empty());
}

#[test]
fn any_answer_is_a_result() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).token("wrong").start();
    let refused = host.call("plex.request", json!({"path": "/library/sections"})).unwrap();
    assert_eq!(
        (&refused["status"], &refused["ok"], &refused["body_encoding"]),
        (&json!(401), &json!(false), &json!("text"))
    );
    plex.fault(Fault::Maintenance.always());
    let busy = host.call("plex.request", json!({"path": "/identity", "retries": 0})).unwrap();
    assert_eq!(
        (&busy["status"], &busy["body_encoding"], &busy["attempts"]),
        (&json!(503), &json!("xml"), &json!(1))
    );
    assert_eq!(busy["body"]["Response"]["title"], "Maintenance");
}

#[test]
fn the_ways_to_fail_have_codes() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    plex.fault(Fault::CloseWithoutAnswer.always());
    let error = host.call("plex.request", json!({"path": "/identity", "retries": 0})).unwrap_err();
    assert_eq!((error.code, error.datum("kind").as_str()), (-32010, Some("closed")));
    plex.no_faults();
    plex.hold();
    let error =
        host.call("plex.request", json!({"path": "/identity", "timeout_ms": 200})).unwrap_err();
    assert_eq!((error.code, error.datum("phase").as_str()), (-32011, Some("response")));
    plex.release();
    let error = host
        .call("plex.request", json!({"path": "/library/sections", "max_bytes": 10}))
        .unwrap_err();
    assert_eq!(error.code, -32012);
    let error = host
        .call(
            "plex.request",
            json!({"path": "/", "server": "http://127.0.0.1:1", "token": "", "retries": 0}),
        )
        .unwrap_err();
    assert_eq!((error.code, error.datum("kind").as_str()), (-32010, Some("connect")));
    let error = host
        .call(
            "plex.request",
            json!({"path": "/", "server": "http://no.such.invalid", "token": "", "retries": 0}),
        )
        .unwrap_err();
    assert_eq!((error.code, error.datum("kind").as_str()), (-32010, Some("dns")));
}

#[test]
fn a_redirect_elsewhere_is_the_result_and_gets_no_token() {
    let (plex, other) = (FakePlex::start(), FakePlex::start());
    let mut host = host().plex(&plex).start();
    for status in [301, 302, 303, 307, 308] {
        plex.fault(Fault::Redirect(status, format!("{}/x", other.url())));
        let params = json!({"path": "/identity", "method": "POST", "body": "b"});
        assert_eq!(host.call("plex.request", params).unwrap()["status"], status);
    }
    assert!(other.requests().is_empty());
    plex.clear();
    plex.fault(Fault::Redirect(302, "/library/sections".to_owned()));
    let followed = host.call("plex.request", json!({"path": "/identity"})).unwrap();
    assert_eq!((&followed["status"], &followed["attempts"]), (&json!(200), &json!(1)));
    assert!(plex.requests().iter().all(|request| request.header("X-Plex-Token").is_some()));
}

#[test]
fn a_token_that_only_plex_tv_takes_is_told_at_a_401() {
    let plex = FakePlex::start();
    let jwt = "eyJhbGciOiJFZERTQSJ9.eyJ1c2VyIjp7fX0.c2lnbmF0dXJl";
    let mut host = crate::host().env("PLEX_URL", plex.url()).env("PLEX_TOKEN", jwt).start();
    let answer = host.call("plex.request", json!({"path": "/library/sections"})).unwrap();
    assert_eq!(answer["status"], 401);
    assert_eq!(plex.requests()[0].header("X-Plex-Token"), Some(jwt), "it is passed on");
    assert!(answer["warning"].as_str().unwrap().contains("JWT"), "{answer}");
    let refused = host.call("plex.find", json!({"path": "/media/movies/a.mkv"})).unwrap_err();
    assert!(refused.code == -32013 && refused.message.contains("JWT"), "{refused}");
    let checks = host.call("doctor.run", json!({})).unwrap()["checks"].clone();
    let account = checks.as_array().unwrap().iter().find(|it| it["name"] == "plex_account");
    assert!(account.unwrap()["hint"].as_str().unwrap().contains("JWT"), "{checks}");
    let other = host.call("plex.request", json!({"path": "/library", "token": "eyJ.a"})).unwrap();
    assert_eq!((&other["status"], other.get("warning")), (&json!(401), None), "{other}");
}
