//! Streams as POSIX has them.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, setrlimit};

/// No core dumps; and on Linux nobody else reads this process's environment and memory, where a token may be
/// (prctl(2), `PR_SET_DUMPABLE`).
pub fn keep_secrets_in_memory() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Both are refused nowhere; a sandbox that does is no reason not to work.
    let _ignored = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ignored =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Takes stdout for replies alone. From now on descriptor 1 is stderr: a stray print can't reach the host.
///
/// # Errors
/// When there is no descriptor to be had.
pub fn take_stdout() -> io::Result<Replies> {
    let replies = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(Replies { file: File::from(replies), widened: false })
}

/// Where replies go.
pub struct Replies {
    file: File,
    widened: bool,
}

/// What an unprivileged process may make of a pipe (pipe(7), `/proc/sys/fs/pipe-max-size`).
#[cfg(target_os = "linux")]
const WIDE_PIPE: usize = 1024 * 1024;

impl Replies {
    /// Another handle.
    ///
    /// # Errors
    /// When there is no descriptor to be had.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, widened: self.widened })
    }

    /// Fifty megabytes through a pipe of 64 KiB are 800 times two processes waiting for each other.
    fn widen(&mut self) {
        self.widened = true;
        // Refused where stdout is no pipe, or where the user's pipes are large already: then it goes as it went.
        #[cfg(target_os = "linux")]
        let _ignored = rustix::pipe::fcntl_setpipe_size(&self.file, WIDE_PIPE);
    }
}

/// A write longer than this is worth a wider pipe: large bodies come in pieces of some megabytes.
const LONG_WRITE: usize = 256 * 1024;

impl Write for Replies {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > LONG_WRITE && !self.widened {
            self.widen();
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Replies {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Stdin, unbuffered.
///
/// # Errors
/// When there is no descriptor to be had.
pub fn stdin() -> io::Result<OwnedFd> {
    rustix::stdio::stdin().try_clone_to_owned()
}

/// Stdin, for those who read it to its end.
///
/// # Errors
/// When there is no descriptor to be had.
pub fn readable_stdin() -> io::Result<File> {
    stdin().map(File::from)
}

/// A guess at who reads the log.
pub fn stderr_is_terminal() -> bool {
    rustix::stdio::stderr().is_terminal()
}

/// Whether a person types.
pub fn stdin_is_terminal() -> bool {
    rustix::stdio::stdin().is_terminal()
}

/// Stderr that never holds anybody up: what a full pipe does not take is dropped.
pub struct Stderr;

/// What poll(2) promises that a pipe takes at once (pipe(7), `PIPE_BUF`).
const PIPE_BUF: usize = 4096;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stderr = rustix::stdio::stderr();
        for piece in bytes.chunks(PIPE_BUF) {
            let mut polled = [PollFd::new(&stderr, PollFlags::OUT)];
            if poll(&mut polled, Some(&Timespec::default()))? == 0 {
                break;
            }
            rustix::io::write(stderr.as_fd(), piece)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a person sees the results. To be asked before [`take_stdout`].
pub fn stdout_is_terminal() -> bool {
    rustix::stdio::stdout().is_terminal()
}
