//! A host that says anything, and knows what it is to get for it.

use std::collections::BTreeSet;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use plexsync_worker::fuzzing::Framing;
use serde_json::Value;

/// Longest message that the worker takes.
pub const MAX_MESSAGE: usize = 4096;

#[derive(Arbitrary, Debug)]
pub struct Talk<'a> {
    headers: bool,
    forced: bool,
    bom: bool,
    crlf: bool,
    messages: Vec<Message<'a>>,
    cuts: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Message<'a> {
    Call(Call),
    Batch([Option<Member>; 6]),
    /// JSON-RPC 1.0, as Go writes it.
    Go(Call),
    /// The call of this number, if it has begun.
    Cancel(u8),
    Stop,
    Blank,
    Garbage(&'a [u8]),
    TooLong(u8),
    NoLength,
    /// A header block, or a line, that is too long for one.
    Endless,
    /// It has an id, so that it is no cancellation.
    CancelCall(Id),
}

#[derive(Arbitrary, Debug)]
enum Member {
    Call(Call),
    Garbage,
}

#[derive(Arbitrary, Debug)]
struct Call {
    method: Method,
    id: Id,
}

#[derive(Arbitrary, Debug, PartialEq)]
enum Method {
    Quick,
    Slow,
    Never,
    Unknown,
}

#[derive(Arbitrary, Debug)]
enum Id {
    None,
    Number,
    Negative,
    Fraction,
    Text,
}

/// What the host is to get.
#[derive(Default)]
pub struct Expected {
    /// A reply for each of these.
    pub ids: BTreeSet<String>,
    /// So many replies that are for no call.
    pub nulls: usize,
}

/// What the host has said so far.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    expected: Expected,
    count: usize,
    go: bool,
}

impl Talk<'_> {
    /// The framing that the worker is told.
    pub fn framing(&self) -> Option<Framing> {
        let framing = if self.headers { Framing::Headers } else { Framing::Lines };
        self.forced.then_some(framing)
    }

    /// The conversation, and what is to come of it.
    pub fn written(&self) -> (Vec<u8>, Expected) {
        let mut said = Said::default();
        said.bytes.extend_from_slice(if self.bom { b"\xEF\xBB\xBF" } else { b"" });
        for message in &self.messages {
            let text = said.say(message, self.headers);
            self.frame(&text, &mut said.bytes);
        }
        // What never ends by itself would hold up the end.
        for id in said.expected.ids.clone() {
            self.frame(cancel(&id).as_bytes(), &mut said.bytes);
        }
        (said.bytes, said.expected)
    }

    fn frame(&self, text: &[u8], bytes: &mut Vec<u8>) {
        let end: &[u8] = if self.crlf { b"\r\n" } else { b"\n" };
        if self.headers && !text.is_empty() {
            let length = format!("content-length: {}", text.len());
            bytes.extend([length.as_bytes(), end, end, text].concat());
        } else {
            bytes.extend([text, end].concat());
        }
    }

    /// The bytes, in pieces of these sizes, one after the other and from the beginning again.
    pub fn pieces<'b>(&self, mut bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let whole = [u8::MAX];
        let cuts = if self.cuts.is_empty() { whole.as_slice() } else { &self.cuts };
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if bytes.is_empty() {
                break;
            }
            let (piece, rest) = bytes.split_at(usize::from(*cut).clamp(1, bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }

    /// What the worker has written, message by message.
    pub fn messages(&self, mut bytes: &[u8]) -> Vec<Value> {
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let text = if bytes.starts_with(b"Content-Length: ") {
                let head =
                    bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("an empty line");
                let length =
                    str::from_utf8(&bytes[16..head]).expect("text").parse().expect("a length");
                bytes = &bytes[head + 4..];
                bytes.split_off(..length)
            } else {
                bytes.split_off(..=bytes.iter().position(|&byte| byte == b'\n').expect("a line"))
            };
            messages.push(serde_json::from_slice(text.expect("the whole message")).expect("JSON"));
        }
        messages
    }
}

/// The replies in a message: one, or those of a batch.
pub fn members(message: &Value) -> &[Value] {
    message.as_array().map_or(std::slice::from_ref(message), Vec::as_slice)
}

impl Said {
    /// The text of a message; none for one that is a framing alone.
    fn say(&mut self, message: &Message<'_>, headers: bool) -> Vec<u8> {
        match message {
            Message::Call(call) => self.call("\"jsonrpc\":\"2.0\",", call).into_bytes(),
            Message::Batch(members) => self.batch(members).into_bytes(),
            Message::Go(call) => {
                self.go = true;
                self.call("\"params\":[null],", call).into_bytes()
            }
            Message::Cancel(number) => cancel(&number.to_string()).into_bytes(),
            Message::Stop => {
                self.go = true;
                let call = Call { method: Method::Unknown, id: Id::Number };
                self.call("", &call).replace("unknown", "RPCRunner.Stop").into_bytes()
            }
            Message::Blank => Vec::new(),
            Message::Garbage(bytes) => {
                self.unreadable();
                let printed = bytes.iter().copied().filter(|byte| *byte != b'\n').take(1000);
                [b'}'].into_iter().chain(printed).collect()
            }
            Message::TooLong(more) => {
                self.unreadable();
                vec![b'x'; MAX_MESSAGE + 1 + usize::from(*more)]
            }
            Message::NoLength if headers => {
                self.unreadable();
                self.bytes.extend_from_slice(b"Content-Length: many\n\n");
                Vec::new()
            }
            Message::NoLength => {
                self.unreadable();
                b"Content".to_vec()
            }
            Message::Endless if headers => {
                self.unreadable();
                self.bytes.extend_from_slice(b"Content-Length: 2\nX: ");
                self.bytes.extend_from_slice(&[b'x'; 9000]);
                self.bytes.extend_from_slice(b"\n\n{}");
                Vec::new()
            }
            Message::Endless => {
                self.unreadable();
                vec![b'x'; 9000]
            }
            Message::CancelCall(id) => {
                self.count += 1;
                let Some(id) = id.of(self.count) else { return cancel("0").into_bytes() };
                let text = cancel("0").replace("\"method\"", &format!("\"id\":{id},\"method\""));
                self.expected.ids.insert(id);
                text.into_bytes()
            }
        }
    }

    /// To a Go client an answer without an id would be that to call 0.
    fn unreadable(&mut self) {
        self.expected.nulls += usize::from(!self.go);
    }

    fn batch(&mut self, members: &[Option<Member>]) -> String {
        let written: Vec<String> = members
            .iter()
            .flatten()
            .map(|member| match member {
                Member::Call(call) => self.call("\"jsonrpc\":\"2.0\",", call),
                Member::Garbage => {
                    self.unreadable();
                    "[{}]".to_owned()
                }
            })
            .collect();
        if written.is_empty() {
            self.unreadable();
        }
        format!("[{}]", written.join(", "))
    }

    fn call(&mut self, start: &str, call: &Call) -> String {
        self.count += 1;
        let (id, method) = (call.id.of(self.count), call.method.name());
        let Some(id) = id else {
            // Nobody could ever cancel it.
            return format!("{{{start}\"method\":\"{}\"}}", method.replace("never", "slow"));
        };
        let text = format!("{{{start}\"method\":\"{method}\",\"id\":{id}}}");
        self.expected.ids.insert(id);
        text
    }
}

fn cancel(id: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{{\"id\":{id}}}}}")
}

impl Method {
    fn name(&self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Slow => "slow",
            Self::Never => "never",
            Self::Unknown => "unknown",
        }
    }
}

impl Id {
    fn of(&self, count: usize) -> Option<String> {
        match self {
            Self::None => None,
            Self::Number => Some(format!("{count}")),
            Self::Negative => Some(format!("-{count}")),
            Self::Fraction => Some(format!("{count}.5")),
            Self::Text => Some(format!("\"{count}\"")),
        }
    }
}
