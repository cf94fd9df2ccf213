//! Always awake: whatever a server sends, a lock or a disk holds up and a host does not read, quick calls are answered,
//! a signal is obeyed in its time, and a cancelled call leaves nothing behind.

#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use plexsync_harness::{FakePlex, Fault, Host, Signal};
use serde_json::{Value, json};

use crate::host;

/// The contract's 50 ms for a quick call, with room for a busy machine.
const QUICK: Duration = Duration::from_millis(400);
/// The contract's 100 ms for what a cancelled call holds, likewise.
const GIVEN_BACK: Duration = Duration::from_millis(700);
/// The contract's 800 ms for a signal, likewise.
const STOPPED: Duration = Duration::from_millis(1000);

/// A server that does what `serve` says with each connection, once a request has come.
fn server(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    url
}

/// Reads a request's head; whether there was one.
fn request_head(stream: &mut TcpStream) -> bool {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

/// Reads until the other end is closed.
fn until_closed(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
}

/// A server that answers with `head` and goes on with `more` until nobody listens, and then says so.
fn endless(head: &'static [u8], more: &'static [u8]) -> (String, Receiver<Instant>) {
    let (sender, closed) = mpsc::channel();
    let url = server(move |mut stream| {
        request_head(&mut stream);
        let mut writing = stream.write_all(head);
        while writing.is_ok() && !more.is_empty() {
            writing = stream.write_all(more);
        }
        until_closed(&mut stream);
        sender.send(Instant::now()).unwrap();
    });
    (url, closed)
}

fn quick(host: &mut Host) -> Duration {
    let begun = Instant::now();
    host.call("identity.get", json!({})).unwrap();
    begun.elapsed()
}

fn request_to(url: &str) -> Value {
    json!({"path": "/", "server": url, "token": "", "timeout_ms": 20_000, "retries": 0})
}

#[test]
fn a_cancelled_call_closes_its_connection() {
    // Half of a body has come.
    let (url, closed) = endless(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n[",
        b"",
    );
    let mut host = host().start();
    let pending = host.start_call("plex.request", request_to(&url));
    thread::sleep(Duration::from_millis(300));
    let cancelled = Instant::now();
    host.cancel(pending);
    assert_eq!(host.wait(pending).unwrap_err().code, -32800);
    let closed = closed.recv_timeout(Duration::from_secs(10)).unwrap() - cancelled;
    assert!(closed < GIVEN_BACK, "{closed:?}");
}

#[test]
fn a_cancelled_call_gives_the_memory_of_a_half_read_body_back() {
    let url = server(|mut stream| {
        request_head(&mut stream);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n[";
        stream.write_all(head.as_bytes()).unwrap();
        let _cut = stream.write_all(&vec![b'1'; 40_000_000]);
        until_closed(&mut stream);
    });
    let mut host = host().start();
    quick(&mut host);
    let before = host.memory_kib().now;
    let pending = host.start_call("plex.request", request_to(&url));
    wait_until("the body has come", || host.memory_kib().now > before + 30_000);
    host.cancel(pending);
    assert_eq!(host.wait(pending).unwrap_err().code, -32800);
    // Nothing else happens on this worker.
    thread::sleep(GIVEN_BACK);
    let after = host.memory_kib().now;
    assert!(after < before + 8_000, "{before} KiB before, {after} KiB after");
}

#[test]
fn stash_s_stop_closes_the_connection() {
    let (url, closed) = endless(b"", b"");
    let mut host = host().start();
    let args = json!({"method": "plex.request", "params": request_to(&url)});
    let input = json!({"server_connection": {}, "args": args});
    host.send(&json!({"method": "RPCRunner.Run", "params": [input], "id": 0}));
    thread::sleep(Duration::from_millis(300));
    let stopped = Instant::now();
    host.send(&json!({"method": "RPCRunner.Stop", "params": [null], "id": 1}));
    assert_eq!(host.read_reply()["id"], 1);
    let closed = closed.recv_timeout(Duration::from_secs(10)).unwrap() - stopped;
    assert!(closed < GIVEN_BACK, "{closed:?}");
}

#[test]
fn a_host_that_hangs_up_closes_the_connection() {
    let (url, closed) = endless(b"", b"");
    let mut host = host().start();
    let _unanswered = host.start_call("plex.request", request_to(&url));
    thread::sleep(Duration::from_millis(300));
    let gone = Instant::now();
    host.hang_up();
    let closed = closed.recv_timeout(Duration::from_secs(10)).unwrap() - gone;
    assert!(closed < GIVEN_BACK, "{closed:?}");
}

#[test]
fn cancelled_calls_leave_no_socket_open_and_idle_connections_are_closed() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    host.call("plex.request", json!({"path": "/identity"})).unwrap();
    plex.hold();
    for _ in 0..60 {
        let pending = host.start_call("plex.request", json!({"path": "/identity"}));
        host.cancel(pending);
        assert_eq!(host.wait(pending).unwrap_err().code, -32800);
    }
    wait_until("cancelled calls are gone", || sockets(&host, ESTABLISHED, plex.port()) <= 1);
    plex.release();
    host.call("plex.request", json!({"path": "/identity"})).unwrap();
    wait_until("no connection is half closed", || {
        // The answer may be here before the server knows that it has given it.
        plex.close_idle_connections();
        sockets(&host, CLOSE_WAIT, plex.port()) + sockets(&host, ESTABLISHED, plex.port()) == 0
    });
}

/// Nobody asked for these bytes. 0 is the time after the answer before.
#[test]
fn what_a_server_says_unasked_is_nobody_s_answer() {
    let unasked: [&'static [u8]; 5] = [
        b"HTTP/1.1 408 Request Time-out\r\nContent-Length: 9\r\nConnection: close\r\n\r\nidle-gone",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"forged\":1}\n",
        b"\x15\x03\x03\x00\x02\x01\x00",
        b"x",
        b"\r\n\r\nrubbish\r\n\r\n",
    ];
    thread::scope(|scope| {
        for bytes in unasked {
            for gap in [50, 600] {
                scope.spawn(move || says_unasked(bytes, Duration::from_millis(gap)));
            }
        }
    });
}

fn says_unasked(bytes: &'static [u8], gap: Duration) {
    let url = server(move |mut stream| {
        if request_head(&mut stream) {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"own\":1}\n";
            // For HEAD the body is one more thing that nobody asked for.
            stream.write_all(answer).unwrap();
            thread::sleep(gap);
            let _gone = stream.write_all(bytes);
        }
        until_closed(&mut stream);
    });
    let mut host = host().start();
    for method in ["GET", "GET", "PUT", "GET", "DELETE", "GET", "HEAD", "GET", "GET"] {
        let mut params = request_to(&url);
        params["method"] = method.into();
        params["retries"] = 2.into();
        let result = host.call("plex.request", params).unwrap();
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(result["status"], 200, "{method} after `{text}`: {result}");
        assert_eq!(result["attempts"], 1, "{method} after `{text}`: {result}");
        if method != "HEAD" {
            assert_eq!(result["body"], json!({"own": 1}), "{method} after `{text}`: {result}");
        }
        thread::sleep(gap + Duration::from_millis(100));
    }
}

/// What a server can send without end.
const FLOODS: [(&[u8], &[u8]); 3] = [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &[b'0'; 64 * 1024]),
    (
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    ),
    (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"),
];

#[test]
fn a_server_that_floods_holds_up_nobody() {
    for (head, more) in FLOODS {
        let (url, _closed) = endless(head, more);
        let plex = FakePlex::start();
        let mut host = host().plex(&plex).start();
        quick(&mut host);
        let mut params = request_to(&url);
        params["timeout_ms"] = 4000.into();
        let begun = Instant::now();
        let flooded = host.start_call("plex.request", params);
        for _ in 0..10 {
            let took = quick(&mut host);
            assert!(took < QUICK, "{took:?} for a quick call");
            let asked = Instant::now();
            host.call("plex.request", json!({"path": "/identity"})).unwrap();
            assert!(asked.elapsed() < 2 * QUICK, "{:?} for another request", asked.elapsed());
        }
        let code = host.wait(flooded).unwrap_err().code;
        assert!(code == -32011 || code == -32010, "{code}");
        assert!(begun.elapsed() < Duration::from_millis(5500), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_signal_is_obeyed_while_servers_flood() {
    for (head, more) in FLOODS {
        let (url, _closed) = endless(head, more);
        let mut host = host().start();
        quick(&mut host);
        for _ in 0..8 {
            let _flooded = host.start_call("plex.request", request_to(&url));
        }
        thread::sleep(Duration::from_millis(300));
        let signalled = Instant::now();
        host.signal(Signal::Term);
        let replies = host.read_to_end();
        assert!(host.wait_exit(Duration::from_secs(10)).success());
        assert!(signalled.elapsed() < STOPPED, "{:?}", signalled.elapsed());
        assert_eq!(replies.len(), 8);
    }
}

#[test]
fn a_signal_answers_all_calls_beside_a_reply_that_is_larger_than_the_pipe() {
    let plex = FakePlex::start();
    let large = format!("[{}1]", "1,".repeat(150_000));
    let big = server(move |mut stream| {
        request_head(&mut stream);
        thread::sleep(Duration::from_millis(350));
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            large.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(large.as_bytes()).unwrap();
        until_closed(&mut stream);
    });
    plex.hold();
    let mut host = host().plex(&plex).start();
    quick(&mut host);
    for _ in 0..5 {
        let _never = host.start_call("plex.request", json!({"path": "/identity"}));
    }
    let _big = host.start_call("plex.request", request_to(&big));
    plex.wait_held(5);
    let signalled = Instant::now();
    host.signal(Signal::Term);
    let replies = host.read_to_end();
    assert!(host.wait_exit(Duration::from_secs(10)).success());
    assert!(signalled.elapsed() < STOPPED, "{:?}", signalled.elapsed());
    let cancelled = replies.iter().filter(|reply| reply["error"]["code"] == -32800).count();
    let answered = replies.iter().filter(|reply| reply["result"]["status"] == 200).count();
    assert_eq!((cancelled, answered), (5, 1));
}

#[test]
fn the_time_after_a_signal_goes_on_while_a_host_reads_late() {
    let plex = FakePlex::start();
    let large = server(|mut stream| {
        request_head(&mut stream);
        let body = format!("[{}1]", "1,".repeat(150_000));
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        until_closed(&mut stream);
    });
    plex.hold();
    let mut host = host().plex(&plex).start();
    quick(&mut host);
    host.pause_reading();
    for _ in 0..5 {
        let _never = host.start_call("plex.request", json!({"path": "/identity"}));
    }
    plex.wait_held(5);
    let _large = host.start_call("plex.request", request_to(&large));
    thread::sleep(Duration::from_millis(500));
    host.signal(Signal::Term);
    thread::sleep(Duration::from_millis(400));
    host.resume_reading();
    let replies = host.read_to_end();
    assert!(host.wait_exit(Duration::from_secs(10)).success(), "{} replies", replies.len());
    let cancelled = replies.iter().filter(|reply| reply["error"]["code"] == -32800).count();
    assert_eq!((cancelled, replies.len()), (5, 6));
}

#[test]
fn a_worker_whose_replies_nobody_reads_ends_in_its_time_and_says_that_something_is_missing() {
    let mut host = host().start();
    quick(&mut host);
    host.pause_reading();
    let line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}\n";
    host.send_raw_later(line.repeat(20_000).as_bytes());
    thread::sleep(Duration::from_millis(300));
    let signalled = Instant::now();
    host.signal(Signal::Term);
    assert_eq!(host.wait_exit(Duration::from_secs(10)).code(), Some(1));
    assert!(signalled.elapsed() < STOPPED, "{:?}", signalled.elapsed());
}

#[test]
fn a_lock_that_another_process_holds_holds_up_identity_calls_only() {
    let data = tempfile::tempdir().unwrap();
    let plex = FakePlex::start();
    let mut host = host().data_dir(data.path()).plex(&plex).start();
    quick(&mut host);
    let _lock = hold_lock(data.path());
    let took = quick(&mut host);
    assert!(took < QUICK, "{took:?} with an id in memory");
    plex.hold();
    let running = host.start_call("plex.request", json!({"path": "/identity"}));
    plex.wait_held(1);
    let begun = Instant::now();
    let reset = host.start_call("identity.reset", json!({}));
    plex.release();
    assert_eq!(host.wait(running).unwrap()["status"], 200);
    assert!(begun.elapsed() < 2 * QUICK, "{:?} for a request that ran", begun.elapsed());
    host.call("rpc.discover", json!({})).unwrap();
    assert!(begun.elapsed() < 4 * QUICK, "{:?}", begun.elapsed());
    // It carries the identity that the reset leaves behind, and waits for it as long as it may.
    let late = json!({"path": "/identity", "timeout_ms": 500});
    assert_eq!(host.call("plex.request", late).unwrap_err().code, -32011);
    let signalled = Instant::now();
    host.signal(Signal::Term);
    assert_eq!(host.wait(reset).unwrap_err().code, -32800);
    assert!(host.wait_exit(Duration::from_secs(10)).success());
    assert!(signalled.elapsed() < STOPPED, "{:?}", signalled.elapsed());
}

#[test]
fn a_cancelled_reset_that_waits_for_a_lock_has_written_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut host = host().data_dir(data.path()).start();
    let before = host.call("identity.get", json!({})).unwrap()["device_id"].clone();
    let lock = hold_lock(data.path());
    let reset = host.start_call("identity.reset", json!({}));
    let get = host.start_call("identity.get", json!({}));
    host.cancel(reset);
    assert_eq!(host.wait(reset).unwrap_err().code, -32800);
    assert_eq!(host.wait(get).unwrap()["device_id"], before);
    lock.unlock().unwrap();
    host.restart();
    assert_eq!(host.call("identity.get", json!({})).unwrap()["device_id"], before);
}

/// Sixty megabytes are unpacked and looked at, eight times at once; the replies are small.
#[test]
fn large_bodies_that_are_decoded_hold_up_nobody() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    quick(&mut host);
    plex.fault(Fault::GzipBomb(60_000_000).on("/library").times(8));
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let params = json!({"path": "/library/sections", "max_bytes": 59_999_999});
            host.start_call("plex.request", params)
        })
        .collect();
    plex.wait_for_requests(8);
    for _ in 0..20 {
        let took = quick(&mut host);
        assert!(took < QUICK, "{took:?}");
        thread::sleep(Duration::from_millis(5));
    }
    for call in calls {
        assert_eq!(host.wait(call).unwrap_err().code, -32012);
    }
}

/// What another process does that changes the identity.
fn hold_lock(data: &Path) -> File {
    let path = data.join("device_id.json.lock");
    let lock = File::options().write(true).create(true).truncate(false).open(path).unwrap();
    lock.lock().unwrap();
    lock
}

const ESTABLISHED: &str = "01";
const CLOSE_WAIT: &str = "08";

/// How many of the worker's sockets are in this state with a server on this port (proc(5), `/proc/net/tcp`).
fn sockets(host: &Host, state: &str, port: u16) -> usize {
    let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", host.pid())).unwrap();
    let remote = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[2].ends_with(&remote) && row[3] == state).count()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "not in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A parent has made it non-blocking, as programs of Node's do with what they share.
#[test]
fn non_blocking_stdout_and_a_host_that_reads_late_lose_nothing() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut worker = {
        let [output, errors] = [theirs.try_clone().unwrap(), theirs].map(OwnedFd::from);
        let mut command = Command::new(crate::worker());
        command.arg("--data-dir").arg(data.path()).env_clear().stdin(Stdio::piped());
        command.stdout(output).stderr(errors).spawn().unwrap()
    };
    let line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}\n";
    let mut stdin = worker.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(line.repeat(5_000).as_bytes()).unwrap());
    thread::sleep(Duration::from_millis(500));
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    writer.join().unwrap();
    assert!(worker.wait().unwrap().success());
    assert_eq!(text.lines().filter(|line| line.contains("\"result\"")).count(), 5_000);
}

/// A pipe is full, and stays so for a while: lines are dropped whole, and counted when there is room again.
#[test]
fn log_lines_that_nobody_reads_are_dropped_whole_and_counted() {
    let (mut ours, theirs) = std::io::pipe().unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut worker = {
        let mut command = Command::new(crate::worker());
        command.arg("--data-dir").arg(data.path()).args(["--log-format", "json"]).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(theirs).spawn().unwrap()
    };
    let mut stdin = worker.stdin.take().unwrap();
    // Each is one warning; together they are more than a pipe holds.
    let refused = "{\"jsonrpc\":\"2.0\",\"method\":\"plex.request\",\"params\":{\"nonsense\":1}}\n";
    let get = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}\n";
    let begun = Instant::now();
    stdin.write_all(refused.repeat(2_000).as_bytes()).unwrap();
    stdin.write_all(get.as_bytes()).unwrap();
    let mut stdout = std::io::BufReader::new(worker.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut String::new()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let reader = thread::spawn(move || {
        let mut text = String::new();
        ours.read_to_string(&mut text).unwrap();
        text
    });
    thread::sleep(Duration::from_millis(300));
    stdin.write_all(refused.as_bytes()).unwrap();
    drop(stdin);
    assert!(worker.wait().unwrap().success());
    let text = reader.join().unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let dropped = |line: &Value| line["log_lines_dropped"].as_str()?.parse::<usize>().ok();
    let counted: usize = lines.iter().filter_map(dropped).sum();
    assert!(counted > 0, "{} lines were written", lines.len());
    assert_eq!(lines.len() + counted, 2_001);
}
