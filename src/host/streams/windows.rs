//! Streams as Windows has them: the standard library turns a console's UTF-16 into UTF-8 and back.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// What a person at a console types to end the input.
pub const END_OF_INPUT: &str = "Ctrl-Z and Enter";

/// Windows makes no core dumps, and only the same user and administrators see this process's memory.
pub fn keep_secrets_in_memory() {}

/// Takes stdout for replies.
///
/// # Errors
/// None here.
pub fn take_stdout() -> io::Result<Replies> {
    Ok(Replies)
}

/// Stdout, unbuffered enough: each reply is one write and a flush.
pub struct Replies;

impl Replies {
    /// Another handle.
    ///
    /// # Errors
    /// None here.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self)
    }
}

impl Write for Replies {
    #[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stdin.
///
/// # Errors
/// None here.
#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stdin() -> io::Result<impl Read + Send + 'static> {
    Ok(io::stdin())
}

/// Stderr for what a person is told.
#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stderr() -> impl Write {
    io::stderr()
}

#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// To be called before [`take_stdout`].
#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether stdout is a console that understands escape sequences; older ones have to be asked to. To be called before
/// [`take_stdout`].
pub fn stdout_takes_colour() -> bool {
    stdout_is_terminal() && anstyle_query::windows::enable_ansi_colors() == Some(true)
}

/// Columns of the terminal that stdout is; none if it is no terminal. To be called before [`take_stdout`].
pub fn stdout_width() -> Option<usize> {
    stdout_is_terminal().then_some(80)
}

/// Stderr that never blocks for long. A write to a full pipe can't be given up here, so that a thread does it; while it
/// waits, lines are refused, whole, with [`ErrorKind::WouldBlock`].
#[derive(Default)]
pub struct Stderr {
    writer: Option<Writer>,
}

/// How long a line waits for a host that does not read; the lines after it don't wait.
const PATIENCE: Duration = Duration::from_millis(100);

struct Writer {
    lines: Sender<Vec<u8>>,
    written: Receiver<io::Result<()>>,
    /// A line is not written yet.
    busy: bool,
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(Writer::start()?),
        };
        writer.write(line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writer {
    fn start() -> io::Result<Self> {
        let (lines, to_write) = channel::<Vec<u8>>();
        let (report, written) = channel();
        let write = move || {
            for line in to_write {
                if report.send(write_all(&line)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("stderr".to_owned()).spawn(write)?;
        Ok(Self { lines, written, busy: false })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.busy {
            // What became of that line was said when it was taken.
            self.busy = self.written.try_recv().is_err();
        }
        if self.busy || self.lines.send(line.to_vec()).is_err() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let written = self.written.recv_timeout(PATIENCE);
        self.busy = written.is_err();
        // A line that is late will still be written, whole, should the host read.
        written.unwrap_or(Ok(()))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
fn write_all(line: &[u8]) -> io::Result<()> {
    io::stderr().write_all(line)
}
