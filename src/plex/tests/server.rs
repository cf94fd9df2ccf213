//! A server that answers what a test tells it to, one reply a request, and keeps what it was sent.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends these bytes and keeps the connection.
    Keep(Vec<u8>),
    /// Sends these bytes and closes the connection.
    Close(Vec<u8>),
    /// Sends these bytes, and never anything else.
    Hang(Vec<u8>),
    /// Sends these bytes, then the second ones over and over, a thousand times a second at most: a faster flood takes
    /// an unoptimized HTTP library seconds for one poll.
    Drip(Vec<u8>, Vec<u8>),
}

/// A request as it came: which connection it came over, and its text, head and body.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) connection: usize,
    pub(crate) text: String,
}

impl Seen {
    /// The value of a header, by any spelling of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap()
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    seen: Vec<Seen>,
}

/// A listening server; its threads end with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Server {
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script {
            replies: replies.into_iter().collect(),
            seen: Vec::new(),
        }));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let script = Arc::clone(&shared);
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(stream, connection, &script));
            }
        });
        Self { address, script }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }
}

fn serve(mut stream: impl Read + Write, connection: usize, script: &Mutex<Script>) {
    while let Some(text) = read_request(&mut stream) {
        let reply = {
            let mut script = script.lock().unwrap();
            script.seen.push(Seen { connection, text });
            script.replies.pop_front()
        };
        // An unexpected request gets no answer at all; the test sees it in `seen`.
        let Some(reply) = reply else { return };
        let _ = match &reply {
            Reply::Keep(bytes) | Reply::Close(bytes) | Reply::Hang(bytes) => {
                stream.write_all(bytes).and_then(|()| stream.flush())
            }
            Reply::Drip(bytes, more) => {
                let _ = stream.write_all(bytes);
                while stream.write_all(more).is_ok() {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                return;
            }
        };
        match reply {
            Reply::Hang(_) => {
                // Until the other side gives up.
                let _ = stream.read(&mut [0]);
                return;
            }
            Reply::Keep(_) => {}
            _ => return,
        }
    }
}

fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(String::from_utf8(bytes).unwrap())
}

/// An address where nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
