//! Any bytes as `scans.json`, at any time of the clock: no panic, and a folder that changes is noted, then taken.
//!
//! The first eight bytes are the clock.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((now, bytes)) = input.split_first_chunk() else { return };
    let Some(course) = plexsync_worker::fuzzing::course(bytes, i64::from_le_bytes(*now)) else { return };
    assert!(course.is_noted && course.is_kept && course.is_taken, "{course:?}");
});
