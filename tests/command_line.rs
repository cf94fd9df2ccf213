//! What a person types: `call`, and what clap gives away with it.

use plexsync_harness::FakePlex;
use serde_json::Value;

use crate::host;

#[test]
fn a_call_prints_its_result() {
    let plex = FakePlex::start();
    let typed = host().plex(&plex).args(["call", "plex.request"]);
    let params = r#"{"path": "/identity"}"#;
    for output in [typed.clone().arg(params).run(""), typed.arg("-").run(params)] {
        assert!(output.status.success(), "{}", output.stderr);
        let result: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(result["status"], 200);
        assert!(output.stdout.starts_with("{\n  \""), "{}", output.stdout);
        assert!(!output.stdout.contains('\x1b'), "{}", output.stdout);
    }
}

#[test]
fn a_call_and_a_host_are_the_same_device() {
    let typed = host();
    let output = typed.clone().args(["call", "identity.get"]).run("");
    let result: Value = serde_json::from_str(&output.stdout).unwrap();
    let mut host = typed.start();
    assert_eq!(host.call("identity.get", Value::Null).unwrap()["device_id"], result["device_id"]);
}

#[test]
fn a_failure_is_1_and_a_mistake_is_2() {
    for (arguments, code, told) in [
        (vec!["call", "identity.gte"], 1, "(-32601)"),
        (vec!["call", "plex.request", r#"{"path": 1}"#], 1, "/path"),
        (vec!["call", "plex.request", r#"{"path": "/identity"}"#], 1, "(-32014)"),
        (vec!["call", "plex.request", "{path}"], 2, "the params are no JSON"),
        (vec!["call"], 2, "<METHOD>"),
        (vec!["--plex-ulr", "x"], 2, "--plex-url"),
    ] {
        let output = host().args(&arguments).run("");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", output.stderr);
        assert!(output.stderr.contains(told), "{arguments:?}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
}

#[test]
fn the_version_names_the_contract_s() {
    let output = host().arg("--version").run("");
    let (own, contract) = (env!("CARGO_PKG_VERSION"), plexsync_protocol::CONTRACT_VERSION);
    let expected = format!("plexsync-worker {own} (contract {contract})\n");
    assert_eq!(output.stdout, expected);
}

#[test]
fn completions_and_the_manual_know_every_command() {
    for arguments in [vec!["completions", "bash"], vec!["completions", "zsh"], vec!["man"]] {
        let output = host().args(&arguments).run("");
        assert!(output.status.success(), "{}", output.stderr);
        for word in ["call", "completions", "data"] {
            assert!(output.stdout.contains(word), "{arguments:?}: `{word}`");
        }
    }
}

#[test]
fn the_printed_document_is_the_one_that_hosts_discover() {
    let output = host().arg("openrpc").run("");
    let printed: Value = serde_json::from_str(&output.stdout).unwrap();
    let discovered = host().args(["call", "rpc.discover"]).run("");
    assert_eq!(printed, serde_json::from_str::<Value>(&discovered.stdout).unwrap());
}
