//! Which of what waits is sent now: oldest first, and many below one folder as that folder.

use std::collections::BTreeMap;

use super::call::{Sweep, Ticket};
use super::state::{Note, Reason, State, What};
use super::time::Time;
use crate::remote_path::RemotePath;

/// From how many on folders below one parent go as the parent.
const MANY: usize = 20;
/// The same, where the parent is a location.
const MANY_IN_LOCATION: usize = 1_000;
/// How much waits at most.
const MOST: usize = 10_000;

/// What to pick.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// The server's key.
    pub server: String,
    /// How many tickets at most.
    pub most: usize,
    /// Whether this is a hook, which leaves a server alone that is away.
    pub hook: bool,
    /// The sections' locations as Stash sees them (`path_map` backwards). Folders are never joined above one.
    pub locations: Vec<String>,
}

/// What may be sent: one note, or all below a folder.
struct Item {
    folder: String,
    since: Time,
    /// Of the notes that it stands for.
    places: Vec<usize>,
    is_tree: bool,
}

impl State {
    /// Claims what is to be sent now.
    pub fn pick(&mut self, pick: &Pick, sweep: &mut Sweep, now: Time) -> Vec<Ticket> {
        let begin = *sweep.0.get_or_insert(self.next);
        self.spread(&pick.locations, now);
        let is_free = |note: &Note| {
            note.tried <= begin && !note.is_claimed(now) && (!pick.hook || note.is_due(now))
        };
        let mut items = Vec::new();
        let mut whole = Vec::new();
        for (place, note) in self.waiting.iter().enumerate().filter(|(_, note)| is_free(note)) {
            let Some(folder) = note.what.folder() else { continue };
            let since = note.since.min(now);
            let is_tree = matches!(note.what, What::Tree(_));
            let item = Item { folder: folder.to_owned(), since, places: vec![place], is_tree };
            if note.what.section().is_some() { &mut items } else { &mut whole }.push(item);
        }
        let is_idle = items.is_empty() && whole.is_empty();
        if is_idle || pick.hook && self.is_away(&pick.server, now).is_some() {
            return Vec::new();
        }
        items.extend(joined(whole, &pick.locations));
        items.sort_by_key(|item| item.since);
        items.truncate(pick.most);
        items.into_iter().map(|item| self.claim(&item, now)).collect()
    }

    fn claim(&mut self, item: &Item, now: Time) -> Ticket {
        if let [place] = item.places[..] {
            return self.ticket(place, now);
        }
        let number = self.draw();
        for place in &item.places {
            let note = &mut self.waiting[*place];
            (note.tried, note.claimed) = (number, Some(now));
        }
        let later = self.later(&item.folder, None, now);
        let folder = item.folder.clone();
        Ticket { folder, later, number, is_tree: item.is_tree, ..Ticket::default() }
    }

    /// A common parent that is above locations goes as those locations.
    fn spread(&mut self, locations: &[String], now: Time) {
        for place in (0..self.waiting.len()).rev() {
            let What::Tree(folder) = &self.waiting[place].what else { continue };
            let folder = folder.clone();
            let below = |location: &&String| **location != folder && is_within(location, &folder);
            let below: Vec<_> = locations.iter().filter(below).cloned().collect();
            for location in &below {
                self.note(What::Tree(location.clone()), Reason::Changed, now);
            }
            let is_held = locations.iter().any(|location| is_within(&folder, location));
            if !below.is_empty() && !is_held {
                self.waiting.remove(place);
            }
        }
    }

    /// Makes common parents of what is too much.
    pub fn crowd(&mut self, now: Time) {
        while self.waiting.len() > MOST {
            let mut below: BTreeMap<String, usize> = BTreeMap::new();
            for folder in self.waiting.iter().filter_map(|note| note.what.folder()) {
                *below.entry(parent(folder)).or_default() += 1;
            }
            let Some((parent, _)) = below.into_iter().max_by_key(|(_, count)| *count) else {
                tracing::warn!("more than {MOST} scenes wait for Stash: the oldest is forgotten");
                self.waiting.remove(0);
                continue;
            };
            let mut since = now;
            self.waiting.retain(|note| {
                let goes = note.what.folder().is_some_and(|folder| is_within(folder, &parent));
                since = if goes { since.min(note.since) } else { since };
                !goes
            });
            let place = self.note(What::Tree(parent), Reason::Changed, now);
            self.waiting[place].since = since;
        }
    }
}

/// Joins more than [`MANY`] below one parent, from the deepest up.
fn joined(items: Vec<Item>, locations: &[String]) -> Vec<Item> {
    let mut levels: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
    for item in items {
        let depth = RemotePath::parse(&item.folder).map_or(0, |path| path.depth());
        levels.entry(depth).or_default().push(item);
    }
    let mut done = Vec::new();
    while let Some((depth, items)) = levels.pop_last() {
        let mut families: BTreeMap<String, Vec<Item>> = BTreeMap::new();
        for item in unique(items) {
            families.entry(parent(&item.folder)).or_default().push(item);
        }
        for (parent, family) in families {
            match depth.checked_sub(1).filter(|_| may_join(&parent, &family, locations)) {
                Some(above) => levels.entry(above).or_default().push(tree(parent, family)),
                None => done.extend(family),
            }
        }
    }
    done
}

/// One item a folder.
fn unique(items: Vec<Item>) -> Vec<Item> {
    let mut unique: BTreeMap<String, Item> = BTreeMap::new();
    for item in items {
        match unique.get_mut(&item.folder) {
            None => drop(unique.insert(item.folder.clone(), item)),
            Some(known) => {
                known.since = known.since.min(item.since);
                known.is_tree |= item.is_tree;
                known.places.extend(item.places);
            }
        }
    }
    unique.into_values().collect()
}

fn may_join(parent: &str, family: &[Item], locations: &[String]) -> bool {
    let is_location = locations.iter().any(|location| location == parent);
    let many = if is_location { MANY_IN_LOCATION } else { MANY };
    // Who holds a child has to hold the parent, too.
    let is_narrower = |location: &String| {
        location != parent
            && is_within(location, parent)
            && family.iter().any(|item| is_within(&item.folder, location))
    };
    family.len() > many
        && locations.iter().any(|location| is_within(parent, location))
        && !locations.iter().any(is_narrower)
}

fn tree(folder: String, family: Vec<Item>) -> Item {
    let since = family.iter().map(|item| item.since).min().unwrap_or(Time::NEVER);
    let places = family.into_iter().flat_map(|item| item.places).collect();
    Item { folder, since, places, is_tree: true }
}

/// The folder above; a root's is itself.
pub(super) fn parent(folder: &str) -> String {
    RemotePath::parse(&format!("{folder}/.."))
        .map_or_else(|| folder.to_owned(), |parent| parent.to_string())
}

/// Whether `folder` is `root` or below it. Both are tidy.
pub(super) fn is_within(folder: &str, root: &str) -> bool {
    let Some(rest) = folder.strip_prefix(root) else { return false };
    let is_posix = root.starts_with('/') && !root.starts_with("//");
    let separates = |letter: char| letter == '/' || letter == '\\' && !is_posix;
    rest.is_empty() || root.ends_with(separates) || rest.starts_with(separates)
}
