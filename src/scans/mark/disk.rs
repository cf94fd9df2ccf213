//! The disks of this machine.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use super::{Disk, Stat};
#[cfg(not(unix))]
use crate::scans::time::Time;

/// What the system says.
#[derive(Debug)]
pub struct Local;

impl Disk for Local {
    /// Of a link: its target, or the link itself where that leads nowhere.
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let about = fs::metadata(path).or_else(|_| fs::symlink_metadata(path))?;
        Ok(stat(&about))
    }

    /// Not by `std::fs::read_dir` on Unix: it panics where closing the folder fails.
    #[cfg(unix)]
    fn names(&self, folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
        use std::os::unix::ffi::OsStrExt;
        for entry in rustix::fs::Dir::read_from(fs::File::open(folder)?)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if ![&b"."[..], b".."].contains(&name) && !each(OsStr::from_bytes(name)) {
                break;
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn names(&self, folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            if !each(&entry?.file_name()) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn stat(about: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;

    use crate::scans::time::Time;
    let time = |seconds: i64, nanoseconds: i64| {
        Time(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
    };
    Stat {
        device: about.dev(),
        inode: about.ino(),
        modified: time(about.mtime(), about.mtime_nsec()),
        changed: time(about.ctime(), about.ctime_nsec()),
    }
}

/// Windows has no time of change in the standard library, and no stable inode.
#[cfg(not(unix))]
fn stat(about: &Metadata) -> Stat {
    let time = |time: io::Result<std::time::SystemTime>| time.map_or(Time::NEVER, Time::from);
    Stat { device: 0, inode: 0, modified: time(about.modified()), changed: time(about.created()) }
}
