//! A conversation that is under way, and what the system knows of the worker's process.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use serde_json::Value;

use crate::rig::{Told, command, runs, worker};

/// A worker that is spoken to message by message.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    heard: String,
}

impl Talk {
    pub(crate) fn start(prefix: &[&str], folder: &Path) -> Self {
        let mut child = command(prefix, worker(), folder).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, heard: String::new() }
    }

    /// Sends this, whole. The worker may be gone.
    pub(crate) fn say(&mut self, text: &str) {
        let _gone = self.input.as_mut().unwrap().write_all(text.as_bytes());
    }

    /// Waits for the next reply.
    pub(crate) fn reply(&mut self) -> Value {
        let begin = self.heard.len();
        self.output.read_line(&mut self.heard).unwrap();
        let line = &self.heard[begin..];
        serde_json::from_str(line).unwrap_or_else(|_| panic!("no reply, but {line:?}"))
    }

    /// Its two ends, for threads that write and read at once.
    pub(crate) fn ends(&mut self) -> (ChildStdin, &mut BufReader<ChildStdout>) {
        (self.input.take().unwrap(), &mut self.output)
    }

    pub(crate) fn process(&self) -> Process {
        Process::below(self.child.id()).unwrap()
    }

    /// The end of input; everything that was told, the replies that were waited for included.
    pub(crate) fn end(mut self) -> Told {
        drop(self.input.take());
        self.output.read_to_string(&mut self.heard).unwrap();
        self.hang_up()
    }

    /// Reads no more.
    pub(crate) fn hang_up(self) -> Told {
        drop((self.input, self.output));
        let mut output = self.child.wait_with_output().unwrap();
        output.stdout = self.heard.into_bytes();
        Told::of(&output)
    }
}

/// Waits for what must come; what never comes is a failure with a name.
pub(crate) fn wait_until(what: &str, mut come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !come() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: never");
        sleep(Duration::from_millis(1));
    }
}

/// The least that a full pipe holds, half of what it could: a write that does not fit into the last page begins another
/// (pipe(7)).
const FULL: u64 = 32 * 1024;

/// Waits until the worker can't go on writing: so much is there, and for a while no more comes.
pub(crate) fn wait_full(output: &BufReader<ChildStdout>) {
    let (mut before, mut looks) = (0, 0);
    wait_until("a full pipe", || {
        let held = ioctl_fionread(output.get_ref()).unwrap();
        looks = if held == before { looks + 1 } else { 0 };
        before = held;
        held >= FULL && looks > 20
    });
}

/// A running worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// The one that `timeout` has started.
    pub(crate) fn below(timeout: u32) -> Option<Self> {
        let children = format!("/proc/{timeout}/task/{timeout}/children");
        fs::read_to_string(children).ok()?.trim().parse().ok().map(Self)
    }

    pub(crate) fn signal(self, name: &str) -> bool {
        runs("kill", &["-s", name, &self.0.to_string()])
    }

    /// A line of its status(5), in the unit that is used there.
    pub(crate) fn status(self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let mut values =
            status.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        values.next().unwrap_or_default().trim().to_owned()
    }

    /// Memory, in KiB, as status(5) tells it under this name.
    pub(crate) fn memory(self, name: &str) -> u64 {
        self.status(name).trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn threads(self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.0)).unwrap().count()
    }

    /// Only root may look: the worker hides its memory, and this with it.
    pub(crate) fn open_files(self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap().count()
    }

    /// Gone, or dead and only not yet asked for by whoever has inherited it.
    pub(crate) fn has_ended(self) -> bool {
        let state = self.status("State");
        state.is_empty() || state.starts_with('Z')
    }
}
