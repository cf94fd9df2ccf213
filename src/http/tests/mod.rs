//! Exchanges with servers on loopback that do what a test tells them to, byte by byte.

mod certificates;
mod connections;
mod floods;
mod proxies;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use plexsync_protocol::error::UnreachableKind;
use tokio::time::Instant;

use super::client::Clients;
use super::error::HttpError;
use super::proxy::ProxySettings;
use super::retry::Retry;
use super::send::Sender;
use super::tls::Trust;
use super::*;

/// A server whose connections are handed to `serve` with their number, each on a thread of its own.
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

/// The head of the next request; `None` where the client has closed its end.
fn head_of(socket: &mut impl Read) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn answer(socket: &mut impl Write, body: &str) {
    let length = body.len();
    let _ = write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    let _ = socket.flush();
}

fn clients() -> Clients {
    Clients::new(Trust::Roots(None), ProxySettings::default(), |_| ())
}

fn request(method: &str, url: &str) -> Request {
    Request {
        method: method.parse().unwrap(),
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: None,
    }
}

struct Outcome {
    answer: Result<(StatusCode, String), HttpError>,
    attempts: u32,
}

impl Outcome {
    fn error(self) -> String {
        self.answer.unwrap_err().to_string()
    }

    fn kind(self) -> UnreachableKind {
        match self.answer {
            Err(HttpError::Unreachable { kind, .. }) => kind,
            other => panic!("{other:?}"),
        }
    }
}

/// One call that may take a minute.
async fn call(clients: &Clients, request: &Request, retries: u32) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(60);
    let sender = Sender::new(clients, deadline, Duration::from_secs(30));
    let mut retry = Retry { sender, retries, attempts: 0, route: None };
    let mut body = Vec::new();
    let head = retry.send(request, Some(1 << 30), &mut body).await;
    let answer = head.map(|head| (head.status, String::from_utf8(body).unwrap()));
    Outcome { answer, attempts: retry.attempts }
}

/// RFC 9112, sections 5.1 and 5.2: a receiver may read both.
#[tokio::test]
async fn headers_in_the_old_ways_are_read() {
    for header in ["Server: a\r\n b", "Server : a", "Server:a\r\n\tb", "Server:"] {
        let address = listen(move |mut socket, _| {
            while head_of(&mut socket).is_some() {
                let head = format!("HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 4\r\n\r\n");
                let _ = write!(socket, "{head}body");
            }
        });
        let clients = clients();
        for _ in 0..2 {
            let outcome = call(&clients, &request("GET", &format!("http://{address}/")), 0).await;
            assert_eq!(outcome.answer, Ok((StatusCode::OK, "body".to_owned())), "{header:?}");
        }
    }
}
