//! What Windows has and Unix has not: files that can't be opened or replaced while another program has them open, and the
//! read-only attribute. Who may read a file is inherited from its folder; the user's own folders are open to the user,
//! to administrators and to the system.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{Call, call};
use crate::files::{Exposure, Problem};

/// How long what is refused is tried again: virus scanners and indexers hold a new file for some hundred milliseconds.
pub(in crate::files) const REFUSALS: Duration = Duration::from_secs(2);

// Winerror.h.
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;
const ERROR_DELETE_PENDING: i32 = 303;
const ERROR_USER_MAPPED_FILE: i32 = 1224;

// Rights and flags of `CreateFile`, in winnt.h and fileapi.h.
const DELETE: u32 = 0x0001_0000;
const FILE_LIST_DIRECTORY: u32 = 1;
const FILE_ADD_FILE: u32 = 2;
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// The standard library knows no `MoveFileEx` that never replaces.
pub(in crate::files) fn rename_no_replace(_from: &Path, _to: &Path) -> io::Result<()> {
    call(Call::RenameNoReplace, || Err(ErrorKind::Unsupported.into()))
}

/// A file with the read-only attribute is not replaced: its user wants it to stay.
pub(in crate::files) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if is_read_only(to) {
        return Err(read_only());
    }
    call(Call::Rename, || fs::rename(from, to)).map_err(|error| match error.raw_os_error() {
        Some(ERROR_ACCESS_DENIED) => holder_of(to).unwrap_or(error),
        _ => error,
    })
}

/// "Access is denied" is also what a rename over a file says that another program has open; asking for the right that a
/// rename needs tells the two apart.
fn holder_of(path: &Path) -> Option<io::Error> {
    let mut options = OpenOptions::new();
    options.access_mode(DELETE).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    options.open(path).err().filter(|error| error.raw_os_error() == Some(ERROR_SHARING_VIOLATION))
}

pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path).map_err(|error| match error.raw_os_error() {
        Some(ERROR_ACCESS_DENIED) if path.is_dir() => ErrorKind::IsADirectory.into(),
        _ => error,
    })
}

pub(super) fn open_own(options: &mut OpenOptions, _mode: u32, path: &Path) -> io::Result<File> {
    open(options, path).map_err(|error| match error.raw_os_error() {
        Some(ERROR_ACCESS_DENIED) if is_read_only(path) => read_only(),
        _ => error,
    })
}

fn is_read_only(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.permissions().readonly())
}

fn read_only() -> io::Error {
    let problem =
        Problem::new("it has the read-only attribute", "take the attribute away: `attrib -r FILE`");
    io::Error::new(ErrorKind::PermissionDenied, problem)
}

/// Windows has no such call: names go through the file system's journal.
pub(in crate::files) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes one folder; who may use it is inherited.
pub(in crate::files) fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// There are no modes.
pub(in crate::files) fn mode_for_owner(_: Option<&Metadata>) -> u32 {
    0
}

/// A new file inherits its folder's access list, also in the place of one with a list of its own.
pub(in crate::files) fn resemble(_: &File, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

/// Calls `each` with each name in a folder, until that returns false.
///
/// # Errors
///
/// Those of the system.
pub fn each_name(folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        if !each(&entry?.file_name()) {
            break;
        }
    }
    Ok(())
}

/// The standard library does not tell them.
pub fn node(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// When a file was made: the standard library does not tell when it was changed in other ways than being written.
///
/// # Errors
///
/// Where the file system does not know.
pub fn changed(about: &Metadata) -> io::Result<SystemTime> {
    about.created()
}

/// There are no modes.
pub fn mode(_: &io::Result<Metadata>) -> Option<u32> {
    None
}

/// Whether this process may list what is in a folder.
pub fn may_list(folder: &Path) -> bool {
    may(FILE_LIST_DIRECTORY, folder)
}

/// Whether this process may make files in a folder. The read-only attribute of a folder means something else.
pub fn may_write(folder: &Path) -> bool {
    may(FILE_ADD_FILE, folder)
}

/// A folder opens only with the rights that the process has.
fn may(right: u32, folder: &Path) -> bool {
    let mut options = OpenOptions::new();
    options.access_mode(right).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(folder).is_ok()
}

/// No folder of Windows does.
pub fn lies_in_memory(_: &Path) -> Option<&'static str> {
    None
}

/// Access lists are not looked at.
pub(in crate::files) fn exposures(_: &Path) -> Vec<Exposure> {
    Vec::new()
}

/// Who may make links is Windows' business: it takes a privilege.
pub(in crate::files) fn is_trusted(_link: &Metadata, _target: &Metadata) -> bool {
    true
}

/// Whether it may pass in a moment: another program has the file open, or it is being deleted. A file that is deleted
/// while it is open answers "access denied" on file systems without POSIX deletion.
pub(in crate::files) fn may_pass(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_ACCESS_DENIED) || is_in_use(error)
}

fn is_in_use(error: &io::Error) -> bool {
    let in_use = [
        ERROR_SHARING_VIOLATION,
        ERROR_LOCK_VIOLATION,
        ERROR_DELETE_PENDING,
        ERROR_USER_MAPPED_FILE,
    ];
    error.raw_os_error().is_some_and(|code| in_use.contains(&code))
}

/// Links that lead in a circle are no link that was just replaced here.
pub(in crate::files) fn is_link_loop(_: &io::Error) -> bool {
    false
}

/// Whether an error says that the file system does not know the call.
pub(in crate::files) fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

/// Folders are not brought to the disk.
pub(in crate::files) fn is_unknown_of_folder(_: &io::Error) -> bool {
    false
}

/// What an error means, where its kind does not say it.
pub(in crate::files) fn problem(error: &io::Error) -> Option<Problem> {
    is_in_use(error).then(|| {
        Problem::new(
            "another program has it open",
            "close that program; if it is a virus scanner or a backup, let it leave out the data folder",
        )
    })
}
