//! Any bytes from a host: no panic, the same answers whatever size of pieces they come in, and each answer is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let whole = plexsync_worker::fuzzing::answers(&[bytes]);
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(cut).max(1)).collect();
    assert_eq!(plexsync_worker::fuzzing::answers(&pieces), whole);
    for answer in whole.iter().flatten() {
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(answer).is_ok());
    }
});
