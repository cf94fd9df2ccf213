//! What comes in: noted, skipped, or to be asked for.

use std::time::Duration;

use super::call::{Arrival, Arrived, Changed, Kind, Say, Sweep, Ticket, Verdict};
use super::mark::Look;
use super::state::{Asked, Away, Note, Reason, Refused, State, Told, What};
use super::time::Time;

/// How long a folder that was asked for can make a hook be skipped.
pub(super) const KNOWN: Duration = Duration::from_secs(600);
/// How much older than its request everything in a folder has to be: some disks have steps of two seconds.
const STEP: Duration = Duration::from_secs(2);
/// The same, where the times of what stands in it are not known.
const STEP_UNSEEN: Duration = Duration::from_secs(60);
/// For how long what a process asks for is left to it.
pub(super) const CLAIM: Duration = Duration::from_secs(30);
/// How often a server that is away is tried.
const RETRY: Duration = Duration::from_secs(60);
/// How long the same is not said again.
const SILENCE: Duration = Duration::from_secs(600);
/// From how many refusals in a row on a section is tried [`HOUR`]ly only.
const REFUSALS: u32 = 3;

const HOUR: Duration = Duration::from_secs(3600);

impl State {
    /// A hook's folder that was asked for after everything in it was there.
    pub fn is_known(&self, server: &str, folder: &str, look: Option<&Look>, now: Time) -> bool {
        let asked = self.servers.get(server).and_then(|server| server.asked.get(folder));
        let (Some(Asked { sent, mark: Some(mark), .. }), Some(look)) = (asked, look) else {
            return false;
        };
        let older = |time: Time, step| sent.after(time).is_some_and(|age| age > step);
        let unchanged = match mark.newest {
            Some(kept) => look.file <= kept && older(kept, STEP) && older(look.file, STEP),
            None => older(look.file, STEP_UNSEEN),
        };
        // What is gone was gone then, too, where the names are the same; if it had come and gone again since, the folder
        // would tell.
        let is_gone = look.file == Time::NEVER && mark.stat.newest().is_fine();
        sent.is_within(KNOWN, now)
            && mark.is_same(&look.mark)
            && (is_gone || older(mark.stat.newest(), STEP) && unchanged)
    }

    /// Notes what has changed, and tells what to ask for now. `looks` are how its folders are, in the same order.
    pub fn arrive(&mut self, arrival: &Arrival, looks: &[Option<Look>], now: Time) -> Arrived {
        let sweep = Sweep(Some(self.next));
        let known = self.known(arrival, looks, now);
        let all_known = known.iter().all(|known| *known);
        let away = match (&arrival.server, all_known) {
            (Some(server), false) if arrival.hook => self.is_away(server, now),
            _ => None,
        };
        let say = match (&arrival.server, &away) {
            _ if all_known || !arrival.hook => None,
            (None, _) => Some(self.say("", Kind::NotConfigured, now)),
            (Some(server), Some(_)) => Some(self.say(server, Kind::Away, now)),
            (Some(_), None) => None,
        };
        let mut folders = Vec::new();
        for (changed, known) in arrival.folders.iter().zip(known) {
            folders.push(match known {
                true => Verdict::Skipped,
                false => self.come(changed, arrival, away.as_ref(), now),
            });
        }
        let server = arrival.server.as_deref().filter(|_| away.is_none());
        // Who has something to ask for is the one that tries a server that was away.
        let is_shy = arrival.hook && all_known;
        let more = server.is_some_and(|server| self.has_more(server, is_shy, now));
        Arrived { folders, away, say, more, sweep }
    }

    /// Which of the folders are skipped: none of which no look was taken.
    pub fn known(&self, arrival: &Arrival, looks: &[Option<Look>], now: Time) -> Vec<bool> {
        let server = arrival.server.as_ref();
        let known = |(changed, look): (&Changed, &Option<Look>)| {
            server.is_some_and(|server| self.is_known(server, &changed.folder, look.as_ref(), now))
        };
        arrival.folders.iter().zip(looks).map(known).collect()
    }

    fn come(
        &mut self,
        changed: &Changed,
        arrival: &Arrival,
        away: Option<&Away>,
        now: Time,
    ) -> Verdict {
        let reason = match (&arrival.server, away) {
            (None, _) => Reason::NotConfigured(arrival.no_server.clone()),
            (Some(_), Some(away)) => Reason::Away(away.reason.clone()),
            (Some(_), None) => Reason::Changed,
        };
        let waits = reason != Reason::Changed;
        let place = self.note(What::of(&changed.folder, arrival.section.as_deref()), reason, now);
        if waits || arrival.hook && self.waiting[place].is_claimed(now) {
            return Verdict::Waiting;
        }
        Verdict::Ask(self.ticket(place, now))
    }

    /// Notes that it waits, and tells its place in the list.
    pub fn note(&mut self, what: What, reason: Reason, now: Time) -> usize {
        match self.waiting.iter().position(|note| note.what == what) {
            Some(place) => {
                // Who asks for it now may have begun before it changed.
                if self.waiting[place].number <= self.waiting[place].tried {
                    self.waiting[place].number = self.draw();
                }
                if !matches!(reason, Reason::Changed) {
                    self.waiting[place].reason = reason;
                }
                place
            }
            None => {
                let number = self.draw();
                let note = Note {
                    what,
                    number,
                    since: now,
                    reason,
                    tried: 0,
                    claimed: None,
                    refused: None,
                };
                self.waiting.push(note);
                self.waiting.len() - 1
            }
        }
    }

    /// Gives it to the caller, for as long as a claim holds.
    pub fn ticket(&mut self, place: usize, now: Time) -> Ticket {
        let number = self.draw();
        let note = &mut self.waiting[place];
        (note.tried, note.claimed) = (number, Some(now));
        let folder = note.what.folder().unwrap_or_default().to_owned();
        let is_tree = matches!(note.what, What::Tree(_));
        let section = note.what.section().map(str::to_owned);
        let later = self.later(&folder, section.as_deref(), now);
        Ticket { folder, section, later, number, is_tree, ..Ticket::default() }
    }

    /// Sections of a folder that have to wait.
    pub fn later(&self, folder: &str, section: Option<&str>, now: Time) -> Vec<String> {
        let is_later = |note: &&Note| {
            section.is_none() && note.what.folder() == Some(folder) && !note.is_due(now)
        };
        let later = self.waiting.iter().filter(is_later);
        later.filter_map(|note| note.what.section().map(str::to_owned)).collect()
    }

    pub fn draw(&mut self) -> u64 {
        self.next = self.next.saturating_add(1);
        self.next
    }

    /// Why nothing is sent to this server now. Once a minute the caller is the one that tries.
    pub fn is_away(&mut self, server: &str, now: Time) -> Option<Away> {
        let away = self.servers.get_mut(server)?.away.as_mut()?;
        if away.since.age(now).is_some() && away.tried.is_within(RETRY, now) {
            return Some(away.clone());
        }
        away.tried = now;
        None
    }

    fn has_more(&self, server: &str, hook: bool, now: Time) -> bool {
        let known = self.servers.get(server);
        if known.and_then(|server| server.slow).is_some_and(|slow| slow.is_within(RETRY, now)) {
            return false;
        }
        let away = known.and_then(|server| server.away.as_ref());
        let is_held_up = hook
            && away.is_some_and(|away| {
                away.since.age(now).is_some() && away.tried.is_within(RETRY, now)
            });
        !is_held_up && self.waiting.iter().any(|note| !note.is_claimed(now) && note.is_due(now))
    }

    /// Whether to say something of this kind about a server now.
    pub fn say(&mut self, server: &str, kind: Kind, now: Time) -> Say {
        let told = &mut self.servers.entry(server.to_owned()).or_default().told;
        let told = told.entry(kind).or_insert(Told { last: Time::NEVER, silent: 0 });
        if told.last.is_within(SILENCE, now) {
            told.silent = told.silent.saturating_add(1);
            return Say::Silent;
        }
        let silent = std::mem::take(&mut told.silent);
        told.last = now;
        Say::Now { silent }
    }
}

impl Note {
    pub fn is_claimed(&self, now: Time) -> bool {
        self.claimed.is_some_and(|claimed| claimed.is_within(CLAIM, now))
    }

    /// Whether it may be tried: what was refused again and again has to wait.
    pub fn is_due(&self, now: Time) -> bool {
        let waits =
            |refused: &Refused| refused.times >= REFUSALS && refused.last.is_within(HOUR, now);
        !self.refused.as_ref().is_some_and(waits)
    }
}
