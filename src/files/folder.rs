//! Folders: made, brought to the disk, and who else may change what is in them.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::system;

/// Makes a folder and its parents, for the owner only, down to the disk.
///
/// # Errors
///
/// Those of the system.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let named = |path: &&Path| !path.as_os_str().is_empty();
    let missing: Vec<&Path> =
        folder.ancestors().take_while(named).take_while(|path| !path.exists()).collect();
    // Windows does not say what is wrong with a file in a folder's place.
    if missing.last().map_or(folder, |path| parent(path)).is_file() {
        return Err(ErrorKind::NotADirectory.into());
    }
    missing.iter().rev().try_for_each(|path| match system::make_private(path) {
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    })?;
    missing.into_iter().try_for_each(|path| sync_folder(parent(path)))
}

/// The folder of a file; a bare name's is the working folder.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Brings a folder's names to the disk, where that can be done.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    unless_unknown(folder, system::sync_folder(folder), system::is_unknown_of_folder)
}

/// Brings a file's bytes to the disk, where its file system can do that.
pub(super) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    unless_unknown(path, system::sync_file(file), system::is_unknown)
}

/// A disk that does not know `fsync` is mentioned in the log, once.
fn unless_unknown(
    path: &Path,
    outcome: io::Result<()>,
    can_not: impl FnOnce(&io::Error) -> bool,
) -> io::Result<()> {
    static WARNED: AtomicBool = AtomicBool::new(false);
    match outcome {
        Err(error) if can_not(&error) => {
            if !WARNED.swap(true, Ordering::Relaxed) {
                tracing::warn!(path = %path.display(), %error, "what is written here may not survive a power cut");
            }
            Ok(())
        }
        outcome => outcome,
    }
}

/// A folder or a file that another user could change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// Which one.
    pub path: PathBuf,
    /// To whom.
    pub to: Exposure,
}

/// Who could change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(windows, expect(dead_code, reason = "only looked for on Unix"))]
pub enum Exposure {
    /// Its owner, who has this user id, and is neither root nor the user of this process.
    Owner(u32),
    /// Others, by this mode.
    Mode(u32),
}

/// Who else could change what is at `path`, a link included. Always empty on Windows, whose access lists are not looked
/// at.
pub fn exposed(path: &Path) -> Vec<Exposed> {
    let of = |to| Exposed { path: path.to_owned(), to };
    system::exposures(path).into_iter().map(of).collect()
}
