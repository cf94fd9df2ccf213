//! The disks of this machine.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{Disk, Stat};
use crate::files;
use crate::scans::time::Time;

/// What the system says.
#[derive(Debug)]
pub struct Local;

impl Disk for Local {
    /// Of a link: its target, or the link itself where that leads nowhere.
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let about = fs::metadata(path).or_else(|_| fs::symlink_metadata(path))?;
        let time = |time: io::Result<SystemTime>| time.map_or(Time::NEVER, Time::from);
        let (device, inode) = files::node(&about);
        let (modified, changed) = (time(about.modified()), time(files::changed(&about)));
        Ok(Stat { device, inode, modified, changed })
    }

    fn names(&self, folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
        files::each_name(folder, each)
    }
}
