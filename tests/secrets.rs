//! The token goes into one header of requests to its own server, and nowhere else.

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
    let process = format!("/proc/{}", host.pid());
    if cfg!(target_os = "linux") {
        let line = fs::read(format!("{process}/cmdline")).unwrap();
        assert_without_token("the command line", &String::from_utf8_lossy(&line));
        let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
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

/// Another user must not read the environment. Root may read everything: as root, the worker runs as somebody else.
#[test]
#[cfg(target_os = "linux")]
fn nobody_else_reads_the_environment() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::process::Command;
    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
    let mut host = if is_root {
        let program = folder.path().join("worker");
        // Another process copies: what this one has open for writing, a child of another test's thread may have open.
        assert!(Command::new("cp").arg(crate::worker()).arg(&program).status().unwrap().success());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
        let builder = Host::builder().binary("setpriv").without_data_dir();
        let user = NOBODY.to_string();
        builder
            .args(["--reuid", &user, "--regid", &user, "--clear-groups"])
            .arg(program)
            .env("PLEXSYNC_DATA_DIR", data)
    } else {
        host()
    }
    .token(CANARY)
    .start();
    host.call("identity.get", json!({})).unwrap();
    let environment = format!("/proc/{}/environ", host.pid());
    assert_eq!(fs::metadata(&environment).unwrap().uid(), 0, "it belongs to root");
    let user = NOBODY.to_string();
    let readable = match is_root {
        true => Command::new("setpriv")
            .args(["--reuid", &user, "--regid", &user, "--clear-groups", "cat", &environment])
            .output()
            .unwrap()
            .status
            .success(),
        false => fs::read(&environment).is_ok(),
    };
    assert!(!readable);
}
