//! Folders: made, brought to the disk, and who else may change what is in them.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::system::{self, errno, is_unknown};

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
    missing.iter().rev().try_for_each(|path| make_one(path))?;
    missing.into_iter().try_for_each(|path| sync_folder(parent(path)))
}

fn make_one(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "modes are Unix's"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Ok(()) => {
            open_to_owner(folder);
            Ok(())
        }
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A umask that is meant for files (systemd's `UMask=0177`) takes away what a folder can't do without. Where this is
/// refused, what comes next says so.
#[cfg(unix)]
fn open_to_owner(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let is_shut = |about: fs::Metadata| about.permissions().mode() & 0o700 != 0o700;
    if fs::symlink_metadata(folder).is_ok_and(is_shut) {
        let _refused = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    }
}

#[cfg(not(unix))]
fn open_to_owner(_: &Path) {}

/// The folder of a file; a bare name's is the working folder.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Brings a folder's names to the disk, where that can be done. Shares answer with errors of all kinds what they do not
/// know (restic 3720, 3752), and a folder may be one that can be written and not be read.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let can_not = |error: &io::Error| {
        use ErrorKind::{IsADirectory, NotFound, PermissionDenied};
        is_unknown(error)
            || error.raw_os_error() == Some(errno::BADF)
            || matches!(error.kind(), IsADirectory | NotFound | PermissionDenied)
    };
    unless_unknown(folder, system::sync_folder(folder), can_not)
}

/// Brings a file's bytes to the disk, where its file system can do that.
pub(super) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    unless_unknown(path, system::sync_file(file), is_unknown)
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
#[cfg_attr(not(unix), expect(dead_code, reason = "only looked for on Unix"))]
pub enum Exposure {
    /// Its owner, who has this user id, and is neither root nor the user of this process.
    Owner(u32),
    /// Others, by this mode.
    Mode(u32),
}

/// Who else could change what is at `path`, a link included. Always empty on Windows, which has no modes.
pub fn exposed(path: &Path) -> Vec<Exposed> {
    let of = |to| Exposed { path: path.to_owned(), to };
    exposures(path).into_iter().map(of).collect()
}

#[cfg(unix)]
fn exposures(path: &Path) -> Vec<Exposure> {
    use std::os::unix::fs::MetadataExt;
    let Ok(about) = fs::symlink_metadata(path) else { return Vec::new() };
    let ours = [0, rustix::process::geteuid().as_raw()].contains(&about.uid());
    // In a sticky folder users can't remove each other's files.
    let sticky = about.is_dir() && about.mode() & 0o1000 != 0;
    let by_mode = about.mode() & 0o022 != 0 && !about.is_symlink() && !sticky;
    let owner = (!ours).then(|| Exposure::Owner(about.uid()));
    owner.into_iter().chain(by_mode.then(|| Exposure::Mode(about.mode() & 0o7777))).collect()
}

#[cfg(not(unix))]
fn exposures(path: &Path) -> Vec<Exposure> {
    let _no_modes = fs::symlink_metadata(path);
    Vec::new()
}
