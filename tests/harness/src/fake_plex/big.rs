//! Bodies of any size, made while they are sent.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::http::{After, Response, Wire};

/// How much is written at once.
const PIECE: usize = 64 * 1024;

/// What a big body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A listing in Plex's JSON.
    Json,
    /// A listing in Plex's XML.
    Xml,
    /// Bytes that are no text.
    Binary,
}

impl Kind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "text/xml;charset=utf-8",
            Self::Binary => "application/octet-stream",
        }
    }

    fn parts(self) -> Parts {
        match self {
            Self::Json => Parts {
                before: br#"{"MediaContainer":{"size":0,"Metadata":[{"ratingKey":"0"}"#,
                entry: |number| {
                    format!(r#",{{"ratingKey":"{number:09}","type":"movie","title":"Film {number:09}","addedAt":1600000000}}"#).into_bytes()
                },
                after: b"]}}",
            },
            Self::Xml => Parts {
                before: br#"<?xml version="1.0" encoding="UTF-8"?><MediaContainer size="0">"#,
                entry: |number| {
                    format!(r#"<Video ratingKey="{number:09}" type="movie" title="Film {number:09}" addedAt="1600000000"/>"#).into_bytes()
                },
                after: b"</MediaContainer>",
            },
            Self::Binary => Parts {
                before: b"",
                entry: |number| (number | 1 << 63).to_be_bytes().repeat(64),
                after: b"",
            },
        }
    }
}

/// A body: `before`, one `entry` after another, white space where none fits any more, `after`.
struct Parts {
    before: &'static [u8],
    entry: fn(u64) -> Vec<u8>,
    after: &'static [u8],
}

/// A body of exactly `bytes` bytes (at least some hundred).
pub(super) fn body(kind: Kind, bytes: u64) -> Response {
    Response::script(move |wire, request| {
        let length = bytes.to_string();
        wire.send_head(200, &[("Content-Type", kind.content_type()), ("Content-Length", &length)])?;
        if request.method != "HEAD" {
            write(kind, bytes, &mut |piece| wire.send(piece))?;
        }
        Ok(After::KeepAlive)
    })
}

fn write(kind: Kind, bytes: u64, send: &mut impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let Parts { before, entry, after } = kind.parts();
    let mut left = bytes.saturating_sub((before.len() + after.len()) as u64);
    let mut piece = before.to_vec();
    let mut number = 0;
    loop {
        number += 1;
        let next = entry(number);
        if next.len() as u64 > left {
            break;
        }
        left -= next.len() as u64;
        piece.extend(next);
        if piece.len() >= PIECE {
            send(&piece)?;
            piece.clear();
        }
    }
    piece.extend((0..left).map(|_| b' '));
    piece.extend_from_slice(after);
    send(&piece)
}

/// A small gzip body that becomes `bytes` bytes of legal JSON: a thousand times as much.
pub(super) fn gzip_bomb(bytes: u64) -> Response {
    Response::script(move |wire, _| {
        wire.send_head(
            200,
            &[
                ("Content-Type", "application/json"),
                ("Content-Encoding", "gzip"),
                ("Transfer-Encoding", "chunked"),
            ],
        )?;
        let mut encoder = GzEncoder::new(Chunks(wire), Compression::best());
        encoder.write_all(b"[")?;
        let blank = vec![b' '; PIECE];
        let mut left = bytes.saturating_sub(2);
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            encoder.write_all(&blank[..count])?;
            left -= count as u64;
        }
        encoder.write_all(b"]")?;
        encoder.finish()?.0.send(b"0\r\n\r\n")?;
        Ok(After::KeepAlive)
    })
}

/// Sends what is written as chunks (RFC 9112, section 7.1).
struct Chunks<'a, 'b>(&'a mut Wire<'b>);

impl Write for Chunks<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            self.0.send(chunk(bytes))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One chunk.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
