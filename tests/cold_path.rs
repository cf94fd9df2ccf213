//! The cold paths stay short: a hook waits for each of them. Counted in system calls, which no busy machine changes.

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

/// Memory, locks, signal handlers, flags of descriptors: the libraries' and the debug build's, and others with each
/// version of them.
const HOUSEKEEPING: [&str; 17] = [
    "brk",
    "clone",
    "clone3",
    "fcntl",
    "futex",
    "gettid",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
];
/// What only TLS, the names of hosts, or nobody needs.
const NOT_NEEDED: [&str; 5] =
    ["/etc/ssl", "/etc/pki", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"];

/// Once there is an identity, nothing is written.
const WRITES: [&str; 7] = ["fsync", "mkdir", "rename", "renameat2", "link", "linkat", "unlink"];

/// What a call may cost.
struct Budget {
    /// System calls but [`HOUSEKEEPING`]: a half more than are made, for other systems' libraries. A folder listed, a
    /// file parsed or a store of certificates loaded without need is more than that.
    calls: usize,
    /// Threads beside the first, however many processors there are.
    threads: usize,
    /// Sockets.
    sockets: usize,
}

const IDENTITY: Budget = Budget { calls: 100, threads: 4, sockets: 0 };
const ONE_REQUEST: Budget = Budget { calls: 150, threads: 12, sockets: 1 };

#[test]
fn an_identity_costs_few_system_calls() {
    if !strace_is_there() {
        return skip("strace is not installed");
    }
    let data = tempfile::tempdir().unwrap();
    costs_at_most(&IDENTITY, data.path(), GET, "device_id", &[]);
}

#[test]
fn a_request_costs_few_system_calls() {
    if !strace_is_there() {
        return skip("strace is not installed");
    }
    let plex = FakePlex::start();
    let data = tempfile::tempdir().unwrap();
    let server = [("PLEX_URL", plex.url()), ("PLEX_TOKEN", plex.token())];
    costs_at_most(&ONE_REQUEST, data.path(), REQUEST, r#""status":200"#, &server);
}

fn strace_is_there() -> bool {
    Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok()
}

/// Runs the worker twice on one folder, and counts the second time: the first one makes the identity.
fn costs_at_most(
    budget: &Budget,
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
    let calls: Vec<(&str, &str)> = log.lines().filter_map(call_in).collect();
    let count = |names: &[&str]| calls.iter().filter(|(name, _)| names.contains(name)).count();
    assert_eq!(count(&["exit_group"]), 1, "strace saw the end: {log}");
    let made = calls.len() - count(&HOUSEKEEPING);
    assert!(made <= budget.calls, "{made} system calls; expected at most {}:\n{log}", budget.calls);
    assert_eq!(count(&WRITES), 0, "something was written:\n{log}");
    let threads = count(&["clone", "clone3"]);
    assert!(threads <= budget.threads, "{threads} threads:\n{log}");
    let sockets = count(&["socket"]);
    assert!(sockets <= budget.sockets, "{sockets} sockets:\n{log}");
    for (name, arguments) in &calls {
        let needless = NOT_NEEDED.iter().any(|path| arguments.contains(path));
        assert!(!needless, "{name}({arguments}");
    }
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

/// A call's name and what follows it: no signal, no exit, no end of a call that others interrupted.
fn call_in(line: &str) -> Option<(&str, &str)> {
    let (name, arguments) = line.split_once(' ')?.1.trim_start().split_once('(')?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, arguments))
}
