//! A Plex that sees what it is told to look at.

use super::*;

/// Plex as it should know the disk.
#[derive(Default)]
pub(super) struct FakePlex {
    pub(super) is_away: bool,
    pub(super) refuses: [bool; 2],
    pub(super) seen: BTreeMap<(usize, String), Content>,
    pub(super) requests: usize,
    /// It was told to look at a library whose disk is away.
    pub(super) was_emptied: bool,
}

impl FakePlex {
    /// A status; `None` for no answer.
    pub(super) fn refresh(&mut self, disk: &FakeDisk, section: usize, folder: &str) -> Option<u16> {
        if self.is_away {
            return None;
        }
        self.requests += 1;
        if self.refuses[section] {
            return Some(403);
        }
        self.was_emptied |= !disk.is_mounted() && folder == "/m";
        // What does not exist is not looked at.
        if disk.is_mounted() && disk.exists(folder) {
            self.look(disk, section, folder);
        }
        Some(200)
    }

    pub(super) fn look(&mut self, disk: &FakeDisk, section: usize, root: &str) {
        let location = SECTIONS[section].1;
        let is_seen = |folder: &str| is_within(folder, root) && is_within(folder, location);
        self.seen.retain(|(of, folder), _| *of != section || !is_seen(folder));
        for folder in disk.folders().into_iter().filter(|folder| is_seen(folder)) {
            let content = disk.content(&folder);
            if !content.is_empty() {
                self.seen.insert((section, folder), content);
            }
        }
    }
}
