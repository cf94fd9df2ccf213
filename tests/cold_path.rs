//! The cold paths stay short: counted in system calls, which no busy machine changes.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use plexsync_harness::{FakePlex, skip};

use crate::worker;

const GET: &str = r#"{"jsonrpc":"2.0","id":1,"method":"identity.get"}"#;
const REQUEST: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"plex.request","params":{"path":"/identity"}}"#;
/// A tenth more than a debug build makes: threads that meet make a few more or less, libraries of other systems too.
const MOST_FOR_IDENTITY: usize = 131;
const MOST_FOR_REQUEST: usize = 195;

#[test]
fn an_identity_costs_few_system_calls() {
    if !strace_is_there() {
        return skip("strace is not installed");
    }
    let data = tempfile::tempdir().unwrap();
    count_is_at_most(MOST_FOR_IDENTITY, data.path(), GET, "device_id", &[]);
}

#[test]
fn a_request_costs_few_system_calls() {
    if !strace_is_there() {
        return skip("strace is not installed");
    }
    let plex = FakePlex::start();
    let data = tempfile::tempdir().unwrap();
    let server = [("PLEX_URL", plex.url()), ("PLEX_TOKEN", plex.token())];
    count_is_at_most(MOST_FOR_REQUEST, data.path(), REQUEST, r#""status":200"#, &server);
}

fn strace_is_there() -> bool {
    Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok()
}

/// Runs the worker twice on one folder, and counts the second time: the first one makes the identity.
fn count_is_at_most(
    most: usize,
    data: &Path,
    call: &str,
    expected: &str,
    environment: &[(&str, String)],
) {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("calls");
    for _ in 0..2 {
        let reply = traced(&log, data, call, environment);
        assert!(reply.contains(expected), "{reply}");
    }
    let log = fs::read_to_string(log).unwrap();
    let calls: Vec<&str> = log.lines().filter(|line| is_call(line)).collect();
    assert!(calls.iter().any(|line| line.contains("exit_group(")), "strace saw the end: {log}");
    assert!(
        calls.len() <= most,
        "{} system calls; expected at most {most}:\n{}",
        calls.len(),
        calls.join("\n")
    );
}

/// Runs the worker under strace with this one call; its reply.
fn traced(log: &Path, data: &Path, call: &str, environment: &[(&str, String)]) -> String {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(log).arg(worker()).arg("--data-dir").arg(data);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{call}").unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// A call's beginning: neither a signal, nor an exit, nor the end of a call that others interrupted.
fn is_call(line: &str) -> bool {
    !line.contains(" resumed>") && !line.contains(" +++ ") && !line.contains(" --- ")
}
