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
    /// One that nobody asked for, or several at once.
    Unknown,
}

/// Why there is no decompressed body.
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
    /// The body has ended; what stands behind is ignored, as gzip does.
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
            // An empty body is no broken one.
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
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"{\"MediaContainer\":{\"size\":0}}";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut &bytes[..], &mut out, &Default::default()).unwrap();
        out
    }

    fn all(bytes: &[u8]) -> [(&'static str, Vec<u8>); 4] {
        [
            ("gzip", gzip(bytes)),
            ("deflate", zlib(bytes)),
            ("deflate", raw_deflate(bytes)),
            ("br", brotli(bytes)),
        ]
    }

    fn in_chunks(name: &str, body: &[u8], max_bytes: u64, size: usize) -> Result<Vec<u8>, Failure> {
        let mut decompressor = Decompressor::new(Coding::of(name), max_bytes).unwrap();
        for chunk in body.chunks(size) {
            decompressor.push(chunk);
            while decompressor.advance()? {}
        }
        decompressor.finish()
    }

    /// The outcome, which is the same in chunks of any size.
    fn decompress(name: &str, body: &[u8], max_bytes: u64) -> Result<Vec<u8>, Failure> {
        let outcome = in_chunks(name, body, max_bytes, usize::MAX);
        for size in [1, 2, 7, 1000] {
            assert_eq!(in_chunks(name, body, max_bytes, size), outcome, "{name} by {size}");
        }
        outcome
    }

    #[test]
    fn codings_have_names_in_any_letter_case() {
        for (name, coding) in [
            ("", Coding::Identity),
            ("Identity", Coding::Identity),
            ("GZIP", Coding::Gzip),
            ("x-GZip", Coding::Gzip),
            (" identity , gzip", Coding::Gzip),
            ("Deflate", Coding::Deflate),
            ("BR", Coding::Brotli),
            ("zstd", Coding::Unknown),
            ("gzip, gzip", Coding::Unknown),
        ] {
            assert_eq!(Coding::of(name), coding, "{name}");
        }
    }

    #[test]
    fn bodies_come_back_whole_up_to_the_limit() {
        let long = b"0123456789".repeat(100_000);
        for text in [TEXT, &long, b""] {
            let length = text.len() as u64;
            for (name, body) in all(text) {
                assert_eq!(decompress(name, &body, length).as_deref(), Ok(text), "{name}");
                if length > 0 {
                    assert_eq!(decompress(name, &body, length - 1), Err(Failure::TooLarge));
                }
            }
        }
        assert_eq!(decompress("gzip", b"", 0).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_bomb_ends_at_the_limit_and_is_no_more_than_a_piece_larger() {
        for (name, body) in all(&vec![b' '; 4 << 20]) {
            let mut decompressor = Decompressor::new(Coding::of(name), 1_000_000).unwrap();
            decompressor.push(&body);
            let outcome = (0..100).find_map(|_| decompressor.advance().err());
            assert_eq!(outcome, Some(Failure::TooLarge), "{name}");
            assert!(decompressor.out.len() <= 1_000_000 + PIECE, "{name}");
        }
    }

    #[test]
    fn every_member_of_a_gzip_body_counts_and_nothing_behind_the_last() {
        let two = [gzip(b"[1,"), gzip(b"2]")].concat();
        assert_eq!(decompress("gzip", &two, 5).as_deref(), Ok(&b"[1,2]"[..]));
        assert_eq!(decompress("gzip", &two, 4), Err(Failure::TooLarge));
        let padded = [gzip(TEXT), vec![0; 512]].concat();
        assert_eq!(decompress("gzip", &padded, 100).as_deref(), Ok(TEXT));
    }

    #[test]
    fn a_body_that_is_cut_or_is_none_is_damaged() {
        for (name, body) in all(TEXT) {
            for length in 1..body.len() {
                let outcome = decompress(name, &body[..length], 1000);
                assert_eq!(outcome, Err(Failure::Damaged), "{name}: {length} of {}", body.len());
            }
        }
        for name in ["gzip", "deflate", "br"] {
            assert_eq!(decompress(name, b"{\"MediaContainer\":{}}", 1000), Err(Failure::Damaged));
        }
        let mut flipped = gzip(TEXT);
        flipped[12] ^= 0xff;
        assert_eq!(decompress("gzip", &flipped, 1000), Err(Failure::Damaged));
    }
}
