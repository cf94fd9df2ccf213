//! The process's streams, and its protection against core dumps. Only `process` uses this.

use crate::log::Format;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{
    Stderr, keep_secrets_in_memory, stderr_is_terminal, stdin, stdin_is_terminal,
    stdout_is_terminal, stdout_width, take_stdout,
};

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
pub use other::{
    Stderr, keep_secrets_in_memory, stderr_is_terminal, stdin, stdin_is_terminal,
    stdout_is_terminal, stdout_width, take_stdout,
};

/// The default format of the log: text on a terminal, else JSON.
pub fn log_format() -> Format {
    if stderr_is_terminal() { Format::Text } else { Format::Json }
}
