//! What a call brings and gets: arrivals, verdicts, tickets and their outcomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mark::Mark;
use super::pick::is_within;
use super::state::{Away, Reason, What};
use super::store::Kept;
use super::time::Time;

/// A call that has found changed folders.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// The server's key; `None` where none is configured.
    pub server: Option<String>,
    /// Why there is none, for the user.
    pub no_server: String,
    /// The folders, each once.
    pub folders: Vec<Changed>,
    /// The only section that is to be asked.
    pub section: Option<String>,
    /// Whether to ask whatever was asked before.
    pub fresh: bool,
    /// Whether this is a hook. What is not is never skipped and never held up: a person waits for its answer.
    pub hook: bool,
}

/// A folder as Stash sees it, before `path_map`, in the text of [`crate::remote_path::RemotePath`]'s `Display`.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The folder.
    pub folder: String,
    /// The files in it that have changed; without any the folder is never skipped.
    pub files: Vec<String>,
}

/// What to do about a call's folders.
#[derive(Debug)]
pub struct Arrived {
    /// One for each folder of the [`Arrival`], in order.
    pub folders: Vec<Verdict>,
    /// Why nothing is to be sent now.
    pub away: Option<Away>,
    /// Where something is wrong (no server, or away), whether a hook is to say so.
    pub say: Option<Say>,
    /// Whether [`super::Outbox::pick`] may find something to send as well.
    pub more: bool,
    /// For [`super::Outbox::pick`]: what this call has tried is not picked.
    pub sweep: Sweep,
}

/// What to do about one folder.
#[derive(Debug)]
pub enum Verdict {
    /// Plex was asked after everything in it was there.
    Skipped,
    /// It is noted: the server is away, none is configured, or another process asks for it and will once more.
    Waiting,
    /// To be asked for now.
    Ask(Ticket),
}

/// Where a call's tries begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sweep(pub(super) Option<u64>);

/// What one request, or one for each section, is for. Take the mark ([`super::Outbox::look`]) just before it is sent,
/// and bring it back ([`super::Outbox::finish`]), whatever became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    /// As Stash sees it.
    pub folder: String,
    /// The only section to ask.
    pub section: Option<String>,
    /// Sections not to ask now: they refused it again and again.
    pub later: Vec<String>,
    /// What to ask for in the place of a folder that is gone: see [`super::Outbox::stand_in`].
    pub instead: Option<String>,
    pub(super) number: u64,
    /// Whether it is for all that waits below the folder, too.
    pub(super) is_tree: bool,
    /// Other folders that are gone, and that the same request is for.
    pub(super) with: Vec<String>,
    pub(super) sent: Option<Time>,
    pub(super) mark: Option<Box<Mark>>,
}

/// What became of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Plex answered each request: the sections that took it, and those that refused it, with the reason.
    Answered {
        /// Keys of sections.
        taken: Vec<String>,
        /// Keys of sections and reasons.
        refused: Vec<(String, String)>,
    },
    /// A list of sections that was read in this call holds it nowhere, or has not the ticket's section.
    NoSection,
    /// No connection, out of time, 429, 5xx, or the list of sections was refused.
    Away {
        /// For the user; no secrets.
        reason: String,
        /// Whether Plex may have been restarted: there was no connection, or it said that it is starting.
        restarted: bool,
    },
    /// It was not asked for; the reason, if there is a new one.
    NotAsked(Option<Reason>),
}

/// What is left to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// What changed while it was asked for: to be asked for once more, as long as there is time.
    pub again: Vec<Ticket>,
    /// What a hook is to say of what went wrong.
    pub say: BTreeMap<Kind, Say>,
}

/// What a user is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No server is configured.
    NotConfigured,
    /// The server is away.
    Away,
    /// A section refused.
    Refused,
    /// No section holds the folder.
    NoSection,
    /// Nothing can be sent to any server.
    NotSent,
    /// A folder is gone, and its location is empty.
    EmptyLocation,
    /// Stash can't tell the files of a scene.
    Stash,
}

/// Whether to say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    /// Now, and how often it was not said since it was the last time.
    Now {
        /// For "and 199 more".
        silent: u64,
    },
    /// It was said within the last ten minutes.
    Silent,
}

impl Arrival {
    /// Whether it may be skipped for what Plex was asked before.
    pub(super) fn may_skip(&self) -> bool {
        self.hook && !self.fresh && self.section.is_none()
    }
}

impl Arrived {
    /// Where nothing could be written all is asked for now; a number that is in no file takes out only what was noted
    /// before it was drawn.
    pub fn if_kept(mut self, kept: Kept, arrival: &Arrival, before: u64) -> Self {
        if kept == Kept::Whole {
            return self;
        }
        for (verdict, changed) in self.folders.iter_mut().zip(&arrival.folders) {
            match verdict {
                Verdict::Ask(ticket) => ticket.number = before,
                Verdict::Waiting if kept == Kept::Lost && arrival.server.is_some() => {
                    let (folder, section) = (changed.folder.clone(), arrival.section.clone());
                    *verdict = Verdict::Ask(Ticket { folder, section, ..Ticket::default() });
                }
                Verdict::Waiting | Verdict::Skipped => {}
            }
        }
        Self { more: false, ..self }
    }
}

impl Ticket {
    pub(super) fn is_for(&self, what: &What) -> bool {
        let Some(folder) = what.folder() else { return false };
        folder == self.folder
            || self.is_tree && is_within(folder, &self.folder)
            || self.with.iter().any(|gone| gone == folder)
    }

    /// Whether a request for this one is for that one, too.
    pub fn is_for_other(&self, other: &Self) -> bool {
        self.section.is_none() && other.section.is_none() && self.with.contains(&other.folder)
    }

    /// What to ask Plex to scan, as Stash sees it.
    pub fn target(&self) -> &str {
        self.instead.as_deref().unwrap_or(&self.folder)
    }
}
