//! Answers without an end: they end with the call, and hold up no other one.

use std::sync::mpsc::channel;

use super::*;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What begins an answer, and what comes then over and over.
const FLOODS: [(&str, &str); 4] = [
    (CHUNKED, "0"),
    (CHUNKED, "0;"),
    ("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
];

fn flood(begin: &'static str, more: &'static str) -> (SocketAddr, std::sync::mpsc::Receiver<()>) {
    let (ended, wait) = channel();
    let address = listen(move |mut socket, _| {
        head_of(&mut socket).unwrap();
        let _ = socket.write_all(begin.as_bytes());
        let piece = more.repeat(64 * 1024 / more.len());
        while socket.write_all(piece.as_bytes()).is_ok() {}
        ended.send(()).unwrap();
    });
    (address, wait)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_that_nothing_comes_of_is_no_http() {
    for (begin, more) in FLOODS {
        let (address, ended) = flood(begin, more);
        let clients = clients();
        let outcome = call(&clients, &request("GET", &format!("http://{address}/")), 2).await;
        assert_eq!(outcome.attempts, 1, "{more}");
        assert_eq!(outcome.kind(), UnreachableKind::Protocol, "{more}");
        ended.recv().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_leave_room_for_an_ordinary_request() {
    let ordinary = listen(|mut socket, _| {
        head_of(&mut socket).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        answer(&mut socket, "here");
    });
    for (begin, more) in FLOODS {
        let (address, _ended) = flood(begin, more);
        let floods: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn(async move {
                    call(&clients(), &request("GET", &format!("http://{address}/")), 0).await.answer
                })
            })
            .collect();
        let clients = clients();
        let asking = call(&clients, &request("GET", &format!("http://{ordinary}/")), 0).await;
        assert_eq!(asking.answer.unwrap().1, "here", "{more}");
        for flood in floods {
            assert!(flood.await.unwrap().is_err(), "{more}");
        }
    }
}

#[tokio::test]
async fn a_body_of_single_bytes_arrives_whole() {
    // More bytes on the wire than may come without anything that comes of them.
    const LENGTH: usize = 400_000;
    let address = listen(|mut socket, _| {
        head_of(&mut socket).unwrap();
        let chunks = "1\r\nx\r\n".repeat(LENGTH);
        let _ = socket.write_all(format!("{CHUNKED}{chunks}0\r\n\r\n").as_bytes());
    });
    let outcome = call(&clients(), &request("GET", &format!("http://{address}/")), 0).await;
    assert_eq!(outcome.answer.unwrap().1.len(), LENGTH);
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_byte_by_byte() {
    let address = listen(|mut socket, _| {
        head_of(&mut socket).unwrap();
        for byte in b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow" {
            let _ = socket.write_all(&[*byte]);
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let outcome = call(&clients(), &request("GET", &format!("http://{address}/")), 0).await;
    assert_eq!(outcome.answer.unwrap().1, "slow");
}
