//! Streams as POSIX has them.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};

/// What a person at a terminal types to end the input.
pub const END_OF_INPUT: &str = "Ctrl-D";

/// No core dumps; and on Linux other processes of the user can't read this one's environment and memory, where a token
/// may be (prctl(2), `PR_SET_DUMPABLE`).
pub fn keep_secrets_in_memory() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A sandbox that refuses this is no reason to stop.
    let _ignored = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ignored =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Takes stdout for replies alone. From now on descriptor 1 is stderr: a stray print can't reach the host.
///
/// # Errors
/// When no descriptor is free.
pub fn take_stdout() -> io::Result<Replies> {
    let replies = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(Replies { file: File::from(replies), widened: false })
}

/// Stdout, for replies.
pub struct Replies {
    file: File,
    widened: bool,
}

/// Largest pipe of an unprivileged process, in bytes (pipe(7), `/proc/sys/fs/pipe-max-size`).
#[cfg(target_os = "linux")]
const WIDE_PIPE: usize = 1024 * 1024;

impl Replies {
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, widened: self.widened })
    }

    /// A 50 MB reply through a 64 KiB pipe costs about 800 context switches; enlarges the pipe.
    fn widen(&mut self) {
        self.widened = true;
        // Refused if stdout is not a pipe or the user's pipes are large already: then it is slower.
        #[cfg(target_os = "linux")]
        let _ignored = rustix::pipe::fcntl_setpipe_size(&self.file, WIDE_PIPE);
    }
}

/// A longer write enlarges the pipe: pieces of large bodies are some megabytes.
const LONG_WRITE: usize = 256 * 1024;

impl Write for Replies {
    /// Waits while the pipe is full, even if it is non-blocking: a parent that shares it may have set that.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > LONG_WRITE && !self.widened {
            self.widen();
        }
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // An error shows at the next write.
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
/// When no descriptor is free.
pub fn stdin() -> io::Result<File> {
    rustix::stdio::stdin().try_clone_to_owned().map(File::from)
}

/// Stderr for what a person is told.
pub fn stderr() -> impl Write {
    Stderr::default()
}

pub fn stderr_is_terminal() -> bool {
    rustix::stdio::stderr().is_terminal()
}

pub fn stdin_is_terminal() -> bool {
    rustix::stdio::stdin().is_terminal()
}

/// Stderr that never blocks for long: a line that the host does not read in time is refused, whole, with
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

/// poll(2) promises room for `PIPE_BUF` bytes only. Other streams than pipes are not limited.
#[cfg(target_os = "linux")]
fn pipe_takes(stderr: BorrowedFd<'_>, length: usize) -> bool {
    let Ok(size) = rustix::pipe::fcntl_getpipe_size(stderr) else { return true };
    let unread = rustix::io::ioctl_fionread(stderr).map_or(0, |unread| unread as usize);
    length <= rustix::pipe::PIPE_BUF || unread + length <= size || (unread == 0 && length > size)
}

#[cfg(not(target_os = "linux"))]
fn pipe_takes(_: BorrowedFd<'_>, _: usize) -> bool {
    true
}

/// Writes all of it; a signal does not end it.
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

/// To be called before [`take_stdout`].
pub fn stdout_is_terminal() -> bool {
    rustix::stdio::stdout().is_terminal()
}

/// Whether stdout is a terminal that understands escape sequences. To be called before [`take_stdout`].
pub fn stdout_takes_colour() -> bool {
    stdout_is_terminal()
}

/// Columns of the terminal that stdout is; none if it is no terminal. To be called before [`take_stdout`].
pub fn stdout_width() -> Option<usize> {
    let stdout = rustix::stdio::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(stdout))?;
    // Some terminals don't know.
    Some(size.ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 0).unwrap_or(80))
}
