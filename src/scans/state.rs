//! What `scans.json` holds. Members that are not known here are not kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arrive::KNOWN;
use super::call::Kind;
use super::mark::Mark;
use super::time::Time;

/// More than any process ever draws.
const MOST_NUMBERS: u64 = 1 << 53;
/// How long a list of sections is good.
pub(super) const FRESH: Duration = Duration::from_secs(300);
/// How long a location that was asked for in the place of folders that are gone is not asked for again.
pub(super) const ROOTS: Duration = Duration::from_secs(60);
/// How long a count of what was not said is kept.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Of how many folders it is kept that they were asked for.
const MOST_ASKED: usize = 2_000;

/// The whole file. All that is missing in it has a default: a file of any version can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The number of the next note or ticket: they have one order.
    pub next: u64,
    /// What waits, whatever server it is for.
    pub waiting: Vec<Note>,
    /// By origin and base path of a configured URL, or the identifier of an account's server.
    pub servers: BTreeMap<String, Server>,
}

impl State {
    /// # Errors
    /// Why these bytes are not what a file holds.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let mut state: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let numbers = state.waiting.iter().map(|note| note.number.max(note.tried));
        let asked = state.servers.values().flat_map(|server| server.asked.values());
        let last = numbers.chain(asked.map(|asked| asked.number)).max().unwrap_or_default();
        state.next = state.next.max(last);
        match state.next <= MOST_NUMBERS {
            true => Ok(state),
            false => Err(format!("its numbers are larger than {MOST_NUMBERS}")),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether something waits that did not before, or that a process asked for in vain.
    pub fn waits_anew(&self, before: &Self) -> bool {
        let before: BTreeSet<_> = before.unclaimed().collect();
        self.unclaimed().any(|number| !before.contains(&number))
    }

    /// What has changed after it was claimed is in nobody's request, either.
    fn unclaimed(&self) -> impl Iterator<Item = u64> {
        let is_free = |note: &&Note| note.claimed.is_none() || note.number > note.tried;
        self.waiting.iter().filter(is_free).map(|note| note.number)
    }

    /// Leaves out what has no meaning any more, and what would be too much.
    pub fn tidy(&mut self, now: Time) {
        for note in &mut self.waiting {
            note.since = note.since.min(now);
        }
        self.crowd(now);
        for server in self.servers.values_mut() {
            server.tidy(now);
        }
        self.servers.retain(|_, server| *server != Server::default());
    }
}

impl Server {
    fn tidy(&mut self, now: Time) {
        self.sections.take_if(|sections| !sections.read.is_within(FRESH, now));
        self.roots.retain(|_, asked| asked.is_within(ROOTS, now));
        self.told.retain(|_, told| told.last.is_within(REMEMBERED, now));
        self.away.take_if(|away| away.since.age(now).is_none());
        self.asked.retain(|_, asked| asked.sent.is_within(KNOWN, now));
        if self.asked.len() > MOST_ASKED {
            let mut sent: Vec<_> = self.asked.values().map(|asked| asked.sent).collect();
            sent.sort_unstable();
            let oldest = sent[sent.len() - MOST_ASKED];
            self.asked.retain(|_, asked| asked.sent >= oldest);
        }
    }
}

/// What waits to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub what: What,
    /// Given anew when it changes once more after a request was begun.
    pub number: u64,
    pub since: Time,
    pub reason: Reason,
    /// The number of the last ticket that it was given to; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tried: u64,
    /// When a process took it to ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Time>,
    /// How often in a row, and when last, Plex refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// A folder, with all that is below it perhaps, or a scene whose files Stash could not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Folder(String),
    /// A folder of one section alone.
    Part {
        folder: String,
        section: String,
    },
    /// The common parent of folders that were too many.
    Tree(String),
    /// By its id.
    Scene(String),
}

impl What {
    pub fn of(folder: &str, section: Option<&str>) -> Self {
        let folder = folder.to_owned();
        match section {
            None => Self::Folder(folder),
            Some(section) => Self::Part { folder, section: section.to_owned() },
        }
    }

    pub fn folder(&self) -> Option<&str> {
        match self {
            Self::Folder(folder) | Self::Part { folder, .. } | Self::Tree(folder) => Some(folder),
            Self::Scene(_) => None,
        }
    }

    pub fn section(&self) -> Option<&str> {
        match self {
            Self::Part { section, .. } => Some(section),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub times: u32,
    pub last: Time,
}

/// Why something waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It has changed, and was not asked for yet.
    Changed,
    /// No Plex server is configured.
    NotConfigured(String),
    /// The server is away, and why.
    Away(String),
    /// What Plex answered.
    Refused(String),
    /// It was asked for shortly before the server went away.
    MayBeLost,
    /// Nothing can be sent to any server, and why.
    NotSent(String),
    /// It is gone, and so is all else in this folder of a library, or that itself: a disk may be away.
    EmptyLocation(String),
    /// It is gone, and what is above it was asked for a moment ago.
    AskedAbove(String),
    /// Stash could not tell the scene's files, and why.
    Stash(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => formatter.write_str("Plex was not asked yet"),
            Self::NotConfigured(why) | Self::NotSent(why) => formatter.write_str(why),
            Self::Away(reason) => write!(formatter, "Plex was away: {reason}"),
            Self::Refused(reason) => write!(formatter, "Plex refused it: {reason}"),
            Self::MayBeLost => formatter
                .write_str("Plex was asked shortly before it went away, and may have forgotten it"),
            Self::EmptyLocation(folder) => {
                write!(
                    formatter,
                    "it is gone, and so is all else in `{folder}`: its disk may be away"
                )
            }
            Self::AskedAbove(folder) => {
                write!(formatter, "it is gone, and Plex was asked to scan `{folder}` a moment ago")
            }
            Self::Stash(reason) => write!(formatter, "Stash could not tell its files: {reason}"),
        }
    }
}

/// What is known of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sections: Option<Sections>,
    /// What it took, by folder.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, Asked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// When it was last too slow for what waits to be sent beside a call's own work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<Time>,
    /// What the user was told, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<Kind, Told>,
    /// When a location was last asked for in the place of folders that are gone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roots: BTreeMap<String, Time>,
}

/// Library sections as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sections {
    pub read: Time,
    pub list: Vec<Section>,
}

/// A library section, in Plex's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its key.
    pub key: String,
    /// What it holds: `movie`, `show`, ...
    #[serde(default)]
    pub kind: String,
    /// The folders that it covers, as Plex writes them.
    pub locations: Vec<String>,
}

/// A request that the server took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The number of its ticket.
    pub number: u64,
    pub sent: Time,
    /// Of the folder just before; `None` where it could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// A server that is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    pub since: Time,
    /// When a process last took it on itself to try.
    pub tried: Time,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub last: Time,
    /// How often nothing was said since.
    #[serde(default)]
    pub silent: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
