//! Any server, path and query: a URL that results is the server's, holds no user, no fragment, and neither token nor
//! identity; and a call that tries to bring one of these is refused, whatever it is spelled like.
//!
//! The first line is the server, the second the path, each further one a member of `query`: `name=value`.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use plexsync_worker::fuzzing::join;
use serde_json::Value;

const OURS: [&str; 9] = [
    "X-Plex-Token",
    "X-Plex-Client-Identifier",
    "X-Plex-Product",
    "X-Plex-Version",
    "X-Plex-Platform",
    "X-Plex-Platform-Version",
    "X-Plex-Device",
    "X-Plex-Device-Name",
    "X-Plex-Provides",
];

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let (Some(server), Some(path)) = (lines.next(), lines.next()) else { return };
    let query: BTreeMap<String, Value> = lines.filter_map(member).collect();
    if let Ok(joined) = join(server, path, query) {
        assert!(joined.same_origin, "another origin");
        assert!(joined.bare, "a user, a password or a fragment");
        for part in joined.query.split(['&', ';']) {
            let name = part.split('=').next().unwrap_or_default().replace('+', " ");
            let name = percent_decode_str(&name).decode_utf8_lossy();
            assert!(!OURS.iter().any(|own| own.eq_ignore_ascii_case(name.trim())), "{part}");
        }
    }
    let name = disguised(text.as_bytes());
    assert!(join("http://h", &format!("/a?b&{name}=c"), BTreeMap::new()).is_err(), "{name}");
    assert!(join("http://h", "/a?b", BTreeMap::from([(name, "c".into())])).is_err());
});

/// A value that is no JSON is a string.
fn member(line: &str) -> Option<(String, Value)> {
    let (name, value) = line.split_once('=')?;
    Some((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

/// One of our names; each of these bytes tells how a letter of it is written.
fn disguised(choices: &[u8]) -> String {
    let (&which, ways) = choices.split_first().unwrap_or((&0, &[]));
    let letters = OURS[usize::from(which) % OURS.len()].chars();
    let ways = ways.iter().copied().chain(std::iter::repeat(0));
    letters.zip(ways).map(|(letter, way)| spelled(letter, way)).collect()
}

fn spelled(letter: char, way: u8) -> String {
    let letter = if way & 1 == 0 { letter } else { swapped(letter) };
    match way >> 1 & 3 {
        0 | 1 => letter.to_string(),
        2 => format!("%{:02X}", letter as u32),
        _ => format!("%{:02x}", letter as u32),
    }
}

fn swapped(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}
