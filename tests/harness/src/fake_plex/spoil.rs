//! Answers that no server should give, made of those that it should.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::big::chunk;
use super::fault::Encoding;
use super::plex_response;
use crate::http::{After, Response, Wire};

pub(super) fn json(body: impl AsRef<[u8]>) -> Response {
    plex_response(200).header("Content-Type", "application/json").body(body.as_ref())
}

pub(super) fn xml(body: &str) -> Response {
    plex_response(200).header("Content-Type", "text/xml;charset=utf-8").body(body)
}

pub(super) fn maintenance() -> Response {
    let status = "Plex Media Server is currently running database migrations.";
    let body = format!("<Response code=\"503\" title=\"Maintenance\" status=\"{status}\"/>");
    plex_response(503).header("Content-Type", "text/xml;charset=utf-8").body(body)
}

pub(super) fn rate_limited(retry_after: Option<String>) -> Response {
    let body = r#"{"errors":[{"code":1003,"message":"API rate limit exceeded","status":429}]}"#;
    let response = Response::text(429, "application/json; charset=utf-8", body);
    match retry_after {
        Some(when) => response.header("Retry-After", when),
        None => response,
    }
}

pub(super) fn without(mut response: Response, name: &str) -> Response {
    response.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    response
}

pub(super) fn encoded(usual: Response, encoding: Encoding) -> Response {
    let (name, body) = encode(usual.body_bytes(), encoding);
    let original = usual.body_bytes().len().to_string();
    usual
        .header("Content-Encoding", name)
        .header("X-Plex-Content-Original-Length", original)
        .header("X-Plex-Content-Compressed-Length", body.len().to_string())
        .body(body)
}

pub(super) fn encode(body: &[u8], encoding: Encoding) -> (&'static str, Vec<u8>) {
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

pub(super) fn cut_gzip(usual: Response) -> Response {
    let (name, mut body) = encode(usual.body_bytes(), Encoding::Gzip);
    body.truncate(body.len() / 2);
    usual.header("Content-Encoding", name).body(body)
}

pub(super) fn late(usual: Response, time: Duration) -> Response {
    let status = usual.status();
    let late = Response::script(move |wire, request| {
        wire.pause(time)?;
        usual.write(wire, request)
    });
    Response { status, ..late }
}

pub(super) fn raw(bytes: &'static str) -> Response {
    Response::script(move |wire, _| wire.send(bytes).map(|()| After::Close))
}

/// The usual answer up to the middle of its body, then `rest`.
pub(super) fn half(usual: Response, rest: fn(&mut Wire<'_>) -> io::Result<After>) -> Response {
    Response::script(move |wire, request| {
        let bytes = usual.to_bytes(request);
        let body = if request.method == "HEAD" { 0 } else { usual.body_bytes().len() };
        wire.send(&bytes[..bytes.len() - body.div_ceil(2)])?;
        rest(wire)
    })
}

/// Gives the head a chance to be read before the reset overtakes it.
pub(super) fn reset_soon(wire: &mut Wire<'_>) -> io::Result<After> {
    wire.pause(Duration::from_millis(50))?;
    Ok(After::Reset)
}

pub(super) fn in_chunks(usual: Response, truncated: bool) -> Response {
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

pub(super) fn lying_length(usual: Response, lie: fn(usize) -> usize, after: After) -> Response {
    let length = lie(usual.body_bytes().len()).to_string();
    Response { after, ..usual.replace("Content-Length", length) }
}

pub(super) fn endless_headers() -> Response {
    Response::script(|wire, _| {
        wire.send("HTTP/1.1 200 OK\r\n")?;
        for number in 0_u64.. {
            wire.send(format!("X-Filler-{number}: {}\r\n", "x".repeat(1000)))?;
        }
        Ok(After::Close)
    })
}

pub(super) fn drip(usual: Response, pause: Duration) -> Response {
    Response::script(move |wire, request| {
        for byte in usual.to_bytes(request) {
            wire.send([byte])?;
            wire.pause(pause)?;
        }
        Ok(usual.after)
    })
}

pub(super) fn informational(usual: Response, count: u64) -> Response {
    Response::script(move |wire, request| {
        for _ in 0..count {
            wire.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")?;
        }
        usual.write(wire, request)
    })
}
