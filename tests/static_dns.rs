//! The static program: it needs no file of the system, and finds names without the system's resolver.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use plexsync_harness::{FakePlex, skip};
use serde_json::{Value, json};

use crate::package::builder as package;

#[path = "../examples/package/build.rs"]
mod build;

/// An address of the loopback for this process alone: port 53 is all that `resolv.conf` knows.
fn name_server_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 53, high, low)
}

/// Builds the worker as the package has it, without optimising.
pub(crate) fn static_worker() -> PathBuf {
    let target_dir = crate::worker().ancestors().nth(2).unwrap().to_owned();
    build::static_binary("dev", &target_dir).unwrap().path
}

/// Answers `dns.test` with 127.0.0.1, for IPv4 only, and knows no other name. It ends with the test's process.
fn serve_names(socket: UdpSocket) {
    let mut query = [0; 512];
    while let Ok((length, client)) = socket.recv_from(&mut query) {
        // Header, name, and type and class of the one question (RFC 1035, section 4.1).
        let name_end = 12 + query[12..length].iter().position(|&byte| byte == 0).unwrap() + 1;
        let question = query[12..name_end + 4].to_ascii_lowercase();
        let (known, ipv4) =
            (question.starts_with(b"\x03dns\x04test\0"), question.ends_with(&[0, 1, 0, 1]));
        let answers = u8::from(known && ipv4);
        let code = if known { 0 } else { 3 };
        let mut answer = query[..2].to_vec();
        answer.extend([0x85, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
        answer.extend(&query[12..name_end + 4]);
        if answers == 1 {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        let _ = socket.send_to(&answer, client);
    }
}

/// A folder with nothing in it but the worker and what a resolver reads.
fn empty_root(worker: &Path) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::copy(worker, root.path().join("plexsync-worker")).unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/hosts"), "127.0.0.1 localhost hosts.test\n").unwrap();
    let servers = format!("nameserver {}\n", name_server_address());
    fs::write(root.path().join("etc/resolv.conf"), servers).unwrap();
    root
}

/// Asks each server in one worker below `root`; the outcomes in the same order.
fn ask(root: &Path, servers: &[String]) -> Vec<Value> {
    let mut worker = Command::new("chroot")
        .arg(root)
        .args(["/plexsync-worker", "--data-dir", "/data"])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = worker.stdin.take().unwrap();
    for (id, server) in servers.iter().enumerate() {
        let params = json!({"path": "/identity", "server": server, "token": "", "retries": 0});
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "plex.request", "params": params});
        writeln!(stdin, "{call}").unwrap();
    }
    drop(stdin);
    let output = worker.wait_with_output().unwrap();
    assert!(output.status.success());
    let mut replies: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    replies.sort_by_key(|reply| reply["id"].as_u64());
    replies
}

#[test]
#[ignore = "builds a second, static program; `.ci/run` runs it"]
fn names_are_found_in_an_empty_root() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can make an empty root");
    }
    let names = UdpSocket::bind((name_server_address(), 53)).unwrap();
    std::thread::spawn(move || serve_names(names));
    let root = empty_root(&static_worker());
    let plex = FakePlex::start();
    let server = |name: &str| format!("http://{name}:{}", plex.port());
    let names = ["localhost", "hosts.test", "dns.test", "none.test"].map(server);
    let replies = ask(root.path(), &names);
    for (reply, name) in replies.iter().zip(&names[..3]) {
        assert_eq!(reply["result"]["status"], 200, "{name}: {reply}");
    }
    assert_eq!(replies[3]["error"]["data"]["kind"], "dns", "{}", replies[3]);
    assert!(root.path().join("data/device_id.json").exists());
}
