//! What Plex and Stash really wrote goes through the worker: other people's bytes, which are no part of the repository.
//!
//! `PLEXSYNC_REAL_BYTES` names their folder; without it, it is looked for beside the repository. Where it is not there,
//! nothing is run, and that is said: this target prints its own lines, so nothing here is `ok` that did not run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a check that can't go on fails, and what was run is said where cargo says it"
)]

use std::path::{Path, PathBuf};

use plexsync_harness::fixtures::{File, read};
use plexsync_harness::{Host, skip};

mod checks;

/// Where the folder lies if no variable names it.
const BESIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");

fn main() {
    if !is_asked_for() {
        return;
    }
    let folder = folder();
    if !folder.is_dir() {
        return skip(format_args!("there is no `{}`: see PLEXSYNC_REAL_BYTES", folder.display()));
    }
    let host = Host::builder().binary(env!("CARGO_BIN_EXE_plexsync-worker"));
    let (json, xml) = (bodies(&folder, "json"), bodies(&folder, "xml"));
    let stash = read(&folder.join("stash-wire"), "stdin");
    checks::json_bodies_arrive(&host, &json);
    said(json.len(), "JSON bodies arrive as they were sent");
    checks::xml_bodies_arrive(&host, &xml);
    said(xml.len(), "XML bodies arrive as JSON");
    said(checks::listings_are_joined(&host, &json), "listings are joined from their pages");
    checks::stash_is_answered(&host, &stash);
    said(stash.len(), "inputs of Stash are answered");
}

fn said(count: usize, what: &str) {
    assert!(count > 0, "no {what}");
    println!("real bytes: {count} {what} ... ok");
}

/// Bodies of servers, and of plex.tv for an account.
fn bodies(folder: &Path, extension: &str) -> Vec<File> {
    let folder = folder.join("plex-bodies");
    let mut files = read(&folder, extension);
    files.extend(read(&folder.join("account"), extension));
    files
}

#[expect(clippy::disallowed_methods, reason = "this is a main: it reads the environment")]
fn folder() -> PathBuf {
    std::env::var_os("PLEXSYNC_REAL_BYTES").map_or_else(|| BESIDE.into(), PathBuf::from)
}

/// Whoever runs tests of another name, ignored ones, or a list of them, does not mean this.
#[expect(clippy::disallowed_methods, reason = "this is a main: it reads the arguments")]
fn is_asked_for() -> bool {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let names: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let other =
        ["--list", "--ignored"].iter().any(|option| words.iter().any(|word| word == option));
    !other && (names.is_empty() || names.iter().any(|name| "real_bytes".contains(name.as_str())))
}
