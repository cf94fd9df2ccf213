//! `UPDATE_EXPECT=1 cargo test -p plexsync-protocol` writes `openrpc.json` anew.

use serde_json::Value;

use crate::error::Code;
use crate::message::method;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openrpc.json");

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by the environment to renew the file"
)]
fn the_document_is_fresh() {
    let text = super::text();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(FILE).unwrap() == text,
        "`openrpc.json` is stale: run `UPDATE_EXPECT=1 cargo test -p plexsync-protocol`"
    );
}

#[test]
fn it_is_one_line_after_the_other() {
    // `rpc.discover` joins the lines: a string that held a line end would be changed by that.
    let joined: String = super::text().lines().map(str::trim_start).collect();
    let (joined, whole): (Value, Value) =
        (serde_json::from_str(&joined).unwrap(), serde_json::from_str(&super::text()).unwrap());
    assert_eq!(joined, whole);
}

#[test]
fn every_method_is_there_with_examples_and_errors() {
    let document: Value = serde_json::from_str(&super::text()).unwrap();
    let methods = document["methods"].as_array().unwrap();
    let names: Vec<_> = methods.iter().map(|method| method["name"].as_str().unwrap()).collect();
    let expected = [
        method::IDENTITY_GET,
        method::IDENTITY_RESET,
        method::PLEX_REQUEST,
        method::PLEX_SCAN,
        method::PLEX_FIND,
        method::SCAN_PENDING,
        method::AUTH_START,
        method::AUTH_FINISH,
        method::AUTH_STATUS,
        method::AUTH_LOGOUT,
        method::SERVER_LIST,
        method::SERVER_CHOOSE,
        method::DEVICE_LIST,
        method::DEVICE_REMOVE,
        method::DOCTOR_RUN,
        method::RPC_DISCOVER,
        method::STASH_RUN,
        method::STASH_STOP,
    ];
    assert_eq!(names, expected);
    for method in methods {
        assert!(!method["examples"].as_array().unwrap().is_empty(), "{}", method["name"]);
        assert!(!method["errors"].as_array().unwrap().is_empty(), "{}", method["name"]);
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    let text = super::text();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut used = Vec::new();
    for part in text.split("\"$ref\": \"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        used.push(pointer);
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(used.contains(&format!("/components/schemas/{name}").as_str()), "{name}");
    }
}

#[test]
fn codes_are_numbered_once() {
    for code in Code::ALL {
        assert_eq!(Code::of(code.number()), Some(code));
    }
}
