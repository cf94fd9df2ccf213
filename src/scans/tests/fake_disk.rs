//! A disk that exists in memory, with a clock and with gaps of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Mutex;

use crate::scans::mark::{Disk, Stat};
use crate::scans::time::Time;

pub(super) const MILLISECOND: i64 = 1_000_000;
pub(super) const SECOND: i64 = 1_000 * MILLISECOND;

/// How a disk differs from a good one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traits {
    /// Its clock, against the true time; without one it has ours.
    pub(super) offset: Option<i64>,
    /// Its times are multiples of this.
    pub(super) step: i64,
    /// It has no time of change and no inodes: Windows.
    pub(super) no_ctime: bool,
    /// A folder's times do not change with what is in it: FAT under Windows.
    pub(super) still: bool,
    /// Our clock is set forwards and backwards.
    pub(super) clock_steps: bool,
}

#[derive(Debug, Clone)]
struct Node {
    inode: u64,
    modified: i64,
    changed: i64,
    born: i64,
    /// `None` for a folder. No two contents of a file are the same.
    content: Option<u64>,
}

/// The disk, and the clocks.
#[derive(Debug)]
pub(super) struct FakeDisk(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    traits: Traits,
    /// The true time.
    time: i64,
    /// How far our clock is from it.
    skew: i64,
    nodes: BTreeMap<String, Node>,
    made: u64,
    is_mounted: bool,
}

/// The files directly in a folder, and their contents.
pub(super) type Content = BTreeMap<String, u64>;

impl FakeDisk {
    pub(super) fn new(traits: Traits, folders: &[&str]) -> Self {
        let time = 1_700_000_000 * SECOND;
        let (nodes, is_mounted) = (BTreeMap::new(), true);
        let disk = Self(Mutex::new(Inner { traits, time, skew: 0, nodes, made: 0, is_mounted }));
        for folder in folders {
            disk.with(|inner| inner.put(folder, None, None));
        }
        disk.wait(1_000 * SECOND);
        disk
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    pub(super) fn wait(&self, nanoseconds: i64) {
        self.with(|inner| inner.time += nanoseconds);
    }

    pub(super) fn step_clock(&self, nanoseconds: i64) {
        self.with(|inner| inner.skew += nanoseconds);
    }

    pub(super) fn true_time(&self) -> i64 {
        self.with(|inner| inner.time)
    }

    pub(super) fn our_time(&self) -> i64 {
        self.with(|inner| inner.time + inner.skew)
    }

    pub(super) fn mount(&self, is_mounted: bool) {
        self.with(|inner| inner.is_mounted = is_mounted);
    }

    pub(super) fn is_mounted(&self) -> bool {
        self.with(|inner| inner.is_mounted)
    }

    /// Writes a file, new or not; `modified`: with that time, as `cp -p` does.
    pub(super) fn write(&self, path: &str, modified: Option<i64>) {
        self.with(|inner| {
            let content = Some(inner.number());
            inner.put(path, content, modified);
        });
    }

    pub(super) fn make_folder(&self, folder: &str) {
        self.with(|inner| {
            if !inner.nodes.contains_key(folder) {
                inner.put(folder, None, None);
            }
        });
    }

    pub(super) fn remove(&self, path: &str) {
        self.with(|inner| {
            let below = format!("{path}/");
            inner.nodes.retain(|known, _| known != path && !known.starts_with(&below));
            inner.touch(parent(path));
        });
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        self.with(|inner| {
            let now = inner.disk_time();
            let mut node = inner.nodes.remove(from).unwrap();
            node.changed = now;
            inner.nodes.insert(to.to_owned(), node);
            inner.touch(parent(from));
            inner.touch(parent(to));
        });
    }

    /// Another folder under the same name, as `mv` and `rsync -a` leave it: all its times are old.
    pub(super) fn swap(&self, folder: &str, names: &[String]) {
        self.with(|inner| {
            let below = format!("{folder}/");
            let Some(mut node) = inner.nodes.get(folder).cloned() else { return };
            let stays = |known: &str| !known.starts_with(&below) || known.ends_with("/stays");
            inner.nodes.retain(|known, old| stays(known) || old.content.is_none());
            (node.inode, node.born) = (inner.number(), node.born - inner.made as i64);
            inner.nodes.insert(folder.to_owned(), node.clone());
            for name in names {
                let (inode, content) = (inner.number(), Some(inner.number()));
                let file = Node { inode, content, ..node.clone() };
                inner.nodes.insert(format!("{folder}/{name}"), file);
            }
        });
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.with(|inner| inner.nodes.contains_key(path))
    }

    pub(super) fn modified(&self, path: &str) -> Option<i64> {
        self.with(|inner| inner.nodes.get(path).map(|node| node.modified))
    }

    pub(super) fn folders(&self) -> Vec<String> {
        self.with(|inner| {
            let folders = inner.nodes.iter().filter(|(_, node)| node.content.is_none());
            folders.map(|(path, _)| path.clone()).collect()
        })
    }

    /// What is directly in a folder; nothing where there is none.
    pub(super) fn content(&self, folder: &str) -> Content {
        self.with(|inner| {
            let files = inner.nodes.iter().filter(|(path, _)| parent(path) == folder);
            let files = files.filter_map(|(path, node)| Some((path.clone(), node.content?)));
            files.collect()
        })
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn disk_time(&self) -> i64 {
        let now = match self.traits.offset {
            Some(offset) => self.time + offset,
            None => self.time + self.skew,
        };
        now - now.rem_euclid(self.traits.step.max(4 * MILLISECOND))
    }

    fn put(&mut self, path: &str, content: Option<u64>, modified: Option<i64>) {
        let now = self.disk_time();
        match self.nodes.get_mut(path) {
            Some(node) => {
                (node.modified, node.changed) = (modified.unwrap_or(now), now);
                node.content = content;
            }
            None => {
                let modified = modified.unwrap_or(now);
                let inode = self.number();
                let node = Node { inode, modified, changed: now, born: now, content };
                self.nodes.insert(path.to_owned(), node);
                self.touch(parent(path));
            }
        }
    }

    fn touch(&mut self, folder: &str) {
        let now = self.disk_time();
        if let Some(node) = self.nodes.get_mut(folder).filter(|_| !self.traits.still) {
            (node.modified, node.changed) = (now, now);
        }
    }
}

impl Disk for FakeDisk {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let path = path.to_str().unwrap();
        self.with(|inner| {
            if !inner.is_mounted && path == "/m" {
                let time = Time(1_600_000_000 * SECOND);
                return Ok(Stat { device: 9, inode: 9, modified: time, changed: time });
            }
            let hidden = !inner.is_mounted && path.starts_with("/m/");
            let node = inner.nodes.get(path).filter(|_| !hidden).ok_or(ErrorKind::NotFound)?;
            let no_ctime = inner.traits.no_ctime;
            Ok(Stat {
                device: u64::from(!no_ctime),
                inode: if no_ctime { 0 } else { node.inode },
                modified: Time(node.modified),
                changed: Time(if no_ctime { node.born } else { node.changed }),
            })
        })
    }

    fn names(&self, folder: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
        let folder = folder.to_str().unwrap();
        let paths: Vec<String> = self.with(|inner| {
            let hidden = !inner.is_mounted && folder.starts_with("/m");
            let below = inner.nodes.keys().filter(|path| parent(path) == folder && !hidden);
            below.cloned().collect()
        });
        let _all = paths.iter().all(|path| each(Path::new(path).file_name().unwrap()));
        Ok(())
    }
}

pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
