//! Streams with the standard library only.

use std::io::{self, IsTerminal, Read, Write};

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

#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

#[derive(Default)]
pub struct Stderr(());

impl Write for Stderr {
    #[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// To be called before [`take_stdout`].
#[expect(clippy::disallowed_methods, reason = "this is where the streams are")]
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Columns of the terminal that stdout is; none if it is no terminal. To be called before [`take_stdout`].
pub fn stdout_width() -> Option<usize> {
    stdout_is_terminal().then_some(80)
}
