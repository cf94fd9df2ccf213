//! What to ask for in the place of a folder that is gone: Plex does not look at what does not exist.

use std::path::Path;

use super::mark::{Disk, is_missing};
use super::pick::{is_within, parent};

/// How a folder stands, as this machine sees it.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there, it can't be looked at, or there is nothing above it to ask for.
    AsItIs,
    /// It is gone, and this is the nearest above it that exists within a location.
    Gone(String),
    /// It is gone, and so is everything else in this location, or the location itself.
    Empty(String),
}

impl Standing {
    /// `locations` are those of the sections, as Stash sees them.
    pub fn of(disk: &dyn Disk, folder: &str, locations: &[String]) -> Self {
        let is_gone = |folder: &str| {
            disk.stat(Path::new(folder)).err().is_some_and(|error| is_missing(&error))
        };
        let mut folder = folder.to_owned();
        if !is_gone(&folder) {
            return Self::AsItIs;
        }
        while let above = parent(&folder)
            && above != folder
            && locations.iter().any(|location| is_within(&above, location))
        {
            if !is_gone(&above) {
                let is_location = locations.contains(&above);
                let is_empty = is_location && is_empty(disk, &above);
                return if is_empty { Self::Empty(above) } else { Self::Gone(above) };
            }
            folder = above;
        }
        let is_location = locations.contains(&folder);
        let is_away = is_location && above(&folder).any(|above| !is_gone(&above));
        if is_away { Self::Empty(folder) } else { Self::AsItIs }
    }
}

/// The folders above, but for the root. Where none of them is there either, the location is not one of this machine's.
fn above(folder: &str) -> impl Iterator<Item = String> {
    let next = |folder: &String| Some(parent(folder));
    let above = std::iter::successors(Some(parent(folder)), next);
    above.take_while(|above| parent(above) != *above)
}

/// What can't be listed counts as empty: a disk may be away.
fn is_empty(disk: &dyn Disk, folder: &str) -> bool {
    let mut is_empty = true;
    let listed = disk.names(Path::new(folder), &mut |_| {
        is_empty = false;
        false
    });
    listed.is_err() || is_empty
}
