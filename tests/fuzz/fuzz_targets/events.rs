//! Any bytes as Plex's event stream: no panic, and the same events whatever size of pieces they come in.
//!
//! The last byte is the size of the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::events;

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_last() else { return };
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(cut).max(1)).collect();
    let whole = events(&[bytes]);
    assert_eq!(events(&pieces), whole);
    // What comes after all that is understood once it has ended.
    let ended = events(&[bytes, b"\n\ndata: {}\n\n"]);
    assert_eq!(ended.last().map(String::as_str), Some("Ping"));
});
