//! One trial: a worker is started on a folder, asked, and what it told is compared with what it finds the next time.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use plexsync_harness::{Host, skip};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const GET: &str = r#"{"jsonrpc":"2.0","id":1,"method":"identity.get"}"#;
pub(crate) const RESET: &str = r#"{"jsonrpc":"2.0","id":2,"method":"identity.reset"}"#;
/// The id of a folder that was lived in before the trial.
pub(crate) const OLD: &str = "PRE-EXISTING";

/// The worker that was built with these tests, or another build of it that `PLEXSYNC_WORKER` names.
pub(crate) fn worker() -> &'static str {
    static WORKER: LazyLock<String> =
        LazyLock::new(|| Host::find_binary().into_os_string().into_string().unwrap());
    &WORKER
}

/// What a worker told before it ended.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) replies: Vec<Value>,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
}

impl Told {
    pub(crate) fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        Self {
            // The last line of a killed worker may be cut: nobody was told anything by it.
            replies: text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status,
        }
    }

    /// The id that the reply to the call `call` tells.
    pub(crate) fn id(&self, call: u64) -> Option<String> {
        Some(self.reply(call)?["result"]["device_id"].as_str()?.to_owned())
    }

    /// The code of the error that the call `call` got.
    pub(crate) fn code(&self, call: u64) -> Option<i64> {
        self.reply(call)?["error"]["code"].as_i64()
    }

    pub(crate) fn reply(&self, call: u64) -> Option<&Value> {
        self.replies.iter().find(|reply| reply["id"] == call)
    }

    pub(crate) fn panicked(&self) -> bool {
        self.stderr.contains("panicked") || self.status.code() == Some(101)
    }
}

/// A worker on `folder` behind the words of `prefix`, without any variable of this process but `PATH`.
pub(crate) fn command(prefix: &[&str], program: &str, folder: &Path) -> Command {
    // A worker that hangs is a failure with a name, not a test that never ends. Ten million calls take minutes.
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "900"]).args(prefix).arg(program).arg("--data-dir").arg(folder);
    command.env_clear().env("PATH", path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn path() -> OsString {
    variable("PATH").unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "what a trial needs is found where this test's is")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Gives a worker its lines and the end of input. It may be dead by then.
pub(crate) fn feed(child: &mut Child, lines: &[&str]) {
    let _dead = child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes());
}

pub(crate) fn ask_behind(prefix: &[&str], folder: &Path, lines: &[&str]) -> Told {
    ask_program(prefix, worker(), folder, lines)
}

pub(crate) fn ask_program(prefix: &[&str], program: &str, folder: &Path, lines: &[&str]) -> Told {
    let mut child = command(prefix, program, folder).spawn().unwrap();
    feed(&mut child, lines);
    Told::of(&child.wait_with_output().unwrap())
}

pub(crate) fn ask(folder: &Path, lines: &[&str]) -> Told {
    ask_behind(&[], folder, lines)
}

/// The id that an undisturbed worker finds.
pub(crate) fn id_of(folder: &Path) -> String {
    let told = ask(folder, &[GET]);
    told.id(1).unwrap_or_else(|| panic!("an undisturbed worker failed: {told:?}"))
}

/// A folder in memory where there is one: thousands of trials need no disk.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

pub(crate) fn main_file(folder: &Path) -> PathBuf {
    folder.join("device_id.json")
}

pub(crate) fn backup(folder: &Path) -> PathBuf {
    folder.join("device_id.json.bak")
}

/// The file as the Python plugin writes it.
pub(crate) fn file_of(id: &str) -> String {
    format!("{{\n  \"device_id\": \"{id}\"\n}}")
}

/// A folder that was lived in: the file and its backup.
pub(crate) fn lived_in(folder: &Path) {
    fs::write(main_file(folder), file_of(OLD)).unwrap();
    fs::write(backup(folder), file_of(OLD)).unwrap();
}

/// Where there is a file, it is not torn.
pub(crate) fn assert_whole(file: &Path) {
    let Ok(bytes) = fs::read(file) else { return };
    let whole = serde_json::from_slice::<Value>(&bytes).is_ok();
    assert!(whole, "{} is torn: {bytes:?}", file.display());
}

pub(crate) fn temporary_files(folder: &Path) -> usize {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count()
}

/// Whether every tool is there; a skip names the missing ones.
pub(crate) fn have(tools: &[&str]) -> bool {
    let missing: Vec<_> = tools.iter().copied().filter(|tool| !runs("which", &[tool])).collect();
    if !missing.is_empty() {
        skip(format_args!("not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Whether this is root, who may mount, and look at a worker that hides its memory; says so if not.
pub(crate) fn is_root() -> bool {
    let root = rustix_uid() == 0;
    if !root {
        skip("only root can mount, give files away, or look into a worker");
    }
    root
}

fn rustix_uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid()
}

pub(crate) fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Makes trials that mostly wait, four at a time; the sum of what they tell.
pub(crate) fn side_by_side<T: Sync>(trials: &[T], trial: impl Fn(&T) -> usize + Sync) -> usize {
    let next = AtomicUsize::new(0);
    let take = || trials.get(next.fetch_add(1, Ordering::Relaxed));
    thread::scope(|scope| {
        let some = || std::iter::from_fn(take).map(&trial).sum::<usize>();
        let workers = [(); 4].map(|()| scope.spawn(some));
        workers.map(|worker| worker.join().unwrap()).iter().sum()
    })
}

/// One line of the table. Where nothing was tried, nothing held.
pub(crate) fn row(fault: &str, how: &str, trials: usize, held: &str, figure: &str) {
    assert!(trials > 0, "{fault}, {how}: no trial");
    println!("| {fault} | {how} | {trials} | {held} | {figure} |");
}
