//! What the fault campaign tries on Linux with its tools, tried with none of them: the same on every platform.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::{scope, sleep};
use std::time::Duration;

use plexsync_harness::Host;
use serde_json::{Value, json};

use crate::host;

fn get(host: &mut Host) -> Value {
    host.call("identity.get", json!({})).unwrap()["device_id"].clone()
}

#[test]
fn sixteen_first_starts_agree() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let start = || get(&mut host().data_dir(folder.path()).start());
        let ids: BTreeSet<String> = scope(|scope| {
            let started: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            started.into_iter().map(|start| start.join().unwrap().to_string()).collect()
        });
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert!(ids.contains(&start().to_string()), "{ids:?}");
    }
}

#[test]
fn a_worker_that_is_killed_during_a_reset_leaves_one_identity() {
    let mut host = host().start();
    for trial in 0..20 {
        let before = get(&mut host);
        let _unawaited = host.start_call("identity.reset", json!({}));
        sleep(Duration::from_micros(trial * 173 % 3000));
        host.kill();
        let told = host.read_to_end().first().map(|reply| reply["result"]["device_id"].clone());
        host.start_again();
        let found = get(&mut host);
        assert!(told.is_none() || told.as_ref() == Some(&found), "{told:?}, then {found}");
        host.restart();
        assert_eq!(get(&mut host), found, "{before} before, {told:?} told");
    }
    host.call("identity.reset", json!({})).unwrap();
    let files = fs::read_dir(host.data_dir()).unwrap().flatten().map(|entry| entry.file_name());
    let names: Vec<_> = files.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.ends_with(".tmp")), "{names:?}");
}

/// What lies in the place of the file: how it is made, and whether an identity takes its place.
type Odd = (&'static str, fn(&Path), bool);

/// Longer than any file of an identity.
const LONG: usize = 1 << 20;

#[test]
fn odd_things_in_the_files_place_are_no_identity() {
    let odd: [Odd; 6] = [
        ("a folder", |path| fs::create_dir(path).unwrap(), false),
        ("a long file", |path| fs::write(path, " ".repeat(LONG)).unwrap(), false),
        ("nothing", |path| fs::write(path, "").unwrap(), true),
        ("zeros", |path| fs::write(path, [0; 512]).unwrap(), true),
        ("half of it", |path| fs::write(path, "{\n  \"devi").unwrap(), true),
        ("another format", |path| fs::write(path, "[\"device_id\"]").unwrap(), true),
    ];
    for (what, make, is_replaced) in odd {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("device_id.json");
        make(&file);
        let mut host = host().data_dir(folder.path()).start();
        match (host.call("identity.get", json!({})), is_replaced) {
            (Ok(identity), true) => {
                assert_eq!(identity["origin"], "regenerated", "{what}");
                assert!(identity["warning"].is_string(), "{what}: {identity}");
                host.restart();
                assert_eq!(get(&mut host), identity["device_id"], "{what}");
            }
            (Err(error), false) => {
                assert_eq!(error.code, -32001, "{what}: {}", error.message);
                assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{what}: no write");
            }
            (answer, _) => panic!("{what}: {answer:?}"),
        }
    }
}
