//! What `doctor` says of the connection to Plex, step by step, and of each answer.

use std::fs;
use std::net::TcpListener;

use plexsync_harness::{FakePlex, TlsSetup};
use serde_json::{Value, json};

use super::{absent, doctor, expect, findings, settled};

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
        (
            301,
            &[("Location", &*secure)],
            "",
            "requires secure connections",
            "use `https://127.0.0.1:",
        ),
        (
            308,
            &[("Location", &*secure)],
            "",
            "requires secure connections",
            "use `https://127.0.0.1:",
        ),
        (
            302,
            &[("Location", login)],
            "",
            "redirects to `https://login.example`",
            "requires a login",
        ),
        (302, &[], "", "redirects elsewhere", "requires a login"),
        (200, &page, "<h1>Sign in</h1>", "a web page", "requires a login"),
        (200, &[], "{}", "is not Plex's", "32400"),
        (401, &[("WWW-Authenticate", "Basic realm=\"x\"")], "", "`Basic`", "requires a login"),
        (401, &[], "", "status `401`", "host, port and path"),
        (404, &page, "", "not found", "the path"),
        (429, &[], "", "too many requests", "wait"),
        (502, &[], "", "a proxy answered instead of Plex", "Plex runs"),
        (418, &[], "", "status `418`", "host, port and path"),
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
    expect(&found, "plex_device", "ok", "not known (status `403`)");

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
fn libraries_are_listed_where_plex_lists_them() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let host = settled(folder.path()).0.plex(&plex);
    for (status, libraries, state, told) in [
        (200, json!([]), "warning", "Plex has none"),
        (200, json!(null), "warning", "Plex has none"),
        (200, json!([{"title": "A", "Location": [{"path": "/a"}]}]), "ok", "1 library: A (`/a`)"),
        (403, json!([]), "failure", "may not list them (status `403`)"),
        (503, json!([]), "failure", "starting or in maintenance"),
    ] {
        let body = json!({"MediaContainer": {"Directory": libraries}}).to_string();
        plex.respond("/library/sections", status, &[], body);
        expect(&doctor(&host), "plex_libraries", state, told);
    }
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
        (
            TlsSetup::WrongName,
            "another name",
            "for `plex.example`, valid until",
            "`https://plex.example:",
        ),
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

    let wants = FakePlex::start_tls(TlsSetup::ClientCertificate);
    expect(&doctor(&host.clone().plex(&wants)), "plex_server", "failure", "a client certificate");

    let plex = FakePlex::start_tls(TlsSetup::RightName);
    let unknown = host.clone().env("PLEX_URL", plex.url()).token(&plex.token());
    expect(&doctor(&unknown), "plex_tls", "failure", "no known authority vouches for it");

    let direct = FakePlex::start_tls(TlsSetup::PlexDirect);
    let by_address = format!("https://127.0.0.1:{}", direct.port());
    let output = host.plex(&direct).env("PLEX_URL", by_address).arg("doctor").run("");
    assert!(output.stdout.contains(&format!("-> use `{}`\n", direct.url())), "{}", output.stdout);
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
