//! Servers that are slow, endless or lying.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use plexsync_protocol::error::TimeoutPhase;

use super::server::Reply::{Close, Drip, Hang, Keep};
use super::*;

fn phase(outcome: Result<Answer, PlexError>) -> TimeoutPhase {
    match outcome {
        Err(PlexError::Http(HttpError::Timeout { phase, .. })) => phase,
        Err(other) => panic!("{other:?}"),
        Ok(answer) => panic!("{}", answer.status),
    }
}

fn is_too_large(outcome: Result<Answer, PlexError>, limit: u64) -> bool {
    matches!(outcome, Err(PlexError::Http(HttpError::TooLarge { max_bytes })) if max_bytes == limit)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// Long enough for a loaded machine to come as far as the phase that the test is about.
const SHORT: u64 = 1500;

async fn waiting_for(reply: server::Reply) -> TimeoutPhase {
    let server = Server::start([reply]);
    phase(ask(server.url(), json!({"path": "/", "timeout_ms": SHORT})).await)
}

#[tokio::test]
async fn time_is_told_by_phase() {
    let early = b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n";
    let (nothing, head, body, flood) = tokio::join!(
        waiting_for(Hang(vec![])),
        waiting_for(Hang(b"HTTP/1.1 200 OK\r\nX-".to_vec())),
        waiting_for(Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na".to_vec())),
        waiting_for(Drip(vec![], early.to_vec())),
    );
    assert_eq!(nothing, TimeoutPhase::Response);
    assert_eq!(head, TimeoutPhase::Response);
    assert_eq!(body, TimeoutPhase::Body);
    assert_eq!(flood, TimeoutPhase::Response);
}

#[tokio::test]
async fn a_chunk_without_an_end_is_no_http() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let server = Server::start([Drip(head, b"1;".repeat(512))]);
    assert_eq!(kind(ask(server.url(), json!({"path": "/"})).await), UnreachableKind::Protocol);
}

#[tokio::test]
async fn heads_end() {
    let start = b"HTTP/1.1 200 OK\r\n".to_vec();
    let many = "X-A: b\r\n".repeat(101);
    for reply in [
        Drip(start.clone(), b"X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n".to_vec()),
        Drip(b"HTTP/1.1 200 OK\r\nX-A: ".to_vec(), vec![b'b'; 1024]),
        Close([start, many.into_bytes(), b"\r\n".to_vec()].concat()),
        Close(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
        Close(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".to_vec()),
    ] {
        let server = Server::start([reply]);
        assert_eq!(kind(ask(server.url(), json!({"path": "/"})).await), UnreachableKind::Protocol);
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn decoded_bytes_are_counted() {
    let plain = "x".repeat(1000);
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{plain}\r\n0\r\n\r\n");
    let replies = [ok(&plain), chunked.into_bytes(), gzipped(&gzip(plain.as_bytes()))];
    for reply in replies {
        let server = Server::start([Keep(reply.clone()), Keep(reply)]);
        let plex = Plex::new(Options::default());
        let outcome = ask_of(&plex, server.url(), json!({"path": "/", "max_bytes": 999})).await;
        assert!(is_too_large(outcome, 999));
        let params = json!({"path": "/", "max_bytes": 1000, "parse": "text"});
        assert_eq!(ask_of(&plex, server.url(), params).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn an_announced_length_is_not_believed() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n".to_vec();
    let server = Server::start([Keep(head)]);
    let outcome = ask(server.url(), json!({"path": "/"})).await;
    assert!(is_too_large(outcome, 64 * 1024 * 1024));
    let server = Server::start([Close(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n".to_vec(),
    )]);
    let params = json!({"path": "/", "max_bytes": u64::MAX, "retries": 0});
    let outcome = ask(server.url(), params).await;
    assert!(
        matches!(outcome, Err(PlexError::Http(HttpError::Unreachable { .. }))),
        "no memory for it is reserved"
    );
}

#[tokio::test]
async fn broken_compression_is_no_lost_connection() {
    let whole = gzip(b"{\"a\":1}");
    let mut flipped = whole.clone();
    flipped[12] ^= 0xff;
    for body in [&b"no gzip at all"[..], &whole[..whole.len() - 9], &flipped] {
        let server = Server::start([Keep(gzipped(body))]);
        let outcome = ask(server.url(), json!({"path": "/"})).await;
        assert_eq!(kind(outcome), UnreachableKind::Protocol, "{}", body.len());
    }
    let server = Server::start([Keep(gzipped(&whole))]);
    let answer = ask(server.url(), json!({"path": "/"})).await.unwrap();
    assert_eq!(body(&answer), json!({"a": 1}));
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let text = "x".repeat(3 << 20);
    let server = Server::start([Keep(ok(&format!("\"{text}\"")))]);
    let answer = ask(server.url(), json!({"path": "/"})).await.unwrap();
    assert_eq!(body(&answer), json!(text));
}
