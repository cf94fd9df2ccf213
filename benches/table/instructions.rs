//! What the user's side of a start and of a call costs in instructions: valgrind counts the same on any machine.

use std::path::Path;

use crate::nginx::Nginx;
use crate::report::Table;
use crate::worker::{IDENTITY, WORKER, command, request, run};

/// Calls after the first one.
const MORE: usize = 300;

pub(crate) fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start();
    let url = nginx.as_ref().map_or("", |nginx| &nginx.http);
    row(table, "identity.get", |calls| counted(folder.path(), url, IDENTITY, calls));
    if nginx.is_some() {
        row(table, "plex.request", |calls| {
            counted(folder.path(), url, &request("/identity"), calls)
        });
    }
}

fn row(table: &mut Table, method: &str, count: impl Fn(usize) -> Option<u64>) {
    let name = format!("instructions, {method}");
    // The first run makes the identity.
    let Some((one, many)) = count(1).and_then(|_| Some((count(1)?, count(1 + MORE)?))) else {
        return table.note(&name, "skipped: valgrind is not installed");
    };
    let each = many.saturating_sub(one) / MORE as u64;
    table.note(&name, &format!("{one} with the start, {each} for each more"));
}

/// Instructions of a worker that gets this call so many times.
fn counted(folder: &Path, url: &str, call: &str, calls: usize) -> Option<u64> {
    let log = folder.join("valgrind");
    let mut valgrind = command(which("valgrind")?);
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(format!("--log-file={}", log.display())).arg(WORKER);
    valgrind.env("PLEXSYNC_DATA_DIR", folder.join("data"));
    valgrind.env("PLEX_URL", url).env("PLEX_TOKEN", "token");
    let (_, output) = run(&mut valgrind, format!("{call}\n").repeat(calls).as_bytes());
    assert_eq!(memchr::memchr_iter(b'\n', &output).count(), calls, "a reply for each call");
    let log = std::fs::read_to_string(log).ok()?;
    log.lines().find_map(|line| line.split_once("Collected :"))?.1.trim().parse().ok()
}

fn which(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
