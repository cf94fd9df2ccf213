//! Compressed bodies (RFC 9110, section 8.4.1), decompressed while they come.

use std::io::{self, BufRead, ErrorKind, Read};

use brotli_decompressor::Decompressor as BrotliDecoder;
use bytes::{Buf as _, BytesMut};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::buffer;
use super::work::PIECE;

/// The `Accept-Encoding` of each request that does not bring its own.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br";

/// A content coding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not compressed.
    #[default]
    Identity,
    Gzip,
    /// With zlib's header, as RFC 9110 has it, or without, as some servers have it.
    Deflate,
    Brotli,
    /// One that was not requested, or several at once.
    Unknown,
}

/// Why a body can't be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    TooLarge,
    Damaged,
}

impl Coding {
    /// The coding that a `Content-Encoding` names, in any letter case.
    pub(crate) fn of(content_encoding: &str) -> Self {
        let names = content_encoding.split(',').map(|name| name.trim().to_ascii_lowercase());
        let mut names = names.filter(|name| !name.is_empty() && name != "identity");
        match (names.next().as_deref(), names.next()) {
            (None, _) => Self::Identity,
            (Some("gzip" | "x-gzip"), None) => Self::Gzip,
            (Some("deflate"), None) => Self::Deflate,
            (Some("br"), None) => Self::Brotli,
            _ => Self::Unknown,
        }
    }
}

/// A compressed body while it comes.
pub(crate) struct Decompressor {
    coding: Coding,
    decoder: Decoder,
    out: Vec<u8>,
    max_bytes: u64,
}

enum Decoder {
    /// The first bytes say how to go on, and they have not come yet.
    Undecided(Input),
    Gzip(GzDecoder<Input>),
    Zlib(ZlibDecoder<Input>),
    Deflate(DeflateDecoder<Input>),
    Brotli(Box<BrotliDecoder<Input>>),
    /// The body has ended; what follows is ignored, as gzip does.
    Done,
}

/// What has come and was not read yet.
#[derive(Default)]
struct Input {
    bytes: BytesMut,
    has_ended: bool,
}

impl Decompressor {
    /// A body that has at most `max_bytes` when it is decompressed. None if it is not compressed, or not in a known way.
    pub(crate) fn new(coding: Coding, max_bytes: u64) -> Option<Self> {
        let decoder = Decoder::Undecided(Input::default());
        let is_known = !matches!(coding, Coding::Identity | Coding::Unknown);
        is_known.then_some(Self { coding, decoder, out: Vec::new(), max_bytes })
    }

    /// Takes the next bytes, to be followed by [`Self::advance`].
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        if let Some(input) = self.decoder.input() {
            input.bytes.extend_from_slice(chunk);
        }
    }

    /// Decompresses a piece of what has come; whether there may be more to do.
    pub(crate) fn advance(&mut self) -> Result<bool, Failure> {
        self.decide();
        buffer::reserve(&mut self.out, PIECE);
        let piece = Read::take(&mut self.decoder, PIECE as u64).read_to_end(&mut self.out);
        if self.out.len() as u64 > self.max_bytes {
            return Err(Failure::TooLarge);
        }
        match (piece, &mut self.decoder) {
            (Err(error), _) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            (Err(_), _) => Err(Failure::Damaged),
            (Ok(PIECE), _) => Ok(true),
            (Ok(_), Decoder::Done) => Ok(false),
            // A gzip file may have several members.
            (Ok(_), Decoder::Gzip(ended)) => {
                self.decoder = Decoder::Undecided(std::mem::take(ended.get_mut()));
                Ok(true)
            }
            (Ok(_), _) => {
                self.decoder = Decoder::Done;
                Ok(false)
            }
        }
    }

    /// The whole body; nothing more comes.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, Failure> {
        if let Some(input) = self.decoder.input() {
            input.has_ended = true;
        }
        while self.advance()? {}
        Ok(self.out)
    }

    /// Chooses the decoder when its first two bytes are there.
    fn decide(&mut self) {
        let Decoder::Undecided(input) = &mut self.decoder else { return };
        let is_first = self.out.is_empty();
        let start = match (&*input.bytes, input.has_ended) {
            ([first, second, ..], _) => [*first, *second],
            ([], true) => [0; 2],
            ([only], true) => [*only, 0],
            (_, false) => return,
        };
        let is_empty = input.bytes.is_empty();
        let input = std::mem::take(input);
        self.decoder = match self.coding {
            // An empty body is not a damaged one.
            _ if is_empty => Decoder::Done,
            Coding::Gzip if is_first || start == *b"\x1f\x8b" => {
                Decoder::Gzip(GzDecoder::new(input))
            }
            Coding::Deflate if is_zlib(start) => Decoder::Zlib(ZlibDecoder::new(input)),
            Coding::Deflate => Decoder::Deflate(DeflateDecoder::new(input)),
            Coding::Brotli => Decoder::Brotli(Box::new(BrotliDecoder::new(input, 4096))),
            Coding::Gzip | Coding::Identity | Coding::Unknown => Decoder::Done,
        };
    }
}

/// RFC 1950, section 2.2.
fn is_zlib(start: [u8; 2]) -> bool {
    start[0] & 0x0f == 8 && u16::from_be_bytes(start).is_multiple_of(31)
}

impl Decoder {
    fn input(&mut self) -> Option<&mut Input> {
        Some(match self {
            Self::Undecided(input) => input,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Done => return None,
        })
    }
}

impl Read for Decoder {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Undecided(_) => Err(ErrorKind::WouldBlock.into()),
            Self::Gzip(decoder) => decoder.read(piece),
            Self::Zlib(decoder) => decoder.read(piece),
            Self::Deflate(decoder) => decoder.read(piece),
            Self::Brotli(decoder) => decoder.read(piece),
            Self::Done => Ok(0),
        }
    }
}

/// Decoders stop at `WouldBlock`, and go on from there when there is more.
impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.bytes.is_empty() && !self.has_ended {
            true => Err(ErrorKind::WouldBlock.into()),
            false => Ok(&self.bytes),
        }
    }

    fn consume(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Read for Input {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(piece.len());
        self.bytes.copy_to_slice(&mut piece[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
