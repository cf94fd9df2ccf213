//! `doctor` finds what is wrong, with a hint for each, and writes nothing but a first identity.

mod connection;
mod identity;
mod in_stash;

use std::fs;
use std::path::Path;

use plexsync_harness::host::Output;
use plexsync_harness::{FakePlex, HostBuilder};
use serde_json::{Value, json};

use crate::host;

/// A data folder with a good identity and its backup.
fn settled(folder: &Path) -> (HostBuilder, String) {
    let host = host().data_dir(folder);
    let id = host.clone().start().call("identity.get", Value::Null).unwrap()["device_id"].clone();
    (host, id.as_str().unwrap().to_owned())
}

/// What `doctor --json` found: all of its findings, without what it says of the machine that tests run on.
fn findings(output: &Output) -> Vec<(String, String, String)> {
    let found: Value = serde_json::from_str(&output.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let rank = |state: &Value| ["ok", "warning", "failure"].iter().position(|known| state == known);
    let worst = checks.iter().map(|check| rank(&check["state"]).unwrap()).max();
    assert_eq!(rank(&found["worst"]), worst, "{found}");
    assert_eq!(output.status.code(), worst.map(|worst| worst as i32), "{found}");
    for check in checks {
        assert_eq!(check["state"] == "ok", check.get("hint").is_none(), "{check}");
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .iter()
        .filter(|check| check["name"] != "filesystem")
        .map(|check| (text(&check["name"]), text(&check["state"]), text(&check["message"])))
        .collect()
}

fn doctor(host: &HostBuilder) -> Vec<(String, String, String)> {
    findings(&host.clone().args(["doctor", "--json"]).run(""))
}

#[track_caller]
fn expect(found: &[(String, String, String)], name: &str, state: &str, told: &str) {
    let check = found.iter().find(|(known, ..)| known == name);
    let (_, was, message) = check.unwrap_or_else(|| panic!("no `{name}` in {found:?}"));
    assert_eq!(was, state, "{name}: {message}");
    assert!(message.contains(told), "{name}: {message}");
}

#[track_caller]
fn absent(found: &[(String, String, String)], name: &str) {
    assert!(found.iter().all(|(known, ..)| known != name), "{name}: {found:?}");
}

/// Every name below a folder, with what is in it.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut content: Vec<_> = entries
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    content.sort();
    content
}

#[test]
fn all_is_well() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, id) = settled(folder.path());
    let host = host.plex(&plex);
    let before = content(folder.path());
    let found = doctor(&host);
    assert!(found.iter().all(|(_, state, _)| state == "ok"), "{found:?}");
    expect(&found, "data_folder", "ok", "`--data-dir`");
    expect(&found, "identity", "ok", &id);
    expect(&found, "plex_account", "ok", "`Attic`");
    expect(&found, "plex_device", "ok", &id);
    expect(
        &found,
        "plex_libraries",
        "ok",
        "6 libraries: Movies (`/media/movies`, `/mnt/disk2/movies`), TV",
    );
    assert_eq!(content(folder.path()), before);
    let report = host.start().call("doctor.run", Value::Null).unwrap();
    assert_eq!(
        (&report["worst"], report["checks"].as_array().unwrap().len()),
        (&json!("ok"), found.len())
    );
    let devices: Vec<_> = plex.devices().into_iter().map(|device| device.identifier).collect();
    assert_eq!(devices, [Some(id)]);
}

#[test]
fn nothing_of_a_token_is_shown_whoever_says_it() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    let token = plex.token();
    let name = format!("named {token} by its owner");
    plex.respond("/", 200, &[], json!({"MediaContainer": {"friendlyName": name}}).to_string());
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let output = host.clone().plex(&plex).args(arguments).run("");
        let said = output.stdout + &output.stderr;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("set, from") && said.contains("named REDACTED"), "{said}");
        assert!(!said.contains(&token) && !said.contains("ends in"), "{said}");
    }
}

#[test]
fn lines_fit_a_terminal_and_only_words_that_are_too_long_do_not() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    let output = host.plex(&plex).token("another-server-s").arg("doctor").run("");
    let mut lines = output.stdout.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with(&format!("data folder `{}`, device `", folder.path().display())));
    assert_eq!(lines.next_back(), Some("Failures: 1, warnings: 2."));
    for line in lines {
        let longest = line.split(' ').map(str::len).max().unwrap();
        assert!(line.chars().count() <= 80 || longest > 60, "{line}");
        let begins = ["ok", "warning", "failure"].iter().any(|state| line.starts_with(state));
        assert!(begins || line.starts_with("         "), "{line}");
    }
    let hint = "\n         -> take a token of this server's owner: this one is another server's,\n            or";
    assert!(output.stdout.contains(hint), "{}", output.stdout);
}
