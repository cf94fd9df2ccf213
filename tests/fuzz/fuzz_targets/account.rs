//! Any bytes as `sign_in.json`, `account.json` and `server.json`, a record separator (0x1E) between them: no panic; a
//! sign-in can be completed there and a server chosen, another sign-in keeps the choice, and signing out leaves nothing.
//!
//! `TMPDIR` had better be in memory.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::life;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("plexsync-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |&byte| byte == 0x1E);
    let files = [(); 3].map(|()| parts.next().unwrap_or_default());
    let life = life(&FOLDER, files);
    assert!(life.is_chosen && life.is_signed_in && life.is_kept && life.is_signed_out, "{life:?}");
});
