//! `doctor` finds what is wrong, names the cure, and changes nothing.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use plexsync_harness::fake_stash::FakeStash;
use plexsync_harness::host::Output;
use plexsync_harness::{FakePlex, HostBuilder, TlsSetup};
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
        assert_eq!(check["state"] == "ok", check.get("cure").is_none(), "{check}");
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
    expect(&found, "plex_account", "ok", "`Attic`, Plex 1.41");
    expect(&found, "plex_device", "ok", &id);
    assert_eq!(content(folder.path()), before);
    let devices: Vec<_> = plex.devices().into_iter().map(|device| device.identifier).collect();
    assert_eq!(devices, [Some(id)]);
}

#[test]
fn a_line_each_and_the_end_of_the_token() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    let output = host.clone().plex(&plex).arg("doctor").run("");
    let token = plex.token();
    let ending = format!("ends in `{}`", &token[token.len() - 4..]);
    assert!(output.stdout.contains(&ending), "{}", output.stdout);
    assert!(!(output.stdout + &output.stderr).contains(&token));
    let output = host.plex(&plex).token("elevenchars").arg("doctor").run("");
    assert!(!(output.stdout + &output.stderr).contains("hars"));
}

#[test]
fn lines_fit_a_terminal_and_only_words_that_are_too_long_do_not() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    let output = host.plex(&plex).token("another-server-s").arg("doctor").run("");
    for line in output.stdout.lines() {
        let longest = line.split(' ').map(str::len).max().unwrap();
        assert!(line.chars().count() <= 80 || longest > 60, "{line}");
        let begins = ["ok", "warning", "failure"].iter().any(|state| line.starts_with(state));
        assert!(begins || line.starts_with("         "), "{line}");
    }
    let cure = "\n         -> take a token of this server's owner: this one is another server's,\n            or";
    assert!(output.stdout.contains(cure), "{}", output.stdout);
}

#[test]
fn no_identity_is_no_request_and_no_file() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    for data in [folder.path().to_owned(), folder.path().join("not/there")] {
        let found = doctor(&host().data_dir(&data).plex(&plex));
        expect(&found, "identity", "warning", "there is none yet");
        expect(&found, "plex_server", "warning", "not asked");
    }
    assert_eq!(content(folder.path()), []);
    assert_eq!(plex.requests().len(), 0);
}

#[test]
fn what_is_wrong_with_the_way_to_plex() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    expect(&doctor(&host), "plex_url", "warning", "no Plex server is configured");

    let found = doctor(&host.clone().plex(&plex).token("another-server-s"));
    expect(&found, "plex_server", "ok", "Plex 1.41");
    expect(&found, "plex_account", "failure", "401");
    absent(&found, "plex_device");

    let found = doctor(&host.clone().env("PLEX_URL", plex.url()));
    expect(&found, "plex_token", "warning", "no token");

    let found = doctor(&host.clone().plex(&plex).token(&plex.shared_token()));
    expect(&found, "plex_device", "ok", "not told (status `403`)");

    plex.respond("/identity", 200, &[], "<h1>a router</h1>");
    let found = doctor(&host.plex(&plex));
    expect(&found, "plex_server", "failure", "not as Plex does");
}

#[test]
fn each_step_of_a_good_way_has_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let (host, id) = settled(folder.path());
    let plex = FakePlex::start();
    let found = doctor(&host.clone().plex(&plex));
    expect(&found, "plex_name", "ok", "`127.0.0.1` is an address");
    expect(&found, "plex_connection", "ok", &format!("`127.0.0.1:{}`", plex.port()));
    absent(&found, "plex_tls");
    expect(&found, "plex_server", "ok", "Plex 1.41");
    expect(&found, "plex_account", "ok", "`Attic`");
    expect(&found, "plex_device", "ok", &id);

    let by_name = format!("http://localhost:{}", plex.port());
    let found = doctor(&host.clone().plex(&plex).env("PLEX_URL", by_name));
    expect(&found, "plex_name", "ok", "`localhost` is ");
    expect(&found, "plex_name", "ok", "`127.0.0.1`");

    let secure = FakePlex::start_tls(TlsSetup::RightName);
    let found = doctor(&host.clone().plex(&secure));
    expect(&found, "plex_tls", "ok", "TLS 1.3, ");
    expect(&found, "plex_tls", "ok", "for `127.0.0.1`, `localhost`");
    expect(&found, "plex_tls", "ok", "valid until 01 Jan 4096");
    expect(&found, "plex_tls", "ok", "trusted by `--plex-ca`");
    expect(&found, "plex_device", "ok", &id);

    let file = folder.path().join("system.pem");
    fs::write(&file, secure.ca_pem().unwrap()).unwrap();
    let of_system = host.clone().env("PLEX_URL", secure.url()).token(&secure.token());
    let found = doctor(&of_system.env("SSL_CERT_FILE", &file));
    expect(&found, "plex_tls", "ok", "trusted by the system");

    let direct = FakePlex::start_tls(TlsSetup::PlexDirect);
    let found = doctor(&host.plex(&direct));
    expect(&found, "plex_name", "ok", ".plex.direct` is `127.0.0.1`");
    expect(&found, "plex_tls", "ok", ".plex.direct`, valid until");
    expect(&found, "plex_server", "ok", "Plex 1.41");
}

#[test]
fn the_step_that_fails_is_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    let to = |url: &str| doctor(&host.clone().env("PLEX_URL", url).token("twelve-chars"));

    let found = to("http://no-such-host.invalid:32400");
    expect(&found, "plex_name", "failure", "`no-such-host.invalid`");
    absent(&found, "plex_connection");

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "https"] {
        let found = to(&format!("{scheme}://{closed}"));
        expect(&found, "plex_name", "ok", "`127.0.0.1`");
        expect(&found, "plex_connection", "failure", "refused the connection");
        absent(&found, "plex_tls");
        absent(&found, "plex_server");
    }

    let found = to("http://user:passw0rd@127.0.0.1:32400");
    expect(&found, "plex_name", "failure", "a user name or a password");
    assert!(!format!("{found:?}").contains("passw0rd"));
}

#[test]
fn a_certificate_that_can_t_be_trusted_is_shown_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    let own = "for `127.0.0.1`, `localhost`";
    for (setup, reason, shown, cure) in [
        (TlsSetup::WrongName, "another name", "for `plex.example`, valid until", "use the one"),
        (TlsSetup::Expired, "has expired", "valid until 01 Jan 2020", "renew it"),
        (TlsSetup::SelfSigned, "is self-signed", own, "`--plex-ca`"),
        (TlsSetup::Authority, "is an authority's", own, "CA:FALSE"),
        (TlsSetup::PlainHttp, "does not speak TLS", "", "http://"),
        (TlsSetup::CloseAtOnce, "during the TLS handshake", "", "speaks `https`"),
    ] {
        let plex = FakePlex::start_tls(setup);
        let output = host.clone().plex(&plex).args(["doctor", "--json"]).run("");
        let found = findings(&output);
        expect(&found, "plex_connection", "ok", "accepts");
        expect(&found, "plex_tls", "failure", reason);
        expect(&found, "plex_tls", "failure", shown);
        absent(&found, "plex_server");
        let told: Value = serde_json::from_str(&output.stdout).unwrap();
        let checks = told["checks"].as_array().unwrap();
        let last = checks.iter().find(|check| check["name"] == "plex_tls").unwrap();
        assert!(last["cure"].as_str().unwrap().contains(cure), "{setup:?}: {last}");
        assert!(plex.requests().is_empty(), "{setup:?}");
    }

    let plex = FakePlex::start_tls(TlsSetup::RightName);
    let unknown = host.clone().env("PLEX_URL", plex.url()).token(&plex.token());
    expect(&doctor(&unknown), "plex_tls", "failure", "no known authority vouches for it");

    let direct = FakePlex::start_tls(TlsSetup::PlexDirect);
    let by_address = format!("https://127.0.0.1:{}", direct.port());
    let output = host.plex(&direct).env("PLEX_URL", by_address).arg("doctor").run("");
    assert!(output.stdout.contains(&format!("-> use `{}`\n", direct.url())), "{}", output.stdout);
}

/// Starts `doctor` as a child of a program that is called `stash`, with what Stash writes to a plugin.
#[cfg(target_os = "linux")]
fn under_stash(folder: &Path, input: &str) -> Vec<(String, String, String)> {
    let shell = folder.join("stash");
    if !shell.exists() {
        std::os::unix::fs::symlink("/bin/sh", &shell).unwrap();
    }
    let script = "\"$0\" doctor --json; exit $?";
    let host = host().without_data_dir().binary(shell).env("HOME", folder);
    findings(&host.args(["-c", script]).arg(crate::worker()).run(input))
}

#[cfg(target_os = "linux")]
#[test]
fn a_parent_stash_is_asked_for_its_settings() {
    let (folder, plex, stash) =
        (tempfile::tempdir().unwrap(), FakePlex::start(), FakeStash::start());
    let plugin = folder.path().join("plugin");
    let (_, id) = settled(&plugin.join("data"));
    let raw = stash.input(&plugin, &json!({}));
    let rpc = json!({"method": "RPCRunner.Run", "params": [raw], "id": 0});

    let found = under_stash(folder.path(), &raw.to_string());
    expect(
        &found,
        "stash",
        "warning",
        "started by Stash v0.30.1, whose settings of the plugin `plexsync`",
    );
    expect(&found, "plex_url", "warning", "no Plex server");

    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": plex.token()}));
    for input in [raw.to_string(), rpc.to_string()] {
        let found = under_stash(folder.path(), &input);
        expect(&found, "stash", "ok", "v0.30.1, which tells the settings of the plugin `plexsync`");
        expect(&found, "plex_url", "ok", "from `Stash's settings`");
        expect(&found, "plex_token", "ok", "from `Stash's settings`");
        expect(&found, "data_folder", "ok", "the plugin's own");
        expect(&found, "identity", "ok", &id);
        expect(&found, "plex_device", "ok", &id);
        assert!(!format!("{found:?}").contains(&plex.token()));
    }

    stash.end_sessions();
    let found = under_stash(folder.path(), &raw.to_string());
    expect(&found, "stash", "failure", "refused the session");
    expect(&found, "stash", "failure", "does not tell its version");

    let found = under_stash(folder.path(), "");
    expect(&found, "stash", "warning", "did not say how it can be reached");
}

#[test]
fn without_a_parent_stash_its_line_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    expect(&doctor(&host), "stash", "ok", "not started by Stash");
}

#[test]
fn a_proxy_s_way_is_not_walked() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    let plex = FakePlex::start_tls(TlsSetup::RightName);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let found = doctor(&host.plex(&plex).env("HTTPS_PROXY", format!("http://{closed}")));
    expect(&found, "plex_name", "ok", "proxy");
    absent(&found, "plex_connection");
    expect(&found, "plex_server", "failure", "refused the connection");
}

#[test]
fn what_is_wrong_with_the_identity() {
    let folder = tempfile::tempdir().unwrap();
    let (host, id) = settled(folder.path());
    let (main, copy) =
        (folder.path().join("device_id.json"), folder.path().join("device_id.json.bak"));
    let looks = |name: &str, state: &str, told: &str| {
        let before = content(folder.path());
        expect(&doctor(&host), name, state, told);
        assert_eq!(content(folder.path()), before);
    };
    fs::write(&copy, r#"{"device_id": "other"}"#).unwrap();
    looks("backup", "warning", "another id, `other`");
    fs::remove_file(&copy).unwrap();
    looks("backup", "warning", "there is no");
    fs::rename(&main, &copy).unwrap();
    looks("identity", "warning", &id);
    fs::write(&copy, "{").unwrap();
    fs::write(&main, "{").unwrap();
    looks("identity", "failure", "no backup can help");
    fs::write(folder.path().join("device_id.json.corrupt-20250101T000000Z"), "{").unwrap();
    fs::remove_file(&main).unwrap();
    fs::create_dir(&main).unwrap();
    looks("identity", "failure", "folder");
}
