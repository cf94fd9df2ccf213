//! The conversations in `protocol/transcripts` are had word for word, in both framings.

use std::path::{Path, PathBuf};

use plexsync_harness::transcript::WIRES;
use plexsync_harness::{FakePlex, Host, HostBuilder, Transcript, Wire};

/// Where the transcripts are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/protocol/transcripts");

/// Every transcript, by name.
pub(crate) fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(FOLDER).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The Plex that the transcripts talk to: it never answers `/slow`.
pub(crate) fn plex() -> FakePlex {
    let plex = FakePlex::start();
    plex.hold_on("/slow");
    plex
}

fn host(plex: &FakePlex, wire: Wire) -> HostBuilder {
    Host::builder().plex(plex).wire(wire)
}

fn read(file: &Path) -> Transcript {
    let text = std::fs::read_to_string(file).unwrap();
    Transcript::parse(&text).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

#[test]
fn every_transcript_is_true_in_both_framings() {
    let files = files();
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        for wire in WIRES {
            println!("{} over {wire:?}", file.display());
            let plex = plex();
            read(&file).replay(&mut host(&plex, wire).start());
        }
    }
}

#[test]
fn what_the_transcripts_send_is_what_the_contract_takes() {
    use plexsync_harness::contract::Contract;
    use serde_json::Value;
    let mut checked = 0;
    for file in files().iter().filter(|file| !file.ends_with("errors.txt")) {
        let transcript = read(file);
        for call in transcript.sent().filter_map(|text| serde_json::from_str::<Value>(text).ok()) {
            let method = call["method"].as_str().unwrap_or_default();
            let params = match call.get("params") {
                Some(Value::Array(list)) if list[0].is_null() => continue,
                Some(Value::Array(list)) => &list[0],
                Some(params) => params,
                None => continue,
            };
            Contract::get().check_params(method, params).unwrap();
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}
