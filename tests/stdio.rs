//! Stdin and stdout of every kind, and what comes from outside while calls run.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plexsync_harness::{FakePlex, Signal};
use serde_json::{Value, json};

use crate::{host, worker};

const SOON: Duration = Duration::from_secs(5);
const GET: &str = r#"{"jsonrpc":"2.0","id":"get","method":"identity.get"}"#;
const REQUEST: &str =
    r#"{"jsonrpc":"2.0","id":"request","method":"plex.request","params":{"path":"/identity"}}"#;

/// A worker whose stdin and stdout are these.
fn start(plex: &FakePlex, data: &tempfile::TempDir, input: Stdio, output: Stdio) -> Child {
    let mut command = Command::new(worker());
    command.arg("--data-dir").arg(data.path()).env_clear();
    command.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token());
    command.stdin(input).stdout(output).stderr(Stdio::null()).spawn().unwrap()
}

/// Our end of a socket that is the worker's stdin and stdout at once, as inetd(8) has it.
fn start_on_a_socket(plex: &FakePlex, data: &tempfile::TempDir) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let [input, output] = [theirs.try_clone().unwrap(), theirs].map(OwnedFd::from);
    (start(plex, data, input.into(), output.into()), ours)
}

fn replies(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_file_may_be_stdin_and_stdout() {
    let (plex, data) = (FakePlex::start(), tempfile::tempdir().unwrap());
    let (input, output) = (data.path().join("calls"), data.path().join("replies"));
    fs::write(&input, format!("{REQUEST}\n{GET}\n").repeat(500)).unwrap();
    let (from, to) = (File::open(&input).unwrap(), File::create(&output).unwrap());
    assert!(start(&plex, &data, from.into(), to.into()).wait().unwrap().success());
    let replies = replies(&fs::read_to_string(output).unwrap());
    let count = |id: &str| replies.iter().filter(|reply| reply["id"] == id).count();
    assert_eq!((count("get"), count("request")), (500, 500));
    let served = replies.iter().filter(|reply| reply["result"]["status"] == 200).count();
    assert!(served >= 64 + 256, "{served} of 500 found a place, or one that was free again");
}

#[test]
fn a_socket_may_be_both() {
    let (plex, data) = (FakePlex::start(), tempfile::tempdir().unwrap());
    plex.hold();
    let (mut worker, mut socket) = start_on_a_socket(&plex, &data);
    writeln!(socket, "{REQUEST}").unwrap();
    plex.wait_held(1);
    writeln!(socket, "{GET}").unwrap();
    let mut lines = BufReader::new(socket.try_clone().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(replies(&line)[0]["id"], "get");
    socket.shutdown(Shutdown::Write).unwrap();
    plex.release();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(replies(&rest)[0]["result"]["status"], 200);
    assert!(worker.wait().unwrap().success());
}

#[test]
fn a_socket_whose_other_end_is_gone_ends_the_worker() {
    let (plex, data) = (FakePlex::start(), tempfile::tempdir().unwrap());
    plex.hold();
    let (mut worker, mut socket) = start_on_a_socket(&plex, &data);
    writeln!(socket, "{REQUEST}").unwrap();
    plex.wait_held(1);
    drop(socket);
    assert!(worker.wait().unwrap().success());
}

#[test]
fn a_host_that_reads_late_gets_everything_and_is_served_as_before() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    host.pause_reading();
    host.send_raw_later(format!("{GET}\n").repeat(5_000).as_bytes());
    let slow = host.start_call("plex.request", json!({"path": "/identity"}));
    host.resume_reading();
    for _ in 0..5_000 {
        assert_eq!(host.read_reply()["id"], "get");
    }
    assert_eq!(host.wait(slow).unwrap()["status"], 200);
    plex.hold();
    let held = host.start_call("plex.request", json!({"path": "/identity"}));
    plex.wait_held(1);
    host.call("identity.get", json!({})).unwrap();
    host.signal(Signal::Term);
    assert_eq!(host.wait(held).unwrap_err().code, -32800);
    assert!(host.wait_exit(SOON).success());
}

#[test]
fn a_second_signal_ends_the_worker_at_once_with_its_number() {
    let plex = FakePlex::start();
    plex.hold();
    let mut host = host().plex(&plex).start();
    let _unanswered = host.start_call("plex.request", json!({"path": "/identity"}));
    plex.wait_held(1);
    while host.is_running() {
        host.signal(Signal::Term);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(host.read_to_end(), Vec::<Value>::new(), "there was no time for an answer");
    assert_eq!(host.wait_exit(SOON).code(), Some(128 + 15));
}
