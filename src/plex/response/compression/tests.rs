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
