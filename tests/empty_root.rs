//! The static program needs no file of the system, and finds names by what is in it.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use plexsync_harness::{FakePlex, skip};
use serde_json::{Value, json};

/// An address of the loopback for this process alone: port 53 is all that `resolv.conf` knows.
fn name_server_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 53, high, low)
}

/// Answers `dns.test` with 127.0.0.1, for IPv4 only, `long.test` alike, but whole by TCP only, and knows no other name.
fn answer(query: &[u8], by_tcp: bool) -> Vec<u8> {
    // Header, name, and type and class of the one question (RFC 1035, section 4.1).
    let name_end = 12 + query[12..].iter().position(|&byte| byte == 0).unwrap() + 1;
    let question = query[12..name_end + 4].to_ascii_lowercase();
    let is_long = question.starts_with(b"\x04long\x04test\0");
    let known = is_long || question.starts_with(b"\x03dns\x04test\0");
    let (cut, ipv4) = (is_long && !by_tcp, question.ends_with(&[0, 1, 0, 1]));
    let answers = u8::from(known && ipv4 && !cut);
    let code = if known { 0 } else { 3 };
    let mut answer = query[..2].to_vec();
    answer.extend([0x85 | u8::from(cut) << 1, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
    answer.extend(&query[12..name_end + 4]);
    if answers == 1 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    answer
}

/// A DNS server. It ends with the test's process.
fn serve_names() {
    let datagrams = UdpSocket::bind((name_server_address(), 53)).unwrap();
    let streams = TcpListener::bind((name_server_address(), 53)).unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, client)) = datagrams.recv_from(&mut query) {
            let _ = datagrams.send_to(&answer(&query[..length], false), client);
        }
    });
    std::thread::spawn(move || {
        for mut stream in streams.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut query = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut query).unwrap();
            let answer = answer(&query, true);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            let _ = stream.write_all(&[&length, answer.as_slice()].concat());
        }
    });
}

/// A folder with nothing in it but the worker and what a resolver reads.
fn empty_root(worker: &Path) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::copy(worker, root.path().join("plexsync-worker")).unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/hosts"), "127.0.0.1 localhost hosts.test\n").unwrap();
    let servers = format!("search example.test test\nnameserver {}\n", name_server_address());
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
#[ignore = "needs a static program; `.ci/platforms` runs it"]
fn names_are_found_in_an_empty_root() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can make an empty root");
    }
    let Some(worker) = crate::static_worker() else { return };
    serve_names();
    let root = empty_root(&worker);
    let plex = FakePlex::start();
    let server = |name: &str| format!("http://{name}:{}", plex.port());
    let names = ["localhost", "hosts.test", "dns.test", "dns", "long.test", "none.test"];
    let servers = names.map(server);
    let replies = ask(root.path(), &servers);
    for (reply, name) in replies.iter().zip(&names[..5]) {
        assert_eq!(reply["result"]["status"], 200, "{name}: {reply}");
    }
    assert_eq!(replies[5]["error"]["data"]["kind"], "dns", "{}", replies[5]);
    assert!(root.path().join("data/device_id.json").exists());
}
