//! Writing, so that a crash at any instruction leaves the old bytes or the new ones, whole.
//!
//! The order of every write is: a temporary file beside the target, its bytes to the disk, the name to the temporary
//! file, the folder to the disk. An `fsync` that failed is final for that temporary file: the kernel has marked its
//! pages clean, and a second `fsync` would lie (Rebello and others, USENIX ATC 2020).

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::disk::{owned, parent, sync_folder};
use super::leftover::temporary_name;

/// How often a writer starts again whose temporary file was removed by somebody who cleaned up.
const RESTARTS: usize = 64;

/// What became of a new name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// It is ours, and on disk.
    Done,
    /// Somebody else has it, and it is on disk.
    Taken,
}

/// Gives `bytes` the name `path`, unless that name exists. `locked`: nobody else publishes now, so the last of the
/// ways, which can't tell for itself, may be used.
pub(super) fn publish(path: &Path, bytes: &[u8], locked: bool) -> io::Result<Published> {
    for _ in 0..RESTARTS {
        let temporary = Temporary::write(parent(path), bytes, None)?;
        let outcome = match name_it(&temporary.path, path, locked) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            outcome => outcome?,
        };
        sync_folder(parent(path))?;
        return Ok(outcome);
    }
    Err(vanished())
}

/// Tries one way after the other: file systems differ in what they can do.
fn name_it(temporary: &Path, path: &Path, locked: bool) -> io::Result<Published> {
    let mut way = Way::RenameNoReplace;
    loop {
        let outcome = match way {
            Way::RenameNoReplace => rename_no_replace(temporary, path),
            Way::Link => fs::hard_link(temporary, path),
            Way::Rename => rename_if_absent(temporary, path),
        };
        match outcome {
            Ok(()) => return Ok(Published::Done),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Published::Taken),
            Err(error) => way = way.after(&error, locked).ok_or(error)?,
        }
    }
}

/// The ways to give a file a name that must not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `renameat2(RENAME_NOREPLACE)`: not on NFS, not on some FUSE and ZFS.
    RenameNoReplace,
    /// `link`: not on FAT, vboxsf, some SMB.
    Link,
    /// Look, then rename: only safe while nobody else does.
    Rename,
}

impl Way {
    /// The next way, where `error` says that the file system doesn't know this one.
    fn after(self, error: &io::Error, locked: bool) -> Option<Self> {
        use ErrorKind::{InvalidInput, PermissionDenied, TooManyLinks, Unsupported};
        match (self, error.kind()) {
            // EPERM: what an old container runtime answers to a call it doesn't know.
            (Self::RenameNoReplace, InvalidInput | Unsupported | PermissionDenied) => {
                Some(Self::Link)
            }
            (Self::Link, PermissionDenied | Unsupported | TooManyLinks) if locked => {
                Some(Self::Rename)
            }
            _ => None,
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios"))]
fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "ios"
)))]
fn rename_no_replace(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn rename_if_absent(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// What became of a replacement.
#[derive(Debug)]
pub(super) enum Replaced {
    /// The new bytes are there, and on disk.
    Done,
    /// The old bytes were not the expected ones any more: nothing was changed.
    Stale,
    /// The new bytes are there, but a power cut may take them away again.
    Unsynced(io::Error),
}

/// Puts `bytes` in the place of a file's, or where nothing is, if `still` holds at the last moment.
///
/// A symlink stays, and what it leads to is replaced. Owner and mode stay where they can; a mode is never widened.
pub(super) fn replace(path: &Path, bytes: &[u8], still: impl Fn() -> bool) -> io::Result<Replaced> {
    let (target, about) = real_file(path)?;
    for _ in 0..RESTARTS {
        let temporary = Temporary::write(parent(&target), bytes, about.as_ref())?;
        if !still() {
            return Ok(Replaced::Stale);
        }
        match fs::rename(&temporary.path, &target) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            outcome => outcome?,
        }
        return Ok(
            sync_folder(parent(&target)).map_or_else(Replaced::Unsynced, |()| Replaced::Done)
        );
    }
    Err(vanished())
}

/// The file that `path` leads to. A rename over a folder, a device or a dangling link would hide what is wrong.
pub(super) fn real_file(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let target = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((path.to_owned(), None)),
        Err(error) => return Err(error),
        Ok(about) if about.is_symlink() => fs::canonicalize(path)?,
        Ok(_) => path.to_owned(),
    };
    let about = fs::metadata(&target)?;
    if about.is_file() {
        Ok((target, Some(about)))
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// A file that nobody knows yet; removed unless it got a name.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// Writes `bytes` down to the disk, with the owner and the mode of `old`.
    fn write(folder: &Path, bytes: &[u8], old: Option<&Metadata>) -> io::Result<Self> {
        let path = folder.join(temporary_name()?);
        let mut file = owned().create_new(true).open(&path)?;
        let temporary = Self { path };
        file.write_all(bytes)?;
        if let Some(old) = old {
            resemble(&file, old)?;
        }
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; names are random, so it is nobody else's.
        let _gone = fs::remove_file(&self.path);
    }
}

/// Gives a file owner, group and mode of another. In a group that is not the old one the group gets nothing
/// (CVE-2022-32207: curl widened a mode that way).
#[cfg(unix)]
fn resemble(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let new = file.metadata()?;
    if new.uid() != old.uid() {
        // Only root may give files away; for others the file becomes theirs.
        let _kept = fchown(file, Some(old.uid()), None);
    }
    if new.gid() != old.gid() {
        let _kept = fchown(file, None, Some(old.gid()));
    }
    let mask = if file.metadata()?.gid() == old.gid() { 0o777 } else { 0o700 };
    file.set_permissions(fs::Permissions::from_mode(old.mode() & mask))
}

#[cfg(not(unix))]
fn resemble(_file: &File, _old: &Metadata) -> io::Result<()> {
    Ok(())
}

fn vanished() -> io::Error {
    io::Error::other("somebody removes our temporary files")
}

#[cfg(all(test, unix))]
mod tests;
