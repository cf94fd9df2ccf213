//! A file that holds a token: a person's, Docker's or Kubernetes's.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::written::Odd;
use crate::files::Problem;
use crate::secret::Secret;

/// Largest file that is read, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// What the file holds, as text, and what should be known about its mode.
///
/// # Errors
/// Why nothing was read, about `shown`.
pub(super) fn read(path: &Path, shown: &str) -> Result<(Secret, Option<Odd>), Problem> {
    let problem =
        |reason: &str, hint: &'static str| Problem::new(format!("{shown} {reason}"), hint);
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => problem("is missing", "check the path"),
        _ => problem(&format!("can't be read: {error}"), "let this user read it"),
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    let file_alone = "name a file that holds the token alone";
    if about.is_dir() {
        let hint = "name the file; Docker makes a folder where the file to mount is missing";
        return Err(problem("is a folder", hint));
    }
    if !about.is_file() {
        return Err(problem("is a device, a pipe or a socket", file_alone));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(problem("is larger than 64 KiB", file_alone));
    }
    // Windows' editors and shells write UTF-16, with a byte order mark or without.
    let encoding: &Encoding = match *bytes.as_slice() {
        [0, _, ..] => UTF_16BE,
        [_, 0, ..] => UTF_16LE,
        _ => UTF_8,
    };
    let (text, ..) = encoding.decode(&bytes);
    Ok((Secret::new(text.trim()), wide(&about)))
}

/// Secrets of Docker and Kubernetes are readable by all, and files on some mounts writable: both are used.
#[cfg(unix)]
fn wide(about: &Metadata) -> Option<Odd> {
    use std::os::unix::fs::PermissionsExt;
    const NARROW: &str = "it is used; `chmod 600` it where that is possible";
    match about.permissions().mode() {
        mode if mode & 0o022 != 0 => Some(("can be written by others", NARROW)),
        mode if mode & 0o044 != 0 => Some(("can be read by others", NARROW)),
        _ => None,
    }
}

#[cfg(not(unix))]
fn wide(_: &Metadata) -> Option<Odd> {
    None
}
