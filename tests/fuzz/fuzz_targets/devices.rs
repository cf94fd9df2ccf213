//! Any bytes as plex.tv's list of devices, at any time of the clock: no panic; no token is shown that is not part of a
//! text that was sent for showing; this device, one whose token is used, one that serves or plays, and one that nobody
//! is known to leave behind are never removed, not even by force; and an id that goes into a path is a number.
//!
//! The first eight bytes are the clock.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::devices;

const OWN: &str = "own-identifier";
const USED: [&str; 6] =
    ["server", "client", "player", "pubsub-player", "sync-target", "provider-playback"];

fuzz_target!(|input: &[u8]| {
    let Some((now, body)) = input.split_first_chunk() else { return };
    let Some(devices) = devices(body, OWN, i64::from_le_bytes(*now)) else { return };
    for (device, token, goes) in devices {
        let is_own = device.device_id == OWN || token == OWN;
        let is_used = device.provides.split(',').any(|what| USED.contains(&what.trim()));
        let is_kept = is_own || is_used || device.phantom.is_none();
        assert!(!is_kept || device.kept_because.is_some(), "{device:?}");
        assert!(!goes || !is_kept, "{device:?}");
        assert!(!goes || !device.id.is_empty() && device.id.bytes().all(|it| it.is_ascii_digit()));
        let texts = [&device.name, &device.product, &device.platform, &device.version];
        assert!(texts.iter().all(|text| !text.chars().any(char::is_control)), "{device:?}");
        serde_json::to_string(&device).expect("JSON");
    }
});
