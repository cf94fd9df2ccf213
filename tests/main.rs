//! What a host may rely on, each promise a test. One file per promise; `tidy` sees that none is forgotten here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test that can't go on fails"
)]

mod awake;
mod bodies;
mod client;
mod clients;
mod cold_path;
mod command_line;
mod devices;
mod doctor;
mod empty_root;
mod example_hosts;
mod fakeplex;
mod find;
mod fixtures;
mod hostile;
mod identity;
mod large_bodies;
mod lifecycle;
mod messages;
mod node_package;
mod openrpc;
mod package;
mod pages;
mod platforms;
mod python_package;
mod readme;
mod recipes;
mod release;
mod request;
mod retries;
mod scan;
mod secrets;
mod shell;
mod servers;
mod servers_in_sight;
mod sign_in;
mod stash_go;
mod stash_log;
mod stash_outbox;
mod stash_plugin;
mod stash_scan;
mod stash_sign_in;
mod stdio;
mod terminal;
mod tidy;
mod tls;
mod transcripts;
mod wait;
mod windows;

use std::path::{Path, PathBuf};

use plexsync_harness::{Host, HostBuilder, skip};

/// The worker that was built with these tests, or another build of it that `PLEXSYNC_WORKER` names.
fn host() -> HostBuilder {
    Host::builder()
}

fn worker() -> PathBuf {
    Host::find_binary()
}

/// The worker, if it is static: a dynamic program names near its beginning what loads it.
#[cfg(target_os = "linux")]
fn static_worker() -> Option<PathBuf> {
    use std::io::Read;

    let mut beginning = Vec::new();
    let file = std::fs::File::open(worker()).unwrap();
    file.take(4096).read_to_end(&mut beginning).unwrap();
    if !String::from_utf8_lossy(&beginning).contains("/ld-") {
        return Some(worker());
    }
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    skip(format_args!(
        "the worker is not static, `.ci/platforms {target}` builds one and tries it"
    ));
    None
}

/// An example of this package, which `cargo test` builds; none where only one test target was built: it is missing, or
/// of other sources than these, and might be waited for in vain.
fn example(name: &str) -> Option<PathBuf> {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_plexsync-worker"));
    let program = built.with_file_name("examples").join(name);
    let sources = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let is_newer = |source: &str| changed(Path::new(source)) > changed(&program);
    if program.is_file() && !sources.split_whitespace().skip(1).any(is_newer) {
        return Some(program);
    }
    skip(format_args!(
        "`{name}` is not built of these sources: `cargo build --examples` does, `cargo test --test` doesn't"
    ));
    None
}
