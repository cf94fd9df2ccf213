//! Any bytes as an XML body: no panic, and what is accepted becomes one line of JSON, not much longer than the body.
//!
//! The first line is the content type, which may declare a charset.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (Some(first), Some(bytes)) = (parts.next(), parts.next()) else { return };
    let content_type = String::from_utf8_lossy(first);
    let Ok(json) = plexsync_worker::fuzzing::xml_to_json(&content_type, bytes) else { return };
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&json).is_ok());
    assert!(!json.contains(&b'\n'));
    // A control character in UTF-16 may take six characters; an empty element takes `"a":[{}]`.
    assert!(json.len() <= 16 * bytes.len() + 64);
});
