//! Compressed bodies (RFC 9110, section 8.4.1): what was compressed, and back.

use std::io::{self, Read};

use brotli_decompressor::Decompressor;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::buffer;
use super::work::{PIECE, Stop, Stopped};

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
    Stopped,
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Damaged
    }
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

    /// Whether a body in it is decompressed here.
    pub(crate) fn is_known(self) -> bool {
        !matches!(self, Self::Identity | Self::Unknown)
    }

    /// Decompresses a whole body that has at most `max_bytes` then.
    pub(crate) fn decompress(
        self,
        body: &[u8],
        max_bytes: u64,
        stop: &Stop,
    ) -> Result<Vec<u8>, Failure> {
        let mut out = buffer::with_room(body.len());
        let mut rest = body;
        while !rest.is_empty() {
            match self {
                Self::Gzip => read(GzDecoder::new(&mut rest), &mut out, max_bytes, stop)?,
                Self::Brotli => read(Decompressor::new(rest, PIECE), &mut out, max_bytes, stop)?,
                Self::Deflate if has_zlib_header(rest) => {
                    read(ZlibDecoder::new(rest), &mut out, max_bytes, stop)?;
                }
                Self::Deflate => read(DeflateDecoder::new(rest), &mut out, max_bytes, stop)?,
                Self::Identity | Self::Unknown => return Err(Failure::Damaged),
            }
            // A gzip file may have several members; what else stands behind one is ignored, as gzip does.
            if self != Self::Gzip || !rest.starts_with(b"\x1f\x8b") {
                break;
            }
        }
        Ok(out)
    }
}

fn read(
    mut reader: impl Read,
    out: &mut Vec<u8>,
    max_bytes: u64,
    stop: &Stop,
) -> Result<(), Failure> {
    loop {
        stop.check()?;
        buffer::reserve(out, PIECE);
        let length = reader.by_ref().take(PIECE as u64).read_to_end(out)?;
        match (length, out.len() as u64) {
            (_, all) if all > max_bytes => return Err(Failure::TooLarge),
            (0, _) => return Ok(()),
            _ => {}
        }
    }
}

/// RFC 1950, section 2.2.
fn has_zlib_header(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
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

    fn decompress(name: &str, body: &[u8], max_bytes: u64) -> Result<Vec<u8>, Failure> {
        Coding::of(name).decompress(body, max_bytes, &Stop::default())
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
