//! What `doctor` says of folder and identity, and what it writes.

use std::fs;
#[cfg(unix)]
use std::path::Path;

use plexsync_harness::FakePlex;
#[cfg(target_os = "linux")]
use plexsync_harness::{Host, HostBuilder};
use serde_json::Value;

#[cfg(unix)]
use super::absent;
use super::{content, doctor, expect, findings, settled};
use crate::host;

#[test]
fn without_leave_or_without_a_server_nothing_is_written() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    for data in [folder.path().to_owned(), folder.path().join("not/there")] {
        let host = host().data_dir(&data);
        let found =
            findings(&host.clone().plex(&plex).args(["doctor", "--json", "--no-create"]).run(""));
        expect(&found, "identity", "warning", "none yet in");
        expect(&found, "plex_server", "warning", "not asked");
        let called = host.clone().plex(&plex).args(["call", "doctor.run", r#"{"create": false}"#]);
        assert!(called.run("").stdout.contains("none yet in"));
        expect(&doctor(&host), "identity", "warning", "none yet in");
    }
    assert_eq!(content(folder.path()), []);
    assert_eq!(plex.requests().len(), 0);
}

/// A worker that file modes hold for: root's may write everywhere, so as root it runs as somebody else, who owns `data`.
#[cfg(target_os = "linux")]
fn bound_by_modes(folder: &Path, data: &Path) -> HostBuilder {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    const NOBODY: u32 = 65534;
    if fs::metadata(folder).unwrap().uid() != 0 {
        return host().data_dir(data);
    }
    let program = folder.join("worker");
    // Another process copies: what this one has open for writing, a child of another test's thread may have open, too.
    let copied = std::process::Command::new("cp").arg(crate::worker()).arg(&program).status();
    assert!(copied.unwrap().success());
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    chown(data, Some(NOBODY), Some(NOBODY)).unwrap();
    let user = NOBODY.to_string();
    let builder = Host::builder().binary("setpriv").without_data_dir();
    let builder = builder.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    builder.arg(program).env("PLEXSYNC_DATA_DIR", data)
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_can_t_be_written_is_a_failure_while_an_identity_is_missing() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let host = bound_by_modes(folder.path(), &data).plex(&plex);
    let mode = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    let found = doctor(&host);
    expect(&found, "data_folder", "failure", "there is no identity yet");
    expect(&found, "plex_server", "warning", "not asked");
    assert_eq!(plex.requests().len(), 0);
    mode(0o700);
    expect(&doctor(&host), "identity", "ok", "was created in");
    mode(0o500);
    let found = doctor(&host);
    expect(&found, "data_folder", "warning", "can't be written");
    expect(&found, "plex_account", "ok", "accepts the token");

    fs::remove_file(data.join("device_id.json.bak")).unwrap();
    let printed = host.clone().arg("doctor").run("").stdout;
    assert!(printed.contains("device_id.json.bak`\n"), "{printed}");
    assert!(!printed.contains("nothing to do"), "nobody can write it: {printed}");

    fs::remove_file(data.join("device_id.json")).unwrap();
    fs::create_dir(data.join("device_id.json")).unwrap();
    let printed = host.clone().arg("doctor").run("").stdout;
    assert!(
        printed.contains("it is a folder") && !printed.contains("still has to be made"),
        "{printed}"
    );
    mode(0o700);
}

#[cfg(unix)]
#[test]
fn who_else_may_read_a_sign_in_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    for name in ["account.json", "sign_in.json", "server.json"] {
        let file = folder.path().join(name);
        fs::write(&file, "{}").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        absent(&doctor(&host), "sign_in");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        expect(&doctor(&host), "sign_in", "warning", "(mode `640`)");
        fs::remove_file(file).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn who_else_may_change_the_identity_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    let file = folder.path().join("device_id.json");
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let found = doctor(&host);
    absent(&found, "access");
    mode(&file, 0o644);
    expect(&doctor(&host), "identity", "ok", "others can read it (mode `644`)");
    mode(&file, 0o666);
    expect(&doctor(&host), "access", "warning", "written by other users (mode `666`)");
    mode(&file, 0o600);
    mode(folder.path(), 0o777);
    expect(&doctor(&host), "access", "warning", "(mode `777`)");
    mode(folder.path(), 0o1777);
    absent(&doctor(&host), "access");
}

#[test]
fn what_is_wrong_with_the_identity() {
    let folder = tempfile::tempdir().unwrap();
    let (host, id) = settled(folder.path());
    let (main, backup) =
        (folder.path().join("device_id.json"), folder.path().join("device_id.json.bak"));
    let looks = |name: &str, state: &str, told: &str| {
        let before = content(folder.path());
        expect(&doctor(&host), name, state, told);
        assert_eq!(content(folder.path()), before);
    };
    fs::write(&backup, r#"{"device_id": "other"}"#).unwrap();
    looks("backup", "warning", "another id, `other`");
    fs::remove_file(&backup).unwrap();
    looks("backup", "warning", "there is no");
    fs::rename(&main, &backup).unwrap();
    looks("identity", "warning", &id);
    fs::write(&backup, "{").unwrap();
    fs::write(&main, "{").unwrap();
    looks("identity", "failure", "no backup");
    fs::write(folder.path().join("device_id.json.corrupt-1735689600"), "{").unwrap();
    fs::remove_file(&main).unwrap();
    fs::create_dir(&main).unwrap();
    looks("identity", "failure", "folder");
}

#[test]
fn a_first_user_with_url_and_token_needs_one_command() {
    let plex = FakePlex::start();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not/there");
    let host = host().data_dir(&data).plex(&plex);
    let found = doctor(&host);
    expect(&found, "identity", "ok", "was created in");
    expect(&found, "plex_account", "ok", "`Attic`");
    expect(&found, "data_folder", "ok", "the first use creates it");
    let id = host.start().call("identity.get", Value::Null).unwrap()["device_id"].clone();
    let devices: Vec<_> = plex.devices().into_iter().map(|device| device.identifier).collect();
    assert_eq!(devices, [id.as_str().map(str::to_owned)]);
}
