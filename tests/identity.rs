//! One identity: through restarts, races, damage and permissions, as a host sees it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
#[cfg(unix)]
use std::path::Path;
use std::process::{Command, Stdio};

use plexsync_harness::FakePlex;
#[cfg(unix)]
use plexsync_harness::Host;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{host, worker};

#[test]
fn an_identity_is_made_once() {
    let mut host = host().start();
    let first = host.call("identity.get", json!({})).unwrap();
    assert_eq!(first["origin"], "created");
    for _ in 0..3 {
        host.restart();
        let again = host.call("identity.get", json!({})).unwrap();
        assert_eq!(
            (&again["device_id"], &again["origin"]),
            (&first["device_id"], &json!("loaded"))
        );
    }
    let file = fs::read_to_string(host.data_dir().join("device_id.json")).unwrap();
    assert_eq!(file, format!("{{\n  \"device_id\": {}\n}}", first["device_id"]));
}

/// systemd's `UMask=0177` is meant for files, and makes folders that nobody can enter.
#[cfg(unix)]
#[test]
fn a_umask_keeps_nobody_from_his_own_identity() {
    use std::os::unix::fs::PermissionsExt;
    for umask in ["0077", "0177", "0277", "0777"] {
        let folder = tempdir().unwrap();
        let data = folder.path().join("not/there");
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let started = || {
            let shell = Host::builder().binary("sh").without_data_dir().args(["-c", &script]);
            shell.arg(worker()).arg("--data-dir").arg(&data).start()
        };
        let first = started().call("identity.get", json!({})).unwrap();
        assert_eq!(started().call("identity.get", json!({})).unwrap()["origin"], "loaded");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(data.parent().unwrap())), (0o700, 0o700), "{umask}");
        assert_eq!(mode(&data.join("device_id.json")), 0o600, "{umask}: {first}");
    }
}

#[test]
fn the_headers_name_the_device() {
    let identity = host().start().call("identity.get", json!({})).unwrap();
    let names: Vec<&String> = identity["headers"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 8);
    assert_eq!(identity["headers"]["X-Plex-Client-Identifier"], identity["device_id"]);
    assert_eq!(identity["headers"]["X-Plex-Product"], "PlexSync");
    assert_eq!(identity["headers"]["X-Plex-Device-Name"], "PlexSync Plugin");
}

#[test]
fn an_id_on_disk_is_kept_byte_for_byte() {
    for id in ["PRE-EXISTING", "0x2fc00000001", "{A b}", "~", &"x".repeat(255)] {
        let folder = tempdir().unwrap();
        let content = format!("\u{feff}{{\r\n \"device_id\": \"{id}\", \"other\": 1e999}}\r\n");
        fs::write(folder.path().join("device_id.json"), &content).unwrap();
        let mut host = host().data_dir(folder.path()).start();
        assert_eq!(host.call("identity.get", json!({})).unwrap()["device_id"], *id);
        assert_eq!(fs::read_to_string(folder.path().join("device_id.json")).unwrap(), content);
    }
}

#[test]
fn a_reset_is_told_and_on_disk_and_can_be_conditional() {
    let mut host = host().start();
    let first = host.call("identity.get", json!({})).unwrap();
    let error = host.call("identity.reset", json!({"if_device_id": "another"})).unwrap_err();
    assert_eq!(
        (error.code, error.datum("device_id").clone()),
        (-32002, first["device_id"].clone())
    );
    let second = host.call("identity.reset", json!({"if_device_id": first["device_id"]})).unwrap();
    assert_eq!((&second["origin"], &second["previous"]), (&json!("reset"), &first["device_id"]));
    host.restart();
    assert_eq!(host.call("identity.get", json!({})).unwrap()["device_id"], second["device_id"]);
    let adopted = host.call("identity.reset", json!({"device_id": "moved here"})).unwrap();
    assert_eq!(
        (&adopted["origin"], &adopted["device_id"]),
        (&json!("adopted"), &json!("moved here"))
    );
    let error = host.call("identity.reset", json!({"device_id": "two\nlines"})).unwrap_err();
    assert_eq!((error.code, error.datum("pointer").clone()), (-32602, json!("/device_id")));
}

#[test]
fn a_deleted_or_damaged_file_comes_back() {
    let mut host = host().start();
    let first = host.call("identity.get", json!({})).unwrap();
    let file = host.data_dir().join("device_id.json");
    fs::remove_file(&file).unwrap();
    host.restart();
    let again = host.call("identity.get", json!({})).unwrap();
    assert_eq!((&again["device_id"], &again["origin"]), (&first["device_id"], &json!("recovered")));
    assert!(again["warning"].is_string());
    fs::write(&file, "{\"devi").unwrap();
    host.restart();
    let again = host.call("identity.get", json!({})).unwrap();
    assert_eq!((&again["device_id"], &again["origin"]), (&first["device_id"], &json!("recovered")));
}

#[test]
fn an_identity_that_can_t_be_read_sends_nothing_and_recovers() {
    let plex = FakePlex::start();
    let folder = tempdir().unwrap();
    let file = folder.path().join("device_id.json");
    fs::create_dir(&file).unwrap();
    let mut host = host().data_dir(folder.path()).plex(&plex).start();
    for method in ["identity.get", "plex.request", "identity.reset"] {
        let params = if method == "plex.request" { json!({"path": "/"}) } else { json!({}) };
        let error = host.call(method, params).unwrap_err();
        assert_eq!(error.code, -32001, "{method}: {}", error.message);
        assert_eq!(*error.datum("path"), file.to_str().unwrap());
    }
    assert!(plex.requests().is_empty());
    fs::remove_dir(&file).unwrap();
    assert_eq!(host.call("identity.get", json!({})).unwrap()["origin"], "created");
    assert_eq!(host.call("plex.request", json!({"path": "/"})).unwrap()["status"], 200);
}

/// The ids that this many workers, started together, tell.
fn ids_of_a_race(folder: &std::path::Path, workers: usize) -> Vec<Value> {
    let started: Vec<_> = (0..workers)
        .map(|_| {
            let mut command = Command::new(worker());
            command
                .arg("--data-dir")
                .arg(folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    let mut asked = started;
    for child in &mut asked {
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}")
            .unwrap();
    }
    asked
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect()
}

#[test]
fn workers_that_start_together_agree() {
    for _ in 0..20 {
        let folder = tempdir().unwrap();
        let replies = ids_of_a_race(folder.path(), 16);
        let ids: BTreeSet<String> =
            replies.iter().map(|reply| reply["result"]["device_id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{replies:?}");
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{left:?}");
    }
}

#[test]
fn workers_that_find_a_broken_file_together_agree() {
    for _ in 0..3 {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("device_id.json"), "{\"device_id\": 5}").unwrap();
        let replies = ids_of_a_race(folder.path(), 8);
        let ids: BTreeSet<String> =
            replies.iter().map(|reply| reply["result"]["device_id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{replies:?}");
    }
}
