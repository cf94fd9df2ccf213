//! `doctor` finds what is wrong, with a hint for each, and writes nothing but a first identity.

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
    assert_eq!(content(folder.path()), before);
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
    for line in lines {
        let longest = line.split(' ').map(str::len).max().unwrap();
        assert!(line.chars().count() <= 80 || longest > 60, "{line}");
        let begins = ["ok", "warning", "failure"].iter().any(|state| line.starts_with(state));
        assert!(begins || line.starts_with("         "), "{line}");
    }
    let hint = "\n         -> take a token of this server's owner: this one is another server's,\n            or";
    assert!(output.stdout.contains(hint), "{}", output.stdout);
}

#[test]
fn a_first_user_with_url_and_token_needs_one_command() {
    let plex = FakePlex::start();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not/there");
    let host = host().data_dir(&data).plex(&plex);
    let found = doctor(&host);
    expect(&found, "identity", "ok", "was made in");
    expect(&found, "plex_account", "ok", "`Attic`");
    expect(&found, "data_folder", "ok", "the first use makes it");
    let id = host.start().call("identity.get", Value::Null).unwrap()["device_id"].clone();
    let devices: Vec<_> = plex.devices().into_iter().map(|device| device.identifier).collect();
    assert_eq!(devices, [id.as_str().map(str::to_owned)]);
}

#[test]
fn without_leave_or_without_a_server_nothing_is_written() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    for data in [folder.path().to_owned(), folder.path().join("not/there")] {
        let host = host().data_dir(&data);
        let found =
            findings(&host.clone().plex(&plex).args(["doctor", "--json", "--no-create"]).run(""));
        expect(&found, "identity", "warning", "there is none yet");
        expect(&found, "plex_server", "warning", "not asked");
        let called = host.clone().plex(&plex).args(["call", "doctor.run", r#"{"create": false}"#]);
        assert!(called.run("").stdout.contains("there is none yet"));
        expect(&doctor(&host), "identity", "warning", "there is none yet");
    }
    assert_eq!(content(folder.path()), []);
    assert_eq!(plex.requests().len(), 0);
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_t_be_written_is_a_failure_while_an_identity_is_missing() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let narrow =
        |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    narrow(0o500);
    if fs::write(folder.path().join("x"), "").is_ok() {
        return plexsync_harness::skip("this user may write everywhere");
    }
    let host = host().data_dir(folder.path()).plex(&plex);
    let found = doctor(&host);
    expect(&found, "data_folder", "failure", "still has to be made");
    assert_eq!(plex.requests().len(), 0);
    narrow(0o700);
    let (host, _) = settled(folder.path());
    narrow(0o500);
    expect(&doctor(&host), "data_folder", "warning", "can't be written");
    narrow(0o700);
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

/// What an answer means, and what to do.
#[test]
fn each_answer_that_is_not_plex_s_has_its_own_sentence() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    let secure = format!("https://127.0.0.1:{}/identity", plex.port());
    let login = "https://login.example/?rd=x";
    let page = [("Content-Type", "text/html; charset=utf-8")];
    for (status, headers, body, told, hint) in [
        (
            503,
            &[][..],
            "<Response code=\"503\" title=\"Maintenance\"/>",
            "starting or in maintenance",
            "wait",
        ),
        (301, &[("Location", &*secure)], "", "wants secure connections", "use `https://127.0.0.1:"),
        (308, &[("Location", &*secure)], "", "wants secure connections", "use `https://127.0.0.1:"),
        (302, &[("Location", login)], "", "leads to `https://login.example`", "a login first"),
        (302, &[], "", "leads elsewhere", "a login first"),
        (200, &page, "<h1>Sign in</h1>", "a web page", "a login first"),
        (200, &[], "{}", "not as from Plex", "32400"),
        (401, &[("WWW-Authenticate", "Basic realm=\"x\"")], "", "`Basic`", "a login first"),
        (401, &[], "", "status `401`", "host and port"),
        (404, &page, "", "nothing is there", "the path"),
        (429, &[], "", "too many requests", "wait"),
        (502, &[], "", "a proxy answers in Plex's place", "Plex runs"),
        (418, &[], "", "status `418`", "host and port"),
    ] {
        plex.respond("/identity", status, headers, body);
        let output = host.clone().plex(&plex).args(["doctor", "--json"]).run("");
        let found = findings(&output);
        expect(&found, "plex_server", "failure", told);
        expect(&found, "plex_account", "warning", "not checked");
        let report: Value = serde_json::from_str(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "plex_server").unwrap();
        assert!(check["hint"].as_str().unwrap().contains(hint), "{check}");
    }
}

#[test]
fn a_plex_that_still_starts_does_not_blame_the_token() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    let about = json!({"machineIdentifier": "8ad1", "startState": "startingPlugins"});
    plex.respond("/identity", 200, &[], json!({ "MediaContainer": about }).to_string());
    plex.respond("/", 401, &[], "");
    let found = doctor(&host.plex(&plex));
    expect(&found, "plex_server", "warning", "still starting (`startingPlugins`)");
    expect(&found, "plex_account", "warning", "still starting");
}

#[test]
fn what_is_wrong_with_server_or_token() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let (host, _) = settled(folder.path());
    expect(&doctor(&host), "plex_url", "warning", "no Plex server is configured");

    let found = doctor(&host.clone().plex(&plex).token("another-server-s"));
    expect(&found, "plex_server", "ok", "Plex 1.41");
    expect(&found, "plex_account", "failure", "401");
    expect(&found, "plex_device", "warning", "not checked");

    let found = doctor(&host.clone().env("PLEX_URL", plex.url()));
    expect(&found, "plex_token", "warning", "no token");

    let found = doctor(&host.clone().plex(&plex).token(&plex.shared_token()));
    expect(&found, "plex_device", "ok", "not told (status `403`)");

    let found = doctor(&host.clone().env("PLEX_URL", "\"plex:32400\"").token("x"));
    expect(&found, "plex_url", "failure", "does not start with `http://`");

    let found = doctor(&host.clone().plex(&plex).token("claim-abcdef"));
    expect(&found, "plex_token", "failure", "a claim code");
    expect(&found, "plex_server", "ok", "Plex 1.41");
    absent(&found, "plex_account");

    let of_other = [("PLEX_URL", "http://else:32400"), ("PLEX_TOKEN", "of-else")];
    let other = of_other.iter().fold(host, |host, (name, value)| host.env(name, value));
    let found = doctor(&other.arg("--plex-url").arg(plex.url()));
    expect(&found, "plex_token", "warning", "no token");
    expect(&found, "configuration", "warning", "`PLEX_TOKEN` is not used");
}

#[test]
fn each_step_of_a_good_connection_has_a_line() {
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
        expect(&found, "plex_server", "warning", "not checked");
    }

    let found = to("http://user:passw0rd@127.0.0.1:32400");
    expect(&found, "plex_url", "failure", "a user name or a password");
    assert!(!format!("{found:?}").contains("passw0rd"));
}

#[test]
fn a_certificate_that_can_t_be_trusted_is_shown_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = settled(folder.path());
    let own = "for `127.0.0.1`, `localhost`";
    for (setup, reason, shown, hint) in [
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
        expect(&found, "plex_server", "warning", "not checked");
        let told: Value = serde_json::from_str(&output.stdout).unwrap();
        let checks = told["checks"].as_array().unwrap();
        let last = checks.iter().find(|check| check["name"] == "plex_tls").unwrap();
        assert!(last["hint"].as_str().unwrap().contains(hint), "{setup:?}: {last}");
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

/// The task *Check Plex connection*: what the method returns to Stash, and the log lines that its user sees.
fn in_stash(input: &Value) -> (Vec<(String, String, String)>, String) {
    let output = host().without_data_dir().run(input.to_string());
    assert!(output.status.success(), "{}", output.stderr);
    let reply: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(reply["error"], Value::Null, "{reply}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = reply["output"]["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .map(|check| (text(&check["name"]), text(&check["state"]), text(&check["message"])));
    (found.collect(), output.stderr)
}

#[test]
fn a_stash_user_reads_the_checks_in_the_log() {
    let (folder, plex, stash) =
        (tempfile::tempdir().unwrap(), FakePlex::start(), FakeStash::start());
    let plugin = folder.path().join("plugin");
    let input = stash.input(&plugin, &json!({"method": "doctor.run"}));

    let (found, log) = in_stash(&input);
    expect(&found, "stash", "ok", "v0.30.1");
    expect(&found, "plex_url", "warning", "no Plex server");
    assert!(log.contains("Settings > Plugins > PlexSync") && !log.contains("--plex-url"), "{log}");
    assert!(log.contains("are not well"), "{log}");

    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": plex.token()}));
    let (found, log) = in_stash(&input);
    expect(&found, "plex_url", "ok", "from `Stash's settings`");
    expect(&found, "plex_token", "ok", "from `Stash's settings`");
    expect(&found, "data_folder", "ok", "from `PluginDir`");
    expect(&found, "identity", "ok", "was made in");
    expect(&found, "plex_account", "ok", "`Attic`");
    assert!(!format!("{found:?}{log}").contains(&plex.token()));

    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": "another-server-s"}));
    let (found, log) = in_stash(&input);
    expect(&found, "plex_account", "failure", "401");
    assert!(log.contains("\u{1}e\u{2}plex_account: the token is not accepted"), "{log}");

    stash.end_sessions();
    let (found, _) = in_stash(&input);
    expect(&found, "stash", "failure", "refused the session");
}

#[test]
fn behind_a_proxy_only_the_answer_is_checked() {
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
    fs::write(folder.path().join("device_id.json.corrupt-20250101T000000Z"), "{").unwrap();
    fs::remove_file(&main).unwrap();
    fs::create_dir(&main).unwrap();
    looks("identity", "failure", "folder");
}
