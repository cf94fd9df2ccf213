//! What lies beside a file: temporary files that a killed writer left, and the bytes of broken files.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::folder::{parent, sync_folder};
use super::read::read;
use super::system;
use super::write::{Created, create};

/// How many broken files are kept.
const KEPT: usize = 5;

/// How many names are tried for a broken file when others take them meanwhile.
const TRIES: u64 = 64;

/// A name for a temporary file: `.<target>.<process>.<16 hexadecimal digits>.tmp`.
pub(super) fn temporary_name(target: &Path) -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let (name, process) = (file_name(target), std::process::id());
    Ok(format!(".{name}.{process}.{:016x}.tmp", u64::from_ne_bytes(random)))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether it is a temporary file of a file whose name begins with `name`.
fn is_temporary(name: &str, file: &str) -> bool {
    let ours = file.strip_prefix('.').is_some_and(|rest| rest.starts_with(name));
    let mut parts = file.rsplit('.');
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    ours && parts.next() == Some("tmp")
        && parts.next().is_some_and(|random| random.len() == 16 && random.bytes().all(is_hex))
        && parts.next().is_some_and(|process| process.parse::<u32>().is_ok())
        && parts.next().is_some_and(|rest| !rest.is_empty())
}

/// Removes the file or the link of this name, down to the disk. Whether there was one.
///
/// # Errors
///
/// Those of the system.
pub fn remove(path: &Path) -> io::Result<bool> {
    match system::patiently(|| fs::remove_file(path)) {
        Ok(()) => sync_folder(parent(path)).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the temporary files that killed writers of `path`, or of files whose names begin with it, have left. Only
/// for the holder of the lock: then none is in use, and a writer without the lock starts again.
pub fn remove_temporary(path: &Path) {
    for name in temporary_files(path) {
        let _gone = fs::remove_file(parent(path).join(name));
    }
}

/// The names of the temporary files of `path` and of files whose names begin with it.
pub fn temporary_files(path: &Path) -> Vec<String> {
    let name = file_name(path);
    names(parent(path)).into_iter().filter(|file| is_temporary(&name, file)).collect()
}

/// The names of the broken files that were kept for `path`, oldest first.
pub fn kept_broken(path: &Path) -> Vec<String> {
    let mut kept = kept(path);
    kept.sort_unstable();
    kept.into_iter().map(|(_, name)| name).collect()
}

/// Times, in seconds since 1970, and names.
fn kept(path: &Path) -> Vec<(u64, String)> {
    let prefix = broken_name(path, "");
    let timed = |name: String| Some((name.strip_prefix(&prefix)?.parse().ok()?, name));
    names(parent(path)).into_iter().filter_map(timed).collect()
}

fn broken_name(path: &Path, time: impl std::fmt::Display) -> String {
    format!("{}.corrupt-{time}", file_name(path))
}

/// The names in a folder, as far as they can be listed and are Unicode.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let _listed = system::each_name(folder, &mut |name| {
        names.extend(name.to_str().map(str::to_owned));
        true
    });
    names
}

/// Keeps the bytes of the broken file `path` beside it as `<name>.corrupt-<seconds since 1970>`, the same bytes once,
/// and the newest five of such files. Tells the file's path.
///
/// A copy: the file itself stays, so that there is no moment without one.
///
/// # Errors
///
/// Those of [`create`].
pub fn keep_broken(path: &Path, raw: &[u8], now: SystemTime) -> io::Result<PathBuf> {
    let mut kept = kept(path);
    kept.sort_unstable();
    let place = |name: &str| parent(path).join(name);
    let same = |name: &str| read(&place(name), raw.len() as u64).is_ok_and(|bytes| bytes == raw);
    if let Some((_, name)) = kept.iter().find(|(_, name)| same(name)) {
        return Ok(place(name));
    }
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    // The clock may be wrong: the newest is the one that was kept last.
    let first = kept.last().map_or(now, |(last, _)| now.max(last.saturating_add(1)));
    for time in first..first.saturating_add(TRIES) {
        let newest = place(&broken_name(path, time));
        if create(&newest, raw)? == Created::Done {
            let surplus = (kept.len() + 1).saturating_sub(KEPT);
            for (_, name) in &kept[..surplus] {
                let _gone = fs::remove_file(place(name));
            }
            return Ok(newest);
        }
    }
    Err(io::Error::other("others take every name for a broken file"))
}
