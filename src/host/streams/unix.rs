//! Streams as POSIX has them.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::PIPE_BUF;
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
    /// Waits where the pipe is full, whether or not somebody has made it non-blocking: it may be shared with a parent
    /// that did so.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > LONG_WRITE && !self.widened {
            self.widen();
        }
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // Interrupted or not: the next write shows.
                    let _ignored = poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], None);
                }
                written => return written,
            }
        }
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

/// Stderr, which holds nobody up for long: a line that a host does not read within a moment is refused, whole, with
/// [`ErrorKind::WouldBlock`].
#[derive(Default)]
pub struct Stderr {
    stalled: bool,
}

/// How long a line waits for a host that does not read; the lines after it don't wait.
const PATIENCE: Duration = Duration::from_millis(100);

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let patience = if self.stalled { Duration::ZERO } else { PATIENCE };
        self.stalled = !has_room(line.len(), patience);
        if self.stalled {
            return Err(ErrorKind::WouldBlock.into());
        }
        write_all(line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until stderr takes `length` bytes in one piece.
fn has_room(length: usize, patience: Duration) -> bool {
    let stderr = rustix::stdio::stderr();
    let end = Instant::now() + patience;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        let ready = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&timeout));
        if ready.is_ok_and(|ready| ready > 0) && pipe_takes(stderr, length) {
            return true;
        }
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(left.min(Duration::from_millis(2)));
    }
}

/// poll(2) promises room for `PIPE_BUF` bytes only. What is no pipe takes what it takes.
#[cfg(target_os = "linux")]
fn pipe_takes(stderr: BorrowedFd<'_>, length: usize) -> bool {
    let Ok(size) = rustix::pipe::fcntl_getpipe_size(stderr) else { return true };
    let unread = rustix::io::ioctl_fionread(stderr).map_or(0, |unread| unread as usize);
    length <= PIPE_BUF || unread + length <= size || (unread == 0 && length > size)
}

#[cfg(not(target_os = "linux"))]
fn pipe_takes(_: BorrowedFd<'_>, _: usize) -> bool {
    true
}

/// Writes all of it, whatever signals come between. A reader that has gone is no reason to stop.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    let stderr = rustix::stdio::stderr();
    while !bytes.is_empty() {
        match rustix::io::write(stderr, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a person sees the results. To be asked before [`take_stdout`].
pub fn stdout_is_terminal() -> bool {
    rustix::stdio::stdout().is_terminal()
}
