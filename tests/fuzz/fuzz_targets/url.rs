//! Any server and path: a URL that results is the server's, holds no user, no fragment, and neither token nor identity.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (server, path) = texts;
    let Ok(joined) = plexsync_worker::fuzzing::join(server, path) else { return };
    assert!(joined.same_origin, "another origin");
    assert!(joined.bare, "a user, a password or a fragment");
    for name in joined.names {
        let name = name.to_ascii_lowercase();
        assert!(name != "x-plex-token" && name != "x-plex-client-identifier", "{name}");
    }
});
