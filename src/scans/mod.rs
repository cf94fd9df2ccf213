//! `scans.json`, the outbox: what Plex was asked to scan, what waits, and what to ask now. It decides and remembers; it
//! sends nothing, and knows neither Plex nor Stash.
//!
//! A changed folder is noted in the file before Plex is asked for it, and taken out when Plex has taken it. So what a
//! crash, a Plex that is away or a process that is killed leaves behind is asked for by the next call.
//!
//! How a call in Stash uses it, all on the blocking pool:
//!
//! 1. [`Outbox::arrive`] with the scene's folders. [`Verdict::Skipped`] and [`Verdict::Waiting`] need nothing more.
//! 2. For each ticket: find its sections ([`Outbox::sections`], else read them and [`Outbox::keep_sections`]); then
//!    [`Outbox::stand_in`]; just before the request is sent [`Outbox::look`]; ask all sections but [`Ticket::later`].
//! 3. [`Outbox::finish`] with what became of it. What is in [`Finished::again`] goes through 2 and 3 again; when there
//!    is no time for that, to [`Outbox::finish`] as [`Outcome::NotAsked`].
//! 4. If [`Arrived::more`]: [`Outbox::pick`], and 2 and 3 for each ticket, as long as there is time. Tasks do this
//!    before their own request, and until nothing is picked.
//!
//! A ticket that is not brought back (a killed process) is free again after 30 s. No method fails: where the file can't
//! be read or written there is a warning in the log, and every folder is asked for.

mod arrive;
mod call;
mod finish;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gone;
mod mark;
mod pending;
mod pick;
mod state;
mod store;
mod time;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub use call::{Arrival, Arrived, Changed, Finished, Kind, Outcome, Say, Sweep, Ticket, Verdict};
pub use pending::{Pending, Scene, Summary, Waits, rfc3339};
pub use pick::Pick;
pub use state::{Away, Reason, Section};

use crate::files::Problem;
use gone::Standing;
use mark::{Disk, Local, Look, Mark};
use state::{Note, Sections, State, What};
use store::{Kept, Seen, Store};
use time::Time;

/// The outbox of one data folder. Clones are the same one. Making one touches no disk.
#[derive(Clone)]
pub struct Outbox {
    store: Arc<Store>,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

/// What to do about a folder that may be gone.
#[derive(Debug, PartialEq, Eq)]
pub enum StandIn {
    /// Ask for [`Ticket::target`].
    Ask,
    /// Do not ask: bring the ticket back as [`Outcome::NotAsked`] with this reason. Of an empty location the user is to
    /// be told, if so.
    Wait(Reason, Option<Say>),
}

impl Outbox {
    /// The outbox in `data_dir`, which need not exist: nothing is made before something is to be written.
    pub fn new(data_dir: &Path) -> Self {
        let (disk, clock) = (Arc::new(Local), Arc::new(SystemTime::now));
        Self { store: Arc::new(Store::new(data_dir)), disk, clock }
    }

    #[cfg(test)]
    fn with(
        data_dir: &Path,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    ) -> Self {
        Self { store: Arc::new(Store::new(data_dir)), disk, clock }
    }

    /// What a call begins with: notes what has changed, and tells what to ask for. A call whose folders are all skipped
    /// writes nothing, takes no lock.
    pub fn arrive(&self, arrival: &Arrival) -> Arrived {
        let look = |Changed { folder, files }: &Changed| {
            (arrival.may_skip() && !files.is_empty())
                .then(|| Look::take(&*self.disk, Path::new(folder), files))
                .flatten()
        };
        let looks: Vec<_> = arrival.folders.iter().map(look).collect();
        let mut seen = self.store.seen().ok();
        let now = self.now();
        let all_known =
            |seen: &mut Seen| seen.state.known(arrival, &looks, now).iter().all(|known| *known);
        if let Some(seen) = seen.take_if(all_known) {
            return self.store.with_asides(seen).arrive(arrival, &looks, now);
        }
        let mut before = 0;
        let (arrived, kept) = self.store.update(
            seen,
            || self.now(),
            |state, now| {
                before = state.next;
                state.arrive(arrival, &looks, now)
            },
        );
        arrived.if_kept(kept, arrival, before)
    }

    /// Notes scenes whose files Stash could not tell, by their ids. Tells whether to say so.
    pub fn wait_for_stash(&self, scene: &str, reason: &str) -> Say {
        self.change(|state, now| {
            state.note(What::Scene(scene.to_owned()), Reason::Stash(reason.to_owned()), now);
            state.say("", Kind::Stash, now)
        })
    }

    /// The scenes that wait for Stash.
    pub fn scenes(&self) -> Vec<Scene> {
        let state = self.store.read().unwrap_or_default();
        let scene = |note: &Note| match &note.what {
            What::Scene(id) => Some(Scene { id: id.clone(), number: note.number }),
            _ => None,
        };
        state.waiting.iter().filter_map(scene).collect()
    }

    /// Stash has told the files of a scene that waited: its folders wait in its place. None, where there is no such scene.
    pub fn scene_is_known(&self, scene: &Scene, folders: &[String]) {
        self.change(|state, now| {
            let what = What::Scene(scene.id.clone());
            for folder in folders {
                state.note(What::of(folder, None), Reason::Changed, now);
            }
            state.waiting.retain(|note| note.what != what || note.number > scene.number);
            state.servers.entry(String::new()).or_default().told.remove(&Kind::Stash);
        });
    }

    /// Claims what is to be sent now, oldest first, for 30 s. What this call has tried (see [`Arrived::sweep`]; a call
    /// that begins with this has `Sweep::default()`) is not picked once more. Nothing is picked by a hook while the
    /// server is away, but once a minute.
    pub fn pick(&self, pick: &Pick, sweep: &mut Sweep) -> Vec<Ticket> {
        let begin = *sweep;
        let (tickets, kept) = self.store.update(
            None,
            || self.now(),
            |state, now| {
                *sweep = begin;
                state.pick(pick, sweep, now)
            },
        );
        // Numbers that are in no file may be drawn by others.
        if kept == Kept::Whole { tickets } else { Vec::new() }
    }

    /// What to ask for in the place of the ticket's folder, if that is gone. `locations` are those of all sections, as
    /// Stash sees them.
    pub fn stand_in(&self, server: &str, ticket: &mut Ticket, locations: &[String]) -> StandIn {
        let standing = |folder: &str| Standing::of(&*self.disk, folder, locations);
        match standing(&ticket.folder) {
            Standing::AsItIs => StandIn::Ask,
            Standing::Empty(location) => {
                let say = self.told(server, Kind::EmptyLocation);
                StandIn::Wait(Reason::EmptyLocation(location), Some(say))
            }
            Standing::Gone(above) => {
                if locations.contains(&above)
                    && !self.change(|state, now| state.may_ask_root(server, &above, now))
                {
                    return StandIn::Wait(Reason::AskedAbove(above), None);
                }
                let is_gone_too = |folder: &str| standing(folder) == Standing::Gone(above.clone());
                let state = self.store.read().unwrap_or_default();
                ticket.with = state.folders_below(&above).filter(|it| is_gone_too(it)).collect();
                ticket.instead = Some(above);
                StandIn::Ask
            }
        }
    }

    /// Takes the mark of the ticket's folder: to be called just before its first request is sent.
    pub fn look(&self, ticket: &mut Ticket) {
        ticket.sent = Some(self.now());
        let mark = Mark::take(&*self.disk, Path::new(&ticket.folder), true);
        // A folder that has come or gone since [`Outbox::stand_in`] is not the one that is asked for.
        let mark = mark.filter(|mark| (mark.above > 0) == ticket.instead.is_some());
        ticket.mark = mark.map(Box::new);
    }

    /// Brings tickets back. `hook`: whether this is one, which is to say only what was not said lately.
    pub fn finish(&self, server: &str, hook: bool, done: &[(Ticket, Outcome)]) -> Finished {
        let (finished, kept) = self.store.update(
            None,
            || self.now(),
            |state, now| state.finish(server, hook, done, now),
        );
        match kept {
            Kept::Whole => finished,
            Kept::Aside | Kept::Lost => Finished { again: Vec::new(), ..finished },
        }
    }

    /// The server has answered a request that was for no ticket (a whole scan): it is not away.
    pub fn answered(&self, server: &str) {
        self.change(|state, _| state.came_back(server));
    }

    /// The server took so long that nothing could be sent beside a call's own work: for a minute no hook tries.
    pub fn was_slow(&self, server: &str) {
        self.change(|state, now| {
            state.servers.entry(server.to_owned()).or_default().slow = Some(now);
        });
    }

    /// A request that was for no ticket has failed, as in [`Outcome::Away`].
    pub fn went_away(&self, server: &str, reason: &str, restarted: bool) {
        self.change(|state, now| state.went_away(server, reason, restarted, now));
    }

    /// The server's sections, if they were read less than five minutes ago, and when.
    pub fn sections(&self, server: &str) -> Option<(SystemTime, Vec<Section>)> {
        let mut state = self.store.read().ok()?;
        let sections = state.servers.remove(server)?.sections?;
        let is_fresh = sections.read.is_within(state::FRESH, self.now());
        is_fresh.then(|| (sections.read.into(), sections.list))
    }

    /// Keeps the sections that were just read.
    pub fn keep_sections(&self, server: &str, list: Vec<Section>) {
        self.change(|state, now| {
            let sections = Some(Sections { read: now, list: list.clone() });
            state.servers.entry(server.to_owned()).or_default().sections = sections;
        });
    }

    /// Whether to say something of this kind about a server now, or to count it.
    pub fn told(&self, server: &str, kind: Kind) -> Say {
        self.change(|state, now| state.say(server, kind, now))
    }

    /// All that waits, oldest first.
    ///
    /// # Errors
    /// Why the file can't be read.
    pub fn pending(&self) -> Result<Vec<Pending>, Problem> {
        let mut waiting = self.store.read()?.waiting;
        waiting.sort_by_key(|note| note.since);
        let now = self.now();
        Ok(waiting.into_iter().map(|note| note.pending(now)).collect())
    }

    /// Forgets all that waits, and tells how much it was.
    pub fn forget(&self) -> usize {
        let nothing = self.store.read().is_ok_and(|state| state.waiting.is_empty());
        match nothing {
            true => 0,
            false => self.change(|state, _| std::mem::take(&mut state.waiting).len()),
        }
    }

    /// How much waits, since when and why.
    ///
    /// # Errors
    /// Why the file can't be read.
    pub fn summary(&self) -> Result<Summary, Problem> {
        let state = self.store.read()?;
        let away = state.servers.into_iter().filter_map(|(key, server)| {
            let Away { since, reason, .. } = server.away?;
            Some((key, since.into(), reason))
        });
        let oldest = state.waiting.iter().min_by_key(|note| note.since);
        let oldest =
            oldest.map(|note| (note.since.min(self.now()).into(), note.reason.to_string()));
        Ok(Summary { waiting: state.waiting.len(), oldest, away: away.collect() })
    }

    fn change<T>(&self, change: impl FnMut(&mut State, Time) -> T) -> T {
        self.store.update(None, || self.now(), change).0
    }

    fn now(&self) -> Time {
        (self.clock)().into()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbox").field("store", &self.store).finish_non_exhaustive()
    }
}
