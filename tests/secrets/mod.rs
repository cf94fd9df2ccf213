//! The token goes into one header of requests to its own server, and nowhere else.

mod commands;
mod echoed;
mod system;

use std::fs;

use plexsync_harness::host::Canary;
use plexsync_harness::{FakePlex, Fault, Host, HostBuilder, TlsSetup};
use serde_json::json;

use crate::host;

const CANARY: &str = "cAnAry~7f3a.91_bird";
const OTHER: &str = "oThEr~5e2b.64_bird";

fn canary() -> Canary {
    Canary::of([CANARY, OTHER])
}

/// A token as a server may give it back: every character escaped, with lower-case digits.
fn spelled(token: &str) -> String {
    token.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn assert_without_token(what: &str, text: &str) {
    assert_eq!(canary().found(what, text), None);
}

/// Calls that succeed, fail, are refused and are broken off, some with a token of their own.
fn exercise(host: &mut Host, plex: &FakePlex) {
    let faults = [
        Fault::Maintenance,
        Fault::RateLimited(None),
        Fault::CloseWithoutAnswer,
        Fault::ResetMidBody,
        Fault::TruncatedChunked,
        Fault::NotHttp,
        Fault::CutJson,
        Fault::FalseGzip,
        Fault::ControlBytesInHeader,
        Fault::Redirect(302, format!("http://elsewhere.invalid/?X-Plex-Token={CANARY}")),
        Fault::answer(200, &[("X-Echo", &spelled(CANARY)), ("X-Other", &spelled(OTHER))], ""),
        Fault::answer(200, &[("X-Plex-Token", CANARY), ("X-Echo", OTHER)], ""),
        Fault::StallBody,
    ];
    let params = [
        json!({"path": "/identity", "retries": 0, "timeout_ms": 1000}),
        json!({"path": "/identity", "token": OTHER, "retries": 1, "timeout_ms": 1000}),
    ];
    for fault in faults {
        for params in &params {
            plex.no_faults();
            plex.fault(fault.clone().always());
            let _any = host.call("plex.request", params.clone());
        }
    }
    plex.no_faults();
    for params in [
        json!({"path": "/identity"}),
        json!({"path": "/identity", "token": 5}),
        json!({"path": "/identity", "token": format!("{OTHER}\n")}),
        json!({"path": "/identity", "tokens": OTHER}),
        json!({"path": OTHER}),
        json!({"path": format!("/?X-Plex-Token={OTHER}")}),
        json!({"path": "/", "headers": {"X-Plex-Token": OTHER}}),
        json!({"path": "/", "query": {"X-Plex-Token": OTHER}}),
        json!({"path": "/", "server": "http://no.such.invalid", "token": OTHER, "retries": 0}),
        json!({"path": "/", "server": format!("http://{OTHER}@127.0.0.1:1"), "token": OTHER}),
        json!({"path": "/", "server": "http://127.0.0.1:1", "token": OTHER, "retries": 0}),
        json!({"path": "/", "server": OTHER, "token": OTHER}),
    ] {
        let _any = host.call("plex.request", params);
    }
    host.send_raw(format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{OTHER}\n").as_bytes());
    let _any = host.read_reply();
    host.call("identity.get", json!({})).unwrap();
}

/// The same, seen by the host: every message from the worker, its stderr, its files, its command line.
fn nothing_gets_out(builder: HostBuilder, plex: &FakePlex) {
    plex.allow_token(CANARY);
    let mut host = builder
        .env("PLEXSYNC_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .observe(|way, text| {
            if way == plexsync_harness::host::Way::Received {
                assert_without_token("a reply", text);
            }
        })
        .start();
    exercise(&mut host, plex);
    // The environment of this process is where the host put it.
    let shown = system::shown(host.pid()).into_iter();
    for (name, text) in shown.filter(|(name, _)| !name.ends_with("environ")) {
        assert_without_token(&name, &text);
    }
    host.close_stdin();
    for reply in host.read_to_end() {
        assert_without_token("a reply", &reply.to_string());
    }
    host.wait_exit(plexsync_harness::host::PATIENCE);
    let log = host.stderr();
    assert!(!log.is_empty(), "at trace there is a log");
    assert_without_token("the log", &log);
    assert_eq!(canary().found_below(&host.data_dir()), None);
    assert!(plex.requests().iter().any(|request| request.header("X-Plex-Token") == Some(CANARY)));
    for request in plex.requests() {
        assert_without_token("a target", &request.target);
        assert_without_token("a body", &String::from_utf8_lossy(&request.body));
        for (name, value) in &request.headers {
            if !name.eq_ignore_ascii_case("X-Plex-Token") {
                assert_without_token(name, value);
            }
        }
    }
}

#[test]
fn a_token_from_the_environment_stays_inside() {
    for format in ["text", "json", "stash"] {
        let plex = FakePlex::start();
        let builder = host().plex(&plex).token(CANARY).arg("--log-format").arg(format);
        nothing_gets_out(builder, &plex);
    }
}

/// What is no token, or no URL, may hold one all the same.
#[test]
fn what_is_refused_as_a_token_or_a_url_is_not_told() {
    let plain = "http://127.0.0.1:1".to_owned();
    for (token, url) in [
        (format!("X-Plex-Token={CANARY}"), plain.clone()),
        (format!("claim-{CANARY}"), plain.clone()),
        (format!("/run/{CANARY}"), plain.clone()),
        (format!("{CANARY}\n{CANARY}"), plain.clone()),
        (format!("\"{CANARY}\u{feff}\" "), plain.clone()),
        (format!("ü{CANARY}"), plain.clone()),
        (format!("{plain}/?X-Plex-Token={CANARY}"), plain.clone()),
        (CANARY.to_owned(), format!("http://me:{CANARY}@127.0.0.1:1")),
        (CANARY.to_owned(), format!("{plain}/?X-Plex-Token={CANARY}")),
        (CANARY.to_owned(), format!("{plain}/#{CANARY}")),
        (CANARY.to_owned(), format!("ftp://{CANARY}")),
        (String::new(), format!("http://me:{CANARY}@127.0.0.1:1")),
        (String::new(), format!("{plain}/?X-Plex-Token={CANARY}")),
        (String::new(), format!("{plain}/web?X-Plex-Token={CANARY}#!/server")),
    ] {
        let builder = host().env("PLEX_TOKEN", &token).env("PLEX_URL", &url);
        let mut host = builder.env("PLEXSYNC_LOG", "trace").start();
        let mut told = String::new();
        for (method, params) in [
            ("plex.request", json!({"path": "/", "retries": 0})),
            ("plex.request", json!({"path": "/", "retries": 0, "server": url})),
            ("plex.request", json!({"path": "/", "retries": 0, "token": token})),
            ("plex.scan", json!({"folder": "/data"})),
            ("doctor.run", json!({})),
        ] {
            told += &format!("{:?}\n", host.call(method, params));
        }
        host.close_stdin();
        host.wait_exit(plexsync_harness::host::PATIENCE);
        assert_without_token(&url, &(told + &host.stderr()));
    }
}

#[test]
fn a_token_behind_tls_stays_inside() {
    let plex = FakePlex::start_tls(TlsSetup::RightName);
    nothing_gets_out(host().plex(&plex).token(CANARY), &plex);
}

#[test]
#[cfg(unix)]
fn a_token_from_a_file_stays_inside_whoever_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{CANARY}\n")).unwrap();
    // 0444 and 0644 are what Docker's and Kubernetes's secrets have.
    for (mode, warned) in [(0o600, false), (0o444, true), (0o644, true), (0o666, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for by_flag in [true, false] {
            let plex = FakePlex::start();
            plex.allow_token(CANARY);
            let builder = host().env("PLEX_URL", plex.url());
            let builder = match by_flag {
                true => builder.arg("--plex-token-file").arg(&file),
                false => builder.env("PLEX_TOKEN_FILE", &file),
            };
            let mut host = builder.start();
            let answer = host.call("plex.request", json!({"path": "/library/sections"})).unwrap();
            assert_eq!(answer["status"], 200, "{mode:o}");
            host.close_stdin();
            host.wait_exit(plexsync_harness::host::PATIENCE);
            let log = host.stderr();
            assert_eq!(log.contains("others"), warned, "{mode:o}: {log}");
            assert_without_token("the log", &log);
        }
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let plex = FakePlex::start();
    let builder = host().env("PLEX_URL", plex.url()).arg("--plex-token-file").arg(&file);
    nothing_gets_out(builder, &plex);
}

/// A request without the token would be answered with 401, which leads astray.
#[test]
fn without_a_usable_token_file_nothing_is_sent() {
    let (folder, plex) = (tempfile::tempdir().unwrap(), FakePlex::start());
    let file = folder.path().join("token");
    let refused = |content: Option<&[u8]>, told: &str| {
        match content {
            Some(content) => fs::write(&file, content).unwrap(),
            None => drop(fs::remove_file(&file)),
        }
        // The environment's token does not step in: the first source that is set decides.
        let flag = host().plex(&plex).arg("--plex-token-file").arg(&file);
        let variable = host().env("PLEX_URL", plex.url()).env("PLEX_TOKEN_FILE", &file);
        for builder in [flag, variable] {
            let mut host = builder.start();
            for method in ["plex.request", "plex.scan"] {
                let params = match method {
                    "plex.scan" => json!({"folder": "/data/x"}),
                    _ => json!({"path": "/identity"}),
                };
                let error = host.call(method, params).unwrap_err();
                assert_eq!(
                    (error.code, &error.data.unwrap()["missing"]),
                    (-32014, &"token".into())
                );
                assert!(error.message.contains(told), "{}", error.message);
            }
            let params = json!({"path": "/identity", "token": ""});
            assert_eq!(host.call("plex.request", params).unwrap()["status"], 200);
        }
    };
    for (content, told) in [
        (None, "there is no such file"),
        (Some(&b""[..]), "is empty"),
        (Some(b"\xa0\xa0"), "no token has"),
        (Some(b"claim-abc"), "a claim code"),
        (Some(&[b'x'; 65 * 1024]), "more than 65536 bytes"),
    ] {
        refused(content, told);
    }
    let _gone = fs::remove_file(&file);
    fs::create_dir(&file).unwrap();
    let mut host = host().plex(&plex).arg("--plex-token-file").arg(&file).start();
    let error = host.call("plex.request", json!({"path": "/identity"})).unwrap_err();
    assert!(error.message.contains("it is a folder"), "{}", error.message);
    assert!(error.data.unwrap()["reason"].as_str().unwrap().contains("it is a folder"));
    assert!(plex.requests().iter().all(|request| request.header("X-Plex-Token").is_none()));
}

#[test]
fn a_token_never_goes_to_the_server_of_another_source() {
    let (here, there) = (FakePlex::start(), FakePlex::start());
    let ask = |builder: HostBuilder| {
        let mut host = builder.start();
        host.call("plex.request", json!({"path": "/library/sections"})).unwrap();
    };
    let pair = |builder: HostBuilder, plex: &FakePlex| {
        builder
            .env("PLEXAPI_AUTH_SERVER_BASEURL", plex.url())
            .env("PLEXAPI_AUTH_SERVER_TOKEN", CANARY)
    };
    ask(host().env("PLEX_URL", there.url()).token(CANARY).arg("--plex-url").arg(here.url()));
    ask(pair(host().env("PLEX_URL", here.url()), &there));
    assert_eq!(here.requests().len(), 2);
    assert!(here.requests().iter().all(|request| request.header("X-Plex-Token").is_none()));
    ask(host().token(CANARY).arg("--plex-url").arg(here.url()));
    ask(pair(host().env("PLEX_URL", here.url()), &here));
    let requests = here.requests();
    let sent = requests.iter().filter(|request| request.header("X-Plex-Token") == Some(CANARY));
    assert_eq!(sent.count(), 2);
    assert!(there.requests().is_empty());
}
