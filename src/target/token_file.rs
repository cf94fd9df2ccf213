//! A token file: the user's, Docker's or Kubernetes's.

use std::path::Path;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::written::Odd;
use crate::files::{self, Problem};
use crate::secret::Secret;

/// Largest file that is read, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// The file's text, and a warning about its mode.
///
/// # Errors
/// Why it can't be read; `shown` is the subject of the message.
pub(super) fn read(path: &Path, shown: &str) -> Result<(Secret, Option<Odd>), Problem> {
    let read =
        files::follow(path).and_then(|file| files::read_settled(&file, MAX_SIZE, Duration::ZERO));
    let bytes = read.map_err(|obstacle| {
        let reason = Problem::from(&obstacle).because(shown).reason;
        Problem::new(reason, "name a file that holds the token alone and that this user can read")
    })?;
    // Windows' editors and shells write UTF-16, with a byte order mark or without.
    let encoding: &Encoding = match *bytes.as_slice() {
        [0, _, ..] => UTF_16BE,
        [_, 0, ..] => UTF_16LE,
        _ => UTF_8,
    };
    let (text, ..) = encoding.decode(&bytes);
    Ok((Secret::new(text.trim()), wide(path)))
}

/// Secrets of Docker and Kubernetes are readable by all, and files on some mounts writable: both are used.
fn wide(path: &Path) -> Option<Odd> {
    const NARROW: &str = "it is used; `chmod 600` it if possible";
    match files::mode(&std::fs::metadata(path))? {
        mode if mode & 0o022 != 0 => Some(("can be written by others", NARROW)),
        mode if mode & 0o044 != 0 => Some(("can be read by others", NARROW)),
        _ => None,
    }
}
