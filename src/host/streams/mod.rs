//! The process's streams, and its protection against core dumps. Only `process` uses this.

use crate::log::Format;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

pub use platform::{
    END_OF_INPUT, Stderr, keep_secrets_in_memory, stderr, stderr_is_terminal, stdin,
    stdin_is_terminal, stdout_is_terminal, stdout_takes_colour, stdout_width, take_stdout,
};

/// The default format of the log: text on a terminal, else JSON.
pub fn log_format() -> Format {
    if stderr_is_terminal() { Format::Text } else { Format::Json }
}
