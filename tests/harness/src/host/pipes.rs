//! The worker's three pipes, each on a thread of its own: nothing that the worker does can block a test for ever.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Output, PATIENCE, Wire};

/// How often a thread that waits for the worker looks whether the host still wants it to.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes that a thread collects.
#[derive(Debug, Clone, Default)]
pub(super) struct Collected(Arc<Mutex<Vec<u8>>>);

impl Collected {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }

    pub(super) fn drain(&self, mut from: ChildStderr) -> JoinHandle<()> {
        let into = self.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(count @ 1..) = from.read(&mut piece) {
                into.lock().extend_from_slice(&piece[..count]);
            }
        })
    }
}

/// The worker's stdin.
pub(super) struct Input {
    pieces: Sender<Vec<u8>>,
    written: Receiver<io::Result<()>>,
    /// Pieces that nobody has waited for.
    unawaited: Cell<usize>,
}

impl Input {
    pub(super) fn new(mut stdin: ChildStdin) -> Self {
        let (pieces, to_write) = mpsc::channel::<Vec<u8>>();
        let (done, written) = mpsc::channel();
        std::thread::spawn(move || {
            for piece in to_write {
                if done.send(stdin.write_all(&piece).and_then(|()| stdin.flush())).is_err() {
                    break;
                }
            }
        });
        Self { pieces, written, unawaited: Cell::new(0) }
    }

    /// Writes, and waits until the pipe has taken it all; `None` when it did not in time.
    pub(super) fn write(&self, bytes: &[u8]) -> Option<io::Result<()>> {
        self.write_later(bytes);
        let mut last = None;
        for _ in 0..self.unawaited.take() {
            last = Some(self.written.recv_timeout(PATIENCE).ok()?);
        }
        last
    }

    /// Writes as the pipe takes it; nobody waits.
    pub(super) fn write_later(&self, bytes: &[u8]) {
        if self.pieces.send(bytes.to_vec()).is_ok() {
            self.unawaited.set(self.unawaited.get() + 1);
        }
    }
}

const READING: u8 = 0;
const PAUSED: u8 = 1;
const CLOSED: u8 = 2;

/// The worker's stdout, cut into messages.
pub(super) struct Replies {
    messages: Receiver<Vec<u8>>,
    mode: Arc<AtomicU8>,
    reader: Option<JoinHandle<()>>,
}

impl Replies {
    pub(super) fn new(stdout: ChildStdout, wire: Wire) -> Self {
        let (sender, messages) = mpsc::channel();
        let mode = Arc::new(AtomicU8::new(READING));
        let watched = Watched { stdout, mode: Arc::clone(&mode) };
        let reader = std::thread::spawn(move || {
            let mut from = BufReader::with_capacity(64 * 1024, watched);
            while let Ok(Some(message)) = next(&mut from, wire) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self { messages, mode, reader: Some(reader) }
    }

    /// The next message; `Ok(None)` at the end of output, `Err` when there is none in time.
    pub(super) fn next(&self, timeout: Duration) -> Result<Option<Vec<u8>>, ()> {
        match self.messages.recv_timeout(timeout) {
            Ok(message) => Ok(Some(message)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(None),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(()),
        }
    }

    pub(super) fn pause(&self) {
        self.mode.store(PAUSED, Ordering::SeqCst);
    }

    pub(super) fn resume(&self) {
        self.mode.store(READING, Ordering::SeqCst);
    }

    /// Closes the reading end, and returns when that is done.
    pub(super) fn close(&mut self) {
        self.mode.store(CLOSED, Ordering::SeqCst);
        if cfg!(unix)
            && let Some(reader) = self.reader.take()
        {
            let _ = reader.join();
        }
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.mode.store(CLOSED, Ordering::SeqCst);
    }
}

/// A stdout that can be left alone, or closed, while a thread waits for it.
struct Watched {
    stdout: ChildStdout,
    mode: Arc<AtomicU8>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.mode.load(Ordering::SeqCst) {
                // Looked at again: the wait may have outlasted a pause.
                READING if is_readable(&self.stdout)? => {
                    if self.mode.load(Ordering::SeqCst) == READING {
                        return self.stdout.read(buffer);
                    }
                }
                READING => {}
                PAUSED => std::thread::sleep(LOOK),
                _ => return Ok(0),
            }
        }
    }
}

#[cfg(unix)]
fn is_readable(stdout: &ChildStdout) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let timeout = Timespec::try_from(LOOK).map_err(io::Error::other)?;
    let mut watched = [PollFd::new(stdout, PollFlags::IN)];
    match poll(&mut watched, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn is_readable(_: &ChildStdout) -> io::Result<bool> {
    Ok(true)
}

/// The next message, without its framing; `None` at the end. What is left at the end counts as a message.
fn next(from: &mut impl BufRead, wire: Wire) -> io::Result<Option<Vec<u8>>> {
    match wire {
        Wire::Lines => line(from),
        Wire::Headers => framed(from),
    }
}

fn line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

fn framed(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    loop {
        let Some(header) = line(from)? else { return Ok(None) };
        let header = String::from_utf8_lossy(&header).into_owned();
        let Some((name, value)) = header.trim_end().split_once(':') else {
            match (header.trim_end(), length) {
                ("", Some(length)) => {
                    let mut message = vec![0; length];
                    from.read_exact(&mut message)?;
                    return Ok(Some(message));
                }
                // No framing at all: hand it over as it is, so that the test sees what the worker wrote.
                _ => return Ok(Some(header.into_bytes())),
            }
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
}

/// Waits for a child's end, and kills it when that takes too long.
pub(super) fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + timeout;
    loop {
        match child.try_wait().expect("the state of a child") {
            Some(status) => return Some(status),
            None if Instant::now() >= end => return None,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Feeds a child, and collects all that it says until its end.
pub(super) fn run_to_the_end(mut child: Child, input: Vec<u8>) -> Output {
    let mut stdin = child.stdin.take().expect("a piped stdin");
    let mut stdout = child.stdout.take().expect("a piped stdout");
    let errors = Collected::default();
    let draining = errors.drain(child.stderr.take().expect("a piped stderr"));
    // A worker that does not read its input is allowed to.
    std::thread::spawn(move || drop(stdin.write_all(&input)));
    let reading = std::thread::spawn(move || {
        let mut said = Vec::new();
        let _ = stdout.read_to_end(&mut said);
        said
    });
    let Some(status) = wait(&mut child, PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("the worker did not end within {PATIENCE:?}; stderr:\n{}", errors.text());
    };
    let stdout = reading.join().expect("the thread that reads stdout");
    let _ = draining.join();
    Output { status, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr: errors.text() }
}
