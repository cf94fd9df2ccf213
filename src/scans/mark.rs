//! Marks: by what a folder is known to be as it was when Plex was asked to look at it.

mod disk;

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use disk::Local;

use super::time::Time;

/// How long a folder is looked at; the times of what stands in it for half of that, since names are the more important.
const PATIENCE: Duration = Duration::from_millis(500);
/// Of how many entries the times are looked at.
const MOST_ENTRIES: usize = 2_000;
/// How many entries a folder has whose times are compared one by one: they tell of a change even if a clock was set back
/// before it.
const FEW_ENTRIES: usize = 200;
/// How far up what exists is searched for.
const MOST_LEVELS: usize = 64;

/// What is known of a file or a folder. Where a platform does not have a number, it is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    pub modified: Time,
    /// The time of its last change of any kind, or of its birth where the platform does not know the former.
    pub changed: Time,
}

impl Stat {
    pub fn newest(&self) -> Time {
        self.modified.max(self.changed)
    }
}

/// What is looked at; a test has one of its own.
pub trait Disk: Send + Sync {
    /// # Errors
    /// Those of the system.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// Calls `each` with each name in a folder, until that returns false.
    ///
    /// # Errors
    /// Those of the system.
    fn names(&self, folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()>;
}

/// How a folder was at one moment: the same folder, with the same names in it. A folder that is gone has the mark of
/// the nearest one above it that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How many levels above the folder this is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub above: usize,
    pub stat: Stat,
    /// A digest of the names, whatever their order.
    pub names: u64,
    /// A digest of the times of what stands in it, where that is little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// The newest time of what stands in it; `None` where that was not looked at, or too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Time>,
}

/// How a folder and the file in it that has changed are now.
#[derive(Debug, Clone)]
pub struct Look {
    pub mark: Mark,
    /// The newest time of the files; [`Time::NEVER`] where they are gone.
    pub file: Time,
}

impl Mark {
    /// The mark of a folder, with the newest time of what stands in it if `entries`. `None` if it can't be looked at.
    pub fn take(disk: &dyn Disk, folder: &Path, entries: bool) -> Option<Self> {
        let start = Instant::now();
        let (above, folder, stat) = existing(disk, folder)?;
        let most = if entries { MOST_ENTRIES } else { FEW_ENTRIES };
        let (mut names, mut times, mut count, mut in_time) = (0_u64, 0_u64, 0, true);
        let mut newest = Some(Time::NEVER);
        let each = &mut |name: &OsStr| {
            names = names.wrapping_add(digest(name));
            count += 1;
            newest = newest.filter(|_| count <= most && start.elapsed() < PATIENCE / 2);
            newest = newest.and_then(|newest| {
                let time = entry(disk, &folder.join(name))?;
                times = times.wrapping_add(digest((name, time.0)));
                Some(newest.max(time))
            });
            in_time = start.elapsed() < PATIENCE;
            in_time
        };
        disk.names(folder, each).ok().filter(|()| in_time)?;
        let times = newest.filter(|_| count <= FEW_ENTRIES).map(|_| times);
        Some(Self { above, stat, names, times, newest })
    }

    /// Whether it is the same folder, as it was; where much stands in it, some of that may have changed in place.
    pub fn is_same(&self, other: &Self) -> bool {
        let Self { above, stat, names, times, newest: _ } = self;
        (*above, *stat, *names, *times) == (other.above, other.stat, other.names, other.times)
    }
}

impl Look {
    /// `None` if the folder or a file can't be looked at.
    pub fn take(disk: &dyn Disk, folder: &Path, files: &[String]) -> Option<Self> {
        let mark = Mark::take(disk, folder, false)?;
        let times: Option<Vec<_>> = files.iter().map(|file| entry(disk, Path::new(file))).collect();
        let file = times?.into_iter().max().unwrap_or(Time::NEVER);
        Some(Self { mark, file })
    }
}

/// The folder itself or the nearest one above it that exists.
fn existing<'p>(disk: &dyn Disk, folder: &'p Path) -> Option<(usize, &'p Path, Stat)> {
    for (above, folder) in folder.ancestors().take(MOST_LEVELS).enumerate() {
        match disk.stat(folder) {
            Ok(stat) => return Some((above, folder, stat)),
            Err(error) if is_missing(&error) => {}
            Err(_) => return None,
        }
    }
    None
}

/// The newest time of an entry; one that went away meanwhile has none. `None` if it can't be looked at.
fn entry(disk: &dyn Disk, path: &Path) -> Option<Time> {
    match disk.stat(path) {
        Ok(stat) => Some(stat.newest()),
        Err(error) if is_missing(&error) => Some(Time::NEVER),
        Err(_) => None,
    }
}

pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
