//! The system calls that file systems answer differently, each in one place, where a test can imitate such a disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

use super::lock::POLL;

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

#[cfg(not(all(test, unix)))]
fn call<T>(_call: Call, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    make()
}

#[cfg(all(test, unix))]
use super::faults::call;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

pub(super) use platform::{
    REFUSALS, exposures, is_link_loop, is_trusted, is_unknown, is_unknown_of_folder, make_private,
    may_pass, mode_for_owner, problem, rename, rename_no_replace, resemble, sync_folder,
};
pub use platform::{changed, each_name, lies_in_memory, may_list, may_write, mode, node};

pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    call(Call::Link, || fs::hard_link(from, to))
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    call(Call::CreateNew, || open_own(OpenOptions::new().create_new(true), 0o600, path))
}

/// Opens for reading; never through a link, never waiting for the other end of a FIFO.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    call(Call::Open, || platform::open(options.read(true), path))
}

/// Opens for writing a file that only its owner may use, with this mode at most; never through a link.
pub(super) fn open_own(options: &mut OpenOptions, mode: u32, path: &Path) -> io::Result<File> {
    platform::open_own(options.write(true), mode, path)
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

/// Whether the lock is ours now; false where another holds it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    call(Call::Lock, || match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    })
}

/// Tries again for [`REFUSALS`] what the system refuses for a moment.
pub(super) fn patiently<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error) if may_pass(&error) && start.elapsed() < REFUSALS => thread::sleep(POLL),
            outcome => return outcome,
        }
    }
}
