//! Any bytes as an XML body: no panic, and what is accepted becomes one line of JSON, not much longer than the body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = plexsync_worker::fuzzing::xml_to_json(bytes) else { return };
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&json).is_ok());
    assert!(!json.contains(&b'\n'));
    // A control character in UTF-16 may take six characters; an empty element takes `"a":[{}]`.
    assert!(json.len() <= 16 * bytes.len() + 64);
});
