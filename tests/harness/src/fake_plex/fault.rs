//! What can go wrong between a client and Plex, each at will.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::big::{self, Kind, chunk};
use super::plex_response;
use crate::http::{After, Request, Response, Wire};

/// One way to misbehave. Give it to [`FakePlex::fault`](super::FakePlex::fault), alone or as a [`Plan`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The usual answer, this much later.
    Delay(Duration),
    /// 503 with the XML of a server that migrates its database.
    Maintenance,
    /// 200 with a body that says that the server still starts.
    Starting,
    /// The connection is closed without an answer.
    CloseWithoutAnswer,
    /// The connection is reset without an answer.
    ResetWithoutAnswer,
    /// The usual answer, which promises to keep the connection; then it is closed.
    CloseAfterAnswer,
    /// Half the usual body, then a reset. A reset overtakes bytes: the client may see nothing but it.
    ResetMidBody,
    /// Half the usual body in a chunk, then a close without the last chunk.
    TruncatedChunked,
    /// The usual answer in chunks of seven bytes, with a trailer.
    Chunked,
    /// `Content-Length` promises a hundred bytes more than come before the close.
    LengthTooLong,
    /// `Content-Length` promises half of what comes; the connection stays open.
    LengthTooShort,
    /// The usual head and half the body, then nothing for ever.
    StallBody,
    /// Headers without end.
    EndlessHeaders,
    /// The usual answer byte by byte, with this pause after each.
    Drip(Duration),
    /// This many 103 answers, then the usual one.
    InformationalFlood(u64),
    /// No HTTP at all, then a close.
    NotHttp,
    /// The usual body, encoded.
    Encoded(Encoding),
    /// The usual body, which is not gzip although a header says so.
    FalseGzip,
    /// A gzip body, cut in its middle; the `Content-Length` is right.
    CutGzip,
    /// JSON that decodes to this many bytes from a thousandth of them.
    GzipBomb(u64),
    /// The usual answer with control bytes in a header's value.
    ControlBytesInHeader,
    /// The usual answer with a header in Latin-1.
    Latin1Header,
    /// JSON that is not UTF-8.
    InvalidUtf8,
    /// JSON that ends too early; the `Content-Length` is right.
    CutJson,
    /// XML with a `\x04` in an attribute, which XML 1.0 forbids.
    ControlByteInXml,
    /// XML that is not well-formed.
    BrokenXml,
    /// 204.
    NoContent,
    /// 200, no body, no content type.
    Empty,
    /// The usual answer without `Content-Type`.
    NoContentType,
    /// A body of this kind and exactly this many bytes.
    Big(Kind, u64),
    /// A redirect with this status to this `Location`, as it stands.
    Redirect(u16, String),
    /// 429, with this `Retry-After` (seconds or a date).
    RateLimited(Option<String>),
    /// An answer of one's own.
    #[expect(missing_docs, reason = "the fields are an answer's")]
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
}

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the registry's")]
pub enum Encoding {
    Gzip,
    Deflate,
    /// `deflate` without its zlib envelope, as some servers send it.
    RawDeflate,
    Brotli,
}

/// A [`Fault`], how often, and for which requests.
#[derive(Debug, Clone)]
pub struct Plan {
    fault: Fault,
    left: Option<u64>,
    prefix: String,
}

impl From<Fault> for Plan {
    fn from(fault: Fault) -> Self {
        Self { fault, left: Some(1), prefix: "/".to_owned() }
    }
}

impl Plan {
    /// For this many requests.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { left: Some(count), ..self }
    }

    /// For every request.
    #[must_use]
    pub fn always(self) -> Self {
        Self { left: None, ..self }
    }

    /// Only for requests whose target begins like this.
    #[must_use]
    pub fn on(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    pub(super) fn fits(&self, request: &Request) -> bool {
        request.target.starts_with(&self.prefix)
    }

    pub(super) fn take(&mut self) -> Fault {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.fault.clone()
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.left == Some(0)
    }
}

impl Fault {
    /// For this many requests.
    pub fn times(self, count: u64) -> Plan {
        Plan::from(self).times(count)
    }

    /// For every request.
    pub fn always(self) -> Plan {
        Plan::from(self).always()
    }

    /// Only for requests whose target begins like this.
    pub fn on(self, prefix: &str) -> Plan {
        Plan::from(self).on(prefix)
    }

    /// An answer of one's own.
    pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Self::Answer { status, headers: headers.iter().map(owned).collect(), body: body.into() }
    }

    /// Turns the usual answer into what this fault makes of it.
    pub(super) fn apply(self, usual: Response) -> Response {
        match self {
            Self::Delay(time) => late(usual, time),
            Self::CloseWithoutAnswer => Response::script(|_, _| Ok(After::Close)),
            Self::ResetWithoutAnswer => Response::script(|_, _| Ok(After::Reset)),
            Self::CloseAfterAnswer => Response { after: After::Close, ..usual },
            Self::ResetMidBody => half(usual, reset_soon),
            Self::StallBody => half(usual, |wire| {
                wire.pause_until(|| false)?;
                Ok(After::Close)
            }),
            Self::TruncatedChunked => in_chunks(usual, true),
            Self::Chunked => in_chunks(usual, false),
            Self::LengthTooLong => lying_length(usual, |length| length + 100, After::Close),
            Self::LengthTooShort => lying_length(usual, |length| length / 2, After::KeepAlive),
            Self::EndlessHeaders => endless_headers(),
            Self::Drip(pause) => drip(usual, pause),
            Self::InformationalFlood(count) => informational(usual, count),
            Self::NotHttp => raw("SSH-2.0-OpenSSH_9.9\r\n"),
            Self::GzipBomb(bytes) => big::gzip_bomb(bytes),
            Self::Big(kind, bytes) => big::body(kind, bytes),
            other => other.well_formed(usual),
        }
    }

    /// The faults that are HTTP without a flaw; it is the content that is odd.
    fn well_formed(self, usual: Response) -> Response {
        match self {
            Self::Maintenance => maintenance(),
            Self::Starting => {
                json(r#"{"MediaContainer":{"size":0,"startState":"startingPlugins"}}"#)
            }
            Self::Encoded(encoding) => encoded(usual, encoding),
            Self::FalseGzip => usual.header("Content-Encoding", "gzip"),
            Self::CutGzip => cut_gzip(usual),
            Self::ControlBytesInHeader => usual.header("X-Odd", b"a\x01b\x0bc\x7f"),
            Self::Latin1Header => usual.header("X-Plex-Device-Name", b"caf\xe9"),
            Self::InvalidUtf8 => json(b"{\"MediaContainer\":{\"title1\":\"caf\xe9\"}}"),
            Self::CutJson => {
                json(r#"{"MediaContainer":{"size":2,"Metadata":[{"ratingKey":"1"},{"rat"#)
            }
            Self::ControlByteInXml => {
                xml("<MediaContainer size=\"1\"><Video title=\"A\x04B\"/></MediaContainer>")
            }
            Self::BrokenXml => {
                xml("<MediaContainer size=\"1\"><Video title=\"A\"></MediaContainer")
            }
            Self::NoContent => plex_response(204),
            Self::Empty => plex_response(200),
            Self::NoContentType => without(usual, "Content-Type"),
            Self::Redirect(status, location) => plex_response(status).header("Location", location),
            Self::RateLimited(retry_after) => rate_limited(retry_after),
            Self::Answer { status, headers, body } => {
                let response = Response::new(status).body(body);
                headers
                    .iter()
                    .fold(response, |response, (name, value)| response.header(name, value))
            }
            _ => usual,
        }
    }
}

fn json(body: impl AsRef<[u8]>) -> Response {
    plex_response(200).header("Content-Type", "application/json").body(body.as_ref())
}

fn xml(body: &str) -> Response {
    plex_response(200).header("Content-Type", "text/xml;charset=utf-8").body(body)
}

fn maintenance() -> Response {
    let status = "Plex Media Server is currently running database migrations.";
    let body = format!("<Response code=\"503\" title=\"Maintenance\" status=\"{status}\"/>");
    plex_response(503).header("Content-Type", "text/xml;charset=utf-8").body(body)
}

fn rate_limited(retry_after: Option<String>) -> Response {
    let body = r#"{"errors":[{"code":1003,"message":"API rate limit exceeded","status":429}]}"#;
    let response = Response::text(429, "application/json; charset=utf-8", body);
    match retry_after {
        Some(when) => response.header("Retry-After", when),
        None => response,
    }
}

fn without(mut response: Response, name: &str) -> Response {
    response.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    response
}

fn encoded(usual: Response, encoding: Encoding) -> Response {
    let (name, body) = encode(usual.body_bytes(), encoding);
    let original = usual.body_bytes().len().to_string();
    usual
        .header("Content-Encoding", name)
        .header("X-Plex-Content-Original-Length", original)
        .header("X-Plex-Content-Compressed-Length", body.len().to_string())
        .body(body)
}

fn encode(body: &[u8], encoding: Encoding) -> (&'static str, Vec<u8>) {
    fn written<W: Write>(mut encoder: W, body: &[u8]) -> W {
        encoder.write_all(body).expect("memory takes every byte");
        encoder
    }
    let best = Compression::best();
    let finished = "memory takes every byte";
    match encoding {
        Encoding::Gzip => {
            ("gzip", written(GzEncoder::new(Vec::new(), best), body).finish().expect(finished))
        }
        Encoding::Deflate => {
            ("deflate", written(ZlibEncoder::new(Vec::new(), best), body).finish().expect(finished))
        }
        Encoding::RawDeflate => {
            let encoder = written(DeflateEncoder::new(Vec::new(), best), body);
            ("deflate", encoder.finish().expect(finished))
        }
        Encoding::Brotli => {
            let encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
            ("br", written(encoder, body).into_inner())
        }
    }
}

fn cut_gzip(usual: Response) -> Response {
    let (name, mut body) = encode(usual.body_bytes(), Encoding::Gzip);
    body.truncate(body.len() / 2);
    usual.header("Content-Encoding", name).body(body)
}

fn late(usual: Response, time: Duration) -> Response {
    Response::script(move |wire, request| {
        wire.pause(time)?;
        usual.write(wire, request)
    })
}

fn raw(bytes: &'static str) -> Response {
    Response::script(move |wire, _| wire.send(bytes).map(|()| After::Close))
}

/// The usual answer up to the middle of its body, then `rest`.
fn half(usual: Response, rest: fn(&mut Wire<'_>) -> io::Result<After>) -> Response {
    Response::script(move |wire, request| {
        let bytes = usual.to_bytes(request);
        let body = if request.method == "HEAD" { 0 } else { usual.body_bytes().len() };
        wire.send(&bytes[..bytes.len() - body.div_ceil(2)])?;
        rest(wire)
    })
}

/// Gives the head a chance to be read before the reset overtakes it.
fn reset_soon(wire: &mut Wire<'_>) -> io::Result<After> {
    wire.pause(Duration::from_millis(50))?;
    Ok(After::Reset)
}

fn in_chunks(usual: Response, truncated: bool) -> Response {
    Response::script(move |wire, request| {
        let body = usual.body_bytes().to_vec();
        let head = usual.replace("Transfer-Encoding", "chunked").body("");
        wire.send(head.to_bytes(request))?;
        if request.method == "HEAD" {
            return Ok(head.after);
        }
        if truncated {
            wire.send(chunk(&body[..body.len().div_ceil(2)]))?;
            return Ok(After::Close);
        }
        let mut chunks: Vec<u8> = body.chunks(7).flat_map(chunk).collect();
        chunks.extend_from_slice(b"0\r\nX-Trailer: here\r\n\r\n");
        wire.send(chunks)?;
        Ok(head.after)
    })
}

fn lying_length(usual: Response, lie: fn(usize) -> usize, after: After) -> Response {
    let length = lie(usual.body_bytes().len()).to_string();
    Response { after, ..usual.replace("Content-Length", length) }
}

fn endless_headers() -> Response {
    Response::script(|wire, _| {
        wire.send("HTTP/1.1 200 OK\r\n")?;
        for number in 0_u64.. {
            wire.send(format!("X-Filler-{number}: {}\r\n", "x".repeat(1000)))?;
        }
        Ok(After::Close)
    })
}

fn drip(usual: Response, pause: Duration) -> Response {
    Response::script(move |wire, request| {
        for byte in usual.to_bytes(request) {
            wire.send([byte])?;
            wire.pause(pause)?;
        }
        Ok(usual.after)
    })
}

fn informational(usual: Response, count: u64) -> Response {
    Response::script(move |wire, request| {
        for _ in 0..count {
            wire.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")?;
        }
        usual.write(wire, request)
    })
}
