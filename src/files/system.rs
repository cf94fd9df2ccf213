//! The system calls that file systems answer differently, each in one place, where a test can imitate such a disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// A system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// A rename that never replaces anything: not on NFS, not on some FUSE and ZFS.
    RenameNoReplace,
    /// A second name for a file: not on FAT, vboxsf, rclone, some SMB.
    Link,
    /// A new file under its final name.
    CreateNew,
    /// A rename that replaces.
    Rename,
    /// Opening for reading.
    Open,
    /// Bytes of a file to the disk.
    SyncFile,
    /// Names of a folder to the disk.
    #[cfg(unix)]
    SyncFolder,
    /// Another mode.
    #[cfg(unix)]
    SetMode,
    /// Another owner or group.
    #[cfg(unix)]
    SetOwner,
    /// An exclusive lock.
    Lock,
}

#[cfg(not(test))]
fn call<T>(_call: Call, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    make()
}

#[cfg(test)]
use super::faults::call;

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    call(Call::RenameNoReplace, || Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn rename_no_replace(_from: &Path, _to: &Path) -> io::Result<()> {
    call(Call::RenameNoReplace, || Err(ErrorKind::Unsupported.into()))
}

pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    call(Call::Link, || fs::hard_link(from, to))
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    call(Call::CreateNew, || owned(0o600).create_new(true).open(path))
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    call(Call::Rename, || fs::rename(from, to))
}

/// Opens for reading; never through a link, never waiting for the other end of a FIFO.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    call(Call::Open, || wary(options.read(true)).open(path))
}

/// Options for a file that only its owner may use, with this mode at most; never through a link.
pub(super) fn owned(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    wary(options.write(true));
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _no_modes = mode;
    options
}

/// A FIFO would hold up an `open` without `O_NONBLOCK`; a terminal could become ours without `O_NOCTTY`.
#[cfg(unix)]
fn wary(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    options.custom_flags(flags.bits().cast_signed())
}

#[cfg(not(unix))]
fn wary(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Brings a file's bytes to the disk. Where `F_FULLFSYNC` is not known (an SMB share on macOS), the plain
/// `fsync` is tried.
pub(super) fn sync_file(file: &File) -> io::Result<()> {
    call(Call::SyncFile, || match file.sync_all() {
        #[cfg(target_vendor = "apple")]
        Err(error) if is_unknown(&error) => Ok(rustix::fs::fsync(file)?),
        outcome => outcome,
    })
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    call(Call::SyncFolder, || File::open(folder)?.sync_all())
}

/// Windows has no such call: names go through the file system's journal.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    call(Call::SetMode, || file.set_permissions(fs::Permissions::from_mode(mode)))
}

#[cfg(unix)]
pub(super) fn set_owner(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    call(Call::SetOwner, || std::os::unix::fs::fchown(file, user, group))
}

/// Whether the lock is ours now; false where another holds it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    call(Call::Lock, || match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    })
}

/// Errors of the system that the standard library has no name for.
#[cfg(unix)]
pub(super) mod errno {
    use rustix::io::Errno;
    pub(crate) const BADF: i32 = Errno::BADF.raw_os_error();
    pub(crate) const IO: i32 = Errno::IO.raw_os_error();
    pub(crate) const LOOP: i32 = Errno::LOOP.raw_os_error();
    pub(crate) const NOTTY: i32 = Errno::NOTTY.raw_os_error();
}

/// Windows has none of these; 0 is not an error.
#[cfg(not(unix))]
pub(super) mod errno {
    pub(crate) const BADF: i32 = 0;
    pub(crate) const IO: i32 = 0;
    pub(crate) const LOOP: i32 = 0;
    pub(crate) const NOTTY: i32 = 0;
}

/// Whether an error says that the file system does not know the call.
pub(super) fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
        || error.raw_os_error() == Some(errno::NOTTY)
}
