//! OpenRPC's own tools take the document, and call the worker by it.

use std::path::Path;
use std::process::Command;

use plexsync_harness::{FakePlex, skip};

#[test]
fn the_tools_of_openrpc_find_nothing_wrong() {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    if !peers.join("node_modules/@open-rpc").exists() {
        return skip("`tests/peers/install` has not been run");
    }
    let plex = FakePlex::start();
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("node")
        .arg(peers.join("openrpc_coverage.mjs"))
        .arg(crate::worker())
        .arg(folder.path())
        .env("PLEX_URL", plex.url())
        .env("PLEX_TOKEN", plex.token())
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return skip("node is not installed");
        }
        output => output.unwrap(),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    for method in ["identity.get", "identity.reset", "plex.request", "plex.scan", "rpc.discover"] {
        assert!(said.lines().last().unwrap().contains(method), "{said}");
    }
}
