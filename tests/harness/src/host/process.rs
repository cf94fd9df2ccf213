//! The worker as a process: its end, its signals, its next life, its memory.

use std::process::ExitStatus;
use std::time::Duration;

use super::{Host, PATIENCE, pipes, spawned};

/// A signal for the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are POSIX's")]
pub enum Signal {
    Term,
    Int,
    Hup,
    Stop,
    Cont,
    Abort,
    Quit,
}

/// The worker's memory, in KiB, from `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// What it holds now (`VmRSS`).
    pub now: u64,
    /// The most that it ever held (`VmHWM`).
    pub peak: u64,
}

impl Host {
    /// Sends a signal.
    ///
    /// # Panics
    /// On systems without signals, and when the worker is gone.
    #[cfg(unix)]
    pub fn signal(&self, signal: Signal) {
        use rustix::process::{Pid, Signal as Posix, kill_process};
        let signal = match signal {
            Signal::Term => Posix::TERM,
            Signal::Int => Posix::INT,
            Signal::Hup => Posix::HUP,
            Signal::Stop => Posix::STOP,
            Signal::Cont => Posix::CONT,
            Signal::Abort => Posix::ABORT,
            Signal::Quit => Posix::QUIT,
        };
        let sent = kill_process(Pid::from_child(&self.child), signal);
        sent.unwrap_or_else(|error| panic!("no {signal:?} for the worker: {error}"));
    }

    /// Kills the worker (SIGKILL), and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether the worker has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Waits for the worker's end.
    ///
    /// # Panics
    /// When it has not ended after `timeout`.
    pub fn wait_exit(&mut self, timeout: Duration) -> ExitStatus {
        let ended = pipes::wait(&mut self.child, timeout);
        ended.unwrap_or_else(|| self.fail(&format!("the worker did not end within {timeout:?}")))
    }

    /// Ends the worker as a host should, by closing its stdin, and starts it again on the same data folder.
    ///
    /// # Panics
    /// When it does not end with success.
    pub fn restart(&mut self) {
        self.close_stdin();
        let status = self.wait_exit(PATIENCE);
        if !status.success() {
            self.fail(&format!("the worker ended with {status}"));
        }
        self.start_again();
    }

    /// Starts a worker in place of one that has ended, or kills the one that has not.
    pub fn start_again(&mut self) {
        self.kill();
        let (child, input, replies, draining) = spawned(&self.setup, &self.stderr);
        self.waiting.clear();
        (self.child, self.input, self.replies) = (child, Some(input), replies);
        self.draining = Some(draining);
    }

    /// All that the worker, and those before it, wrote to stderr so far. After the worker's end it is complete.
    pub fn stderr(&mut self) -> String {
        if self.child.try_wait().is_ok_and(|status| status.is_some())
            && let Some(draining) = self.draining.take()
        {
            let _ = draining.join();
        }
        self.stderr.text()
    }

    /// The worker's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The worker's memory. Where there is no `/proc` it is not known, which is said as of a skipped test, and 0.
    ///
    /// # Panics
    /// When the worker is gone.
    pub fn memory_kib(&self) -> Memory {
        if cfg!(not(target_os = "linux")) {
            crate::skip("memory is measured where there is `/proc`");
            return Memory { now: 0, peak: 0 };
        }
        let path = format!("/proc/{}/status", self.pid());
        let status =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("`{path}`: {error}"));
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number
                .and_then(|number| number.parse().ok())
                .unwrap_or_else(|| panic!("no `{name}` in `{path}`"))
        };
        Memory { now: field("VmRSS:"), peak: field("VmHWM:") }
    }
}
