//! Any bytes from a host: no panic, the same answers whatever size of pieces they come in, and each answer is JSON.
//!
//! The last byte but one tells the framing and the longest message, the last one the size of the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::{Framing, answers};

fuzz_target!(|input: &[u8]| {
    let Some((bytes, &[choice, cut])) = input.split_last_chunk() else { return };
    let framing = [None, Some(Framing::Lines), Some(Framing::Headers)][usize::from(choice % 3)];
    // The least that the option takes is as long as what is shown of a message that is too long.
    let max_message = [64, 256, 4096][usize::from(choice / 3 % 3)];
    let whole = answers(framing, max_message, &[bytes]);
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(cut).max(1)).collect();
    assert_eq!(answers(framing, max_message, &pieces), whole);
    for answer in whole.iter().flatten() {
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(answer).is_ok());
    }
});
