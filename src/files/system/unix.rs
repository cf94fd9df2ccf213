//! What Unix has and Windows has not: modes, owners, FIFOs, folders that can be brought to the disk.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{Access, Dir, OFlags, access};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::{Call, call};
use crate::files::{Exposure, Problem};

/// How long what is refused is tried again: virus scanners and SMB refuse for a moment.
pub(in crate::files) const REFUSALS: Duration = Duration::from_millis(200);

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(in crate::files) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    call(Call::RenameNoReplace, || Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(in crate::files) fn rename_no_replace(_from: &Path, _to: &Path) -> io::Result<()> {
    call(Call::RenameNoReplace, || Err(ErrorKind::Unsupported.into()))
}

pub(in crate::files) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    call(Call::Rename, || fs::rename(from, to))
}

/// A FIFO would hold up an `open` without `O_NONBLOCK`; a terminal could become ours without `O_NOCTTY`.
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

pub(super) fn open_own(options: &mut OpenOptions, mode: u32, path: &Path) -> io::Result<File> {
    open(options.mode(mode), path)
}

pub(in crate::files) fn sync_folder(folder: &Path) -> io::Result<()> {
    call(Call::SyncFolder, || File::open(folder)?.sync_all())
}

/// Makes one folder, for its owner only.
pub(in crate::files) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    // A umask that is meant for files (systemd's `UMask=0177`) takes away what a folder can't do without. Where this is
    // refused, what comes next says so.
    let is_shut = |about: Metadata| about.permissions().mode() & 0o700 != 0o700;
    if fs::symlink_metadata(folder).is_ok_and(is_shut) {
        let _refused = fs::set_permissions(folder, Permissions::from_mode(0o700));
    }
    Ok(())
}

/// Only the owner may read or write a new file. A replaced one keeps the owner's own rights, so that no `chmod`
/// is needed where it is refused (`aclmode=restricted` of ZFS refuses even root's).
pub(in crate::files) fn mode_for_owner(old: Option<&Metadata>) -> u32 {
    match old.map_or(0, |old| old.mode() & 0o600) {
        mode if mode & 0o400 == 0 => 0o600,
        mode => mode,
    }
}

/// Gives a new file the owner and group of the old one, and the owner's rights. What the system refuses does not matter:
/// the new file is never open to more people than the old one was.
pub(in crate::files) fn resemble(file: &File, old: Option<&Metadata>) -> io::Result<()> {
    let new = file.metadata()?;
    let set_owner = |user, group| call(Call::SetOwner, || fchown(file, user, group));
    if let Some(old) = old {
        if new.uid() != old.uid() {
            // Only root may give files away; for others the file becomes theirs.
            let _kept = set_owner(Some(old.uid()), None);
        }
        if new.gid() != old.gid() {
            let _kept = set_owner(None, Some(old.gid()));
        }
    }
    let wanted = mode_for_owner(old);
    // The process may have been started with a umask that leaves not even the owner a right.
    if file.metadata()?.mode() & 0o777 != wanted {
        let set_mode = || file.set_permissions(Permissions::from_mode(wanted));
        let _kept = call(Call::SetMode, set_mode);
    }
    Ok(())
}

/// Calls `each` with each name in a folder, until that returns false.
///
/// Not by `std::fs::read_dir`: it panics where closing the folder fails.
///
/// # Errors
///
/// Those of the system.
pub fn each_name(folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
    for entry in Dir::read_from(File::open(folder)?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if ![&b"."[..], b".."].contains(&name) && !each(OsStr::from_bytes(name)) {
            break;
        }
    }
    Ok(())
}

/// The numbers of a file's device and inode.
pub fn node(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

/// When a file was changed last, in any way (`ctime`).
///
/// # Errors
///
/// None on Unix.
pub fn changed(about: &Metadata) -> io::Result<SystemTime> {
    let seconds = Duration::from_secs(about.ctime().unsigned_abs());
    let whole = match about.ctime() < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(seconds),
        false => SystemTime::UNIX_EPOCH.checked_add(seconds),
    };
    let rest = Duration::from_nanos(about.ctime_nsec().unsigned_abs());
    whole.and_then(|whole| whole.checked_add(rest)).ok_or_else(|| ErrorKind::InvalidData.into())
}

/// Who may do what with a file, as `chmod` takes it; `None` where it can't be looked at.
pub fn mode(about: &io::Result<Metadata>) -> Option<u32> {
    about.as_ref().ok().map(|about| about.mode() & 0o7777)
}

/// Whether this process may list what is in a folder.
pub fn may_list(folder: &Path) -> bool {
    access(folder, Access::READ_OK | Access::EXEC_OK).is_ok()
}

/// Whether this process may make files in a folder.
pub fn may_write(folder: &Path) -> bool {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The name of the file system of a folder whose content is lost with the container or at the next boot, by its magic
/// number (statfs(2)).
#[cfg(target_os = "linux")]
pub fn lies_in_memory(folder: &Path) -> Option<&'static str> {
    const KINDS: [(u32, &str); 3] =
        [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs"), (0x794c_7630, "overlayfs")];
    let about = rustix::fs::statfs(folder).ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the numbers have 32 bits, whatever the width of the field is"
    )]
    let magic = about.f_type as u32;
    KINDS.iter().find(|(known, _)| *known == magic).map(|(_, kind)| *kind)
}

#[cfg(not(target_os = "linux"))]
pub fn lies_in_memory(_: &Path) -> Option<&'static str> {
    None
}

pub(in crate::files) fn exposures(path: &Path) -> Vec<Exposure> {
    let Ok(about) = fs::symlink_metadata(path) else { return Vec::new() };
    let ours = [0, geteuid().as_raw()].contains(&about.uid());
    // In a sticky folder users can't remove each other's files.
    let sticky = about.is_dir() && about.mode() & 0o1000 != 0;
    let by_mode = about.mode() & 0o022 != 0 && !about.is_symlink() && !sticky;
    let owner = (!ours).then(|| Exposure::Owner(about.uid()));
    owner.into_iter().chain(by_mode.then(|| Exposure::Mode(about.mode() & 0o7777))).collect()
}

/// Whether a link belongs to this process's user, to root, or to the owner of its target.
pub(in crate::files) fn is_trusted(link: &Metadata, target: &Metadata) -> bool {
    [0, geteuid().as_raw(), target.uid()].contains(&link.uid())
}

/// Whether it may pass in a moment: rclone answers with an I/O error to who reads what has just been replaced.
pub(in crate::files) fn may_pass(error: &io::Error) -> bool {
    is(error, Errno::IO)
}

/// That of a link that has just been replaced by a file.
pub(in crate::files) fn is_link_loop(error: &io::Error) -> bool {
    is(error, Errno::LOOP)
}

/// Whether an error says that the file system does not know the call.
pub(in crate::files) fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
        || is(error, Errno::NOTTY)
}

/// Shares answer with errors of all kinds that they can't bring a folder to the disk (restic 3720, 3752), and a folder
/// may be one that can be written and not be read.
pub(in crate::files) fn is_unknown_of_folder(error: &io::Error) -> bool {
    use ErrorKind::{IsADirectory, NotFound, PermissionDenied};
    is_unknown(error)
        || is(error, Errno::BADF)
        || matches!(error.kind(), IsADirectory | NotFound | PermissionDenied)
}

/// What an error means, where its kind does not say it.
pub(in crate::files) fn problem(_: &io::Error) -> Option<Problem> {
    None
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
