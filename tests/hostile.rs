//! Servers that mean harm, or are broken: an error within the call's time, little memory, and the next call works.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use plexsync_harness::fake_plex::Kind;
use plexsync_harness::http::{HttpServer, Response};
use plexsync_harness::{FakePlex, Fault, Host};
use serde_json::{Value, json};

use crate::host;

/// Most memory that a worker may ever have held, in KiB: some times what it needs, and a sixteenth of what the smallest
/// of the bombs unpacks to.
const MOST_MEMORY: u64 = 64_000;
/// Time that a call gets, in milliseconds: enough for a loaded machine to come as far as the body.
const TIME: u64 = 2000;

fn request(
    host: &mut Host,
    fault: Fault,
    plex: &FakePlex,
) -> Result<Value, plexsync_harness::RpcError> {
    plex.fault(fault.always());
    let outcome =
    host.call(
        "plex.request",
        json!({"path": "/library/sections", "timeout_ms": TIME, "max_bytes": 1_000_000, "retries": 0}),
    );
    plex.no_faults();
    outcome
}

/// Without faults, that is.
fn next_call_works(host: &mut Host) {
    let next = host.call("plex.request", json!({"path": "/identity"})).unwrap();
    assert_eq!((&next["status"], &next["body_encoding"]), (&json!(200), &json!("json")));
}

/// Faults that end in an error: its code, and its kind or phase.
fn deadly() -> Vec<(Fault, i64, &'static [&'static str])> {
    let second = Duration::from_secs(1);
    vec![
        (Fault::EndlessHeaders, -32010, &["protocol"]),
        (Fault::Drip(second), -32011, &["response"]),
        (Fault::StallBody, -32011, &["body"]),
        (Fault::ResetMidBody, -32010, &["closed"]),
        (Fault::ResetWithoutAnswer, -32010, &["closed"]),
        (Fault::TruncatedChunked, -32010, &["closed", "protocol"]),
        (Fault::LengthTooLong, -32010, &["closed"]),
        (Fault::NotHttp, -32010, &["protocol"]),
        (Fault::ControlBytesInHeader, -32010, &["protocol"]),
        (Fault::FalseGzip, -32010, &["protocol"]),
        (Fault::CutGzip, -32010, &["protocol", "closed"]),
        (Fault::GzipBomb(1 << 26), -32012, &[]),
        (Fault::Big(Kind::Json, 1 << 40), -32012, &[]),
        (Fault::Big(Kind::Xml, 1 << 40), -32012, &[]),
    ]
}

#[test]
fn each_ends_in_an_error_and_the_next_call_works() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for (fault, code, details) in deadly() {
        let error = request(&mut host, fault.clone(), &plex).expect_err(&format!("{fault:?}"));
        assert_eq!(error.code, code, "{fault:?}: {}", error.message);
        let detail = match code {
            -32010 => error.datum("kind"),
            _ => error.datum("phase"),
        };
        let expected = details.is_empty() || details.contains(&detail.as_str().unwrap_or_default());
        assert!(expected, "{fault:?}: {detail} in {}", error.message);
        next_call_works(&mut host);
    }
    let memory = host.memory_kib();
    assert!(memory.peak < MOST_MEMORY, "{memory:?}");
}

#[test]
fn a_flood_holds_up_no_other_call() {
    for fault in
        [Fault::EndlessHeaders, Fault::GzipBomb(1 << 34), Fault::Drip(Duration::from_millis(1))]
    {
        let plex = FakePlex::start();
        plex.fault(fault.clone().on("/library"));
        let mut host = host().plex(&plex).start();
        let params = json!({"path": "/library/sections", "parse": "text", "retries": 0});
        let flooded = host.start_call("plex.request", params);
        plex.wait_for_requests(1);
        for _ in 0..10 {
            host.call("identity.get", json!({})).unwrap();
            next_call_works(&mut host);
        }
        host.cancel(flooded);
        let _either = host.wait(flooded);
        assert!(host.memory_kib().peak < 4 * MOST_MEMORY, "{fault:?}: {:?}", host.memory_kib());
    }
}

#[test]
fn a_length_that_is_too_short_spoils_nothing_but_its_own_answer() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let cut = request(&mut host, Fault::LengthTooShort, &plex).unwrap();
    assert_eq!((&cut["status"], &cut["body_encoding"]), (&json!(200), &json!("text")));
    assert!(cut["body_error"].is_string());
    next_call_works(&mut host);
    next_call_works(&mut host);
}

#[test]
fn what_is_odd_but_legal_is_an_answer() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    for fault in [
        Fault::Chunked,
        Fault::CloseAfterAnswer,
        Fault::InformationalFlood(20),
        Fault::Latin1Header,
        Fault::Delay(Duration::from_millis(10)),
    ] {
        let answer = request(&mut host, fault.clone(), &plex)
            .unwrap_or_else(|error| panic!("{fault:?}: {}", error.message));
        assert_eq!(answer["body"]["MediaContainer"]["size"], 6, "{fault:?}");
        next_call_works(&mut host);
    }
}

#[test]
fn a_body_without_an_end_stops_at_the_limit_and_leaves_the_connection() {
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let open = plex.connections();
    for _ in 0..5 {
        assert_eq!(
            request(&mut host, Fault::Big(Kind::Binary, 1 << 60), &plex).unwrap_err().code,
            -32012
        );
    }
    next_call_works(&mut host);
    // The server sees it when it writes next.
    let begun = Instant::now();
    while plex.connections() > open + 2 {
        assert!(begun.elapsed() < Duration::from_secs(5), "connections with an endless body stay");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(host.memory_kib().peak < MOST_MEMORY);
}

/// Interim answers, a thousand times a second: a faster flood takes an unoptimized HTTP library seconds for one poll.
#[test]
fn a_flood_of_interim_answers_ends_with_the_time() {
    let server = HttpServer::start(|_| {
        Response::script(|wire, _| {
            loop {
                wire.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")?;
                wire.pause(Duration::from_millis(1))?;
            }
        })
    });
    let plex = FakePlex::start();
    let mut host = host().plex(&plex).start();
    let params = json!({"path": "/", "server": server.url(), "token": "", "timeout_ms": TIME});
    let flooded = host.start_call("plex.request", params);
    next_call_works(&mut host);
    let error = host.wait(flooded).unwrap_err();
    assert_eq!((error.code, error.datum("phase").as_str()), (-32011, Some("response")));
    next_call_works(&mut host);
    assert!(host.memory_kib().peak < MOST_MEMORY);
}

/// A server on raw sockets: each connection goes to `serve`, with its number.
fn listen(serve: impl Fn(TcpStream, usize) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(socket.unwrap(), number));
        }
    });
    address
}

/// The first line of the next request.
fn request_line(socket: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).unwrap().lines().next().unwrap().to_owned())
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_that_of_the_next_call() {
    const UNASKED: [&str; 3] = [
        "HTTP/1.1 408 Request Time-out\r\nContent-Length: 5\r\n\r\nstale",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale",
        "x",
    ];
    for unasked in UNASKED {
        let (said, wait) = std::sync::mpsc::channel();
        let address = listen(move |mut socket, number| {
            while let Some(line) = request_line(&mut socket) {
                let length = line.len();
                let _ = write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{line}");
                if number == 0 {
                    std::thread::sleep(Duration::from_millis(100));
                    let _ = socket.write_all(unasked.as_bytes());
                    said.send(()).unwrap();
                }
            }
        });
        let mut host = host().start();
        let server = format!("http://{address}");
        for method in ["GET", "PUT", "DELETE"] {
            let params = json!({"path": "/a", "method": method, "server": server, "token": "", "parse": "text"});
            let answer = host.call("plex.request", params).unwrap();
            assert_eq!(answer["body"], format!("{method} /a HTTP/1.1"), "{unasked}");
            assert_eq!(answer["attempts"], 1, "{unasked}");
            if method == "GET" {
                wait.recv().unwrap();
            }
        }
    }
}

#[test]
fn answers_without_an_end_hold_up_no_other_call() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (begin, more) in [(chunked, "0"), ("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")] {
        let address = listen(move |mut socket, _| {
            request_line(&mut socket);
            let _ = socket.write_all(begin.as_bytes());
            let piece = more.repeat(64 * 1024 / more.len());
            while socket.write_all(piece.as_bytes()).is_ok() {}
        });
        let plex = FakePlex::start();
        let mut host = host().plex(&plex).start();
        let flood =
            json!({"path": "/", "server": format!("http://{address}"), "token": "", "retries": 0});
        let floods: Vec<_> =
            (0..8).map(|_| host.start_call("plex.request", flood.clone())).collect();
        host.call("identity.get", json!({})).unwrap();
        next_call_works(&mut host);
        for flood in floods {
            let error = host.wait(flood).unwrap_err();
            assert_eq!((error.code, error.datum("kind").as_str()), (-32010, Some("protocol")));
        }
    }
}
