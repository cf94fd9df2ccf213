//! A client in Stash's own language and library: what the worker writes is read by the code that Stash reads it with.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Builds the client into `folder`; nothing where Go is not installed.
fn build(folder: &Path) -> Option<PathBuf> {
    let program = folder.join("go-client");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go-client"))
        .env("GOFLAGS", "-buildvcs=false")
        .output();
    match built {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        built => {
            succeeded(&built.unwrap());
            Some(program)
        }
    }
}

fn succeeded(output: &Output) {
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{}", said.concat());
}

#[test]
#[ignore = "builds a program in Go; `.ci/run` runs it"]
fn a_client_in_go_runs_stops_and_fails_calls() {
    let folder = tempfile::tempdir().unwrap();
    let Some(client) = build(folder.path()) else {
        return plexsync_harness::skip("go is not installed");
    };
    let output = Command::new(client)
        .arg(crate::worker())
        .arg(folder.path().join("plugin"))
        .env_clear()
        .output();
    succeeded(&output.unwrap());
}
