//! What can go wrong between a client and Plex, each at will.

use std::time::Duration;

use super::big::{self, Kind};
use super::plex_response;
use super::spoil::{
    cut_gzip, drip, encoded, endless_headers, half, in_chunks, informational, json, late,
    lying_length, maintenance, rate_limited, raw, reset_soon, without, xml,
};
use crate::http::{After, Request, Response};

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

    pub(crate) fn fits(&self, request: &Request) -> bool {
        request.target.starts_with(&self.prefix)
    }

    pub(crate) fn take(&mut self) -> Fault {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.fault.clone()
    }

    pub(crate) fn is_used_up(&self) -> bool {
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
    pub(crate) fn apply(self, usual: Response) -> Response {
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
