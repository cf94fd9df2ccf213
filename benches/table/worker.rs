//! Processes: plain `Command`s for everybody, with an empty environment.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

pub(crate) const WORKER: &str = env!("CARGO_BIN_EXE_plexsync-worker");
pub(crate) const IDENTITY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"identity.get"}"#;

/// A `plex.request` line for this path.
pub(crate) fn request(path: &str) -> String {
    request_with(path, "")
}

/// A `plex.request` line for this path with more params, each with a comma before it.
pub(crate) fn request_with(path: &str, more: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"plex.request","params":{{"path":"{path}"{more}}}}}"#
    )
}

/// A command with an empty environment.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// The worker with a data folder and a configured server. It has no arguments, as where Stash starts it.
pub(crate) fn worker(data: &Path, url: &str) -> Command {
    program(Path::new(WORKER), data, url)
}

/// Another build of it.
pub(crate) fn program(program: &Path, data: &Path, url: &str) -> Command {
    let mut command = command(program);
    command.env("PLEXSYNC_DATA_DIR", data).env("PLEX_URL", url).env("PLEX_TOKEN", "token");
    command
}

/// Seconds from the start of a process to its end, and what it wrote. All have the same pipes.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> (f64, Vec<u8>) {
    let begin = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // A program that reads nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input);
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    let status = child.wait().unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?}: {status}");
    (seconds, output)
}

/// Milliseconds from start to end of a process whose answer holds `expected`.
pub(crate) fn milliseconds(command: &mut Command, input: &str, expected: &str) -> f64 {
    let (seconds, output) = run(command, format!("{input}\n").as_bytes());
    let output = String::from_utf8_lossy(&output);
    assert!(output.contains(expected), "{command:?}: {output}");
    seconds * 1e3
}

/// A process that goes on: lines in, lines out.
#[derive(Debug)]
pub(crate) struct Living {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Living {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::with_capacity(256 * 1024, child.stdout.take().unwrap());
        Self { child, stdin, stdout, line: Vec::new() }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The next line.
    pub(crate) fn reply(&mut self) -> &[u8] {
        self.line.clear();
        assert!(self.stdout.read_until(b'\n', &mut self.line).unwrap() > 0, "it has ended");
        &self.line
    }

    /// One call and its reply, in seconds.
    pub(crate) fn call(&mut self, line: &str) -> f64 {
        let begin = Instant::now();
        self.send(&format!("{line}\n"));
        self.reply();
        begin.elapsed().as_secs_f64()
    }

    /// One call whose reply may be large: read and forgotten but for its end, as `-o /dev/null` does. In seconds.
    pub(crate) fn call_and_forget(&mut self, line: &str) -> f64 {
        const END: usize = 1500;
        let begin = Instant::now();
        self.send(&format!("{line}\n"));
        self.line.clear();
        while self.line.last() != Some(&b'\n') {
            let piece = self.stdout.fill_buf().unwrap();
            assert!(!piece.is_empty(), "it has ended");
            let length = piece.len();
            let forgotten = (self.line.len() + length.min(END)).saturating_sub(2 * END);
            self.line.drain(..forgotten.min(self.line.len()));
            self.line.extend_from_slice(&piece[length.saturating_sub(END)..]);
            self.stdout.consume(length);
        }
        begin.elapsed().as_secs_f64()
    }

    /// Asserts that the last reply holds this at one of its ends: what is between may be large.
    pub(crate) fn expect_last(&self, expected: &str) {
        let size = self.line.len();
        let ends = [&self.line[..size.min(1500)], &self.line[size.saturating_sub(1500)..]];
        let ends = ends.map(String::from_utf8_lossy);
        assert!(ends.iter().any(|end| end.contains(expected)), "no {expected}: {ends:?}");
    }

    /// Sends `text` from a thread while `count` lines are read, in seconds.
    pub(crate) fn pipelined(&mut self, text: &[u8], count: usize) -> f64 {
        let Self { stdin, stdout, .. } = self;
        let stdin = stdin.as_mut().unwrap();
        let begin = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(text).unwrap());
            let mut left = count;
            while left > 0 {
                let bytes = stdout.fill_buf().unwrap();
                assert!(!bytes.is_empty(), "it has ended, {left} replies are missing");
                left -= memchr::memchr_iter(b'\n', bytes).count().min(left);
                let read = bytes.len();
                stdout.consume(read);
            }
        });
        begin.elapsed().as_secs_f64()
    }

    /// A field of `/proc/<pid>/status` that is in kB, in MB (of 1000 kB).
    pub(crate) fn memory(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        let kib: f64 = line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap();
        kib * 1024.0 / 1e6
    }

    /// Closes its stdin and waits for its end.
    pub(crate) fn end(mut self) {
        drop(self.stdin.take());
        self.child.wait().unwrap();
    }
}
