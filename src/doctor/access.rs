//! Who else may change what is in the data folder.

use std::path::Path;

/// Who besides this process's user may write there, as the end of a sentence.
#[cfg(unix)]
pub(super) fn of_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    /// In a folder with this bit everybody may replace only files of his own.
    const STICKY: u32 = 0o1000;
    let about = std::fs::metadata(path).ok()?;
    let (mode, owner) = (about.mode(), about.uid());
    if ![0, rustix::process::geteuid().as_raw()].contains(&owner) {
        return Some(format!("belongs to another user (uid `{owner}`)"));
    }
    (mode & 0o022 != 0 && mode & STICKY == 0)
        .then(|| format!("can be written by other users (mode `{:03o}`)", mode & 0o777))
}

#[cfg(not(unix))]
pub(super) fn of_others(_: &Path) -> Option<String> {
    None
}

/// That others may read it, as the end of a sentence.
#[cfg(unix)]
pub(super) fn read_by_others(path: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path).map(|about| about.permissions().mode() & 0o777) {
        Ok(mode) if mode & 0o044 != 0 => format!("; others can read it (mode `{mode:03o}`)"),
        _ => String::new(),
    }
}

#[cfg(not(unix))]
pub(super) fn read_by_others(_: &Path) -> String {
    String::new()
}

#[cfg(unix)]
pub(super) fn readable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::READ_OK | Access::EXEC_OK).is_ok()
}

#[cfg(unix)]
pub(super) fn writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
pub(super) fn readable(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok()
}

#[cfg(not(unix))]
pub(super) fn writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|about| !about.permissions().readonly())
}
