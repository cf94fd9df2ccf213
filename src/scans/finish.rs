//! What has been asked: taken out, noted for later, or to be asked for once more.

use std::collections::BTreeMap;
use std::time::Duration;

use super::call::{Finished, Kind, Outcome, Ticket};
use super::pick::is_within;
use super::state::{Asked, Away, Note, ROOTS, Reason, Refused, Server, State, What};
use super::time::Time;

/// How much Plex may lose when it is restarted.
const QUEUE: Duration = Duration::from_secs(60);
/// How old what is refused once more is when it is given up.
const OLDEST: Duration = Duration::from_secs(30 * 24 * 3600);

impl State {
    /// Takes out what Plex has taken, and notes what it has not.
    pub fn finish(
        &mut self,
        server: &str,
        hook: bool,
        done: &[(Ticket, Outcome)],
        now: Time,
    ) -> Finished {
        let mut finished = Finished::default();
        for (ticket, outcome) in done {
            let kind = self.settle(server, ticket, outcome, now);
            if let Some(kind) = kind.filter(|_| hook) {
                let say = self.say(server, kind, now);
                finished.say.entry(kind).or_insert(say);
            }
            let answered = matches!(outcome, Outcome::Answered { .. } | Outcome::NoSection);
            for place in 0..self.waiting.len() {
                let note = &mut self.waiting[place];
                if note.tried != ticket.number || note.claimed.take().is_none() {
                    continue;
                }
                if answered && note.number > ticket.number {
                    finished.again.push(self.ticket(place, now));
                }
            }
        }
        finished
    }

    fn settle(
        &mut self,
        server: &str,
        ticket: &Ticket,
        outcome: &Outcome,
        now: Time,
    ) -> Option<Kind> {
        match outcome {
            Outcome::Answered { taken, refused } => {
                self.answered(server, ticket, taken, refused, now);
                (!refused.is_empty()).then_some(Kind::Refused)
            }
            Outcome::NoSection => {
                self.server(server).away = None;
                let refused = |note: &Note| note.refused.is_some() && ticket.is_for(&note.what);
                let is_refused = ticket.section.is_some() && self.waiting.iter().any(refused);
                self.take_out(ticket, |_| true);
                if is_refused {
                    // The section that refused it is gone, and another may hold it now.
                    self.note(What::Folder(ticket.folder.clone()), Reason::Changed, now);
                }
                Some(Kind::NoSection)
            }
            Outcome::Away { reason, restarted } => {
                self.went_away(server, reason, *restarted, now);
                self.explain(ticket, &Reason::Away(reason.clone()));
                Some(Kind::Away)
            }
            Outcome::NotAsked(reason) => {
                reason.iter().for_each(|reason| self.explain(ticket, reason));
                None
            }
        }
    }

    fn answered(
        &mut self,
        server: &str,
        ticket: &Ticket,
        taken: &[String],
        refused: &[(String, String)],
        now: Time,
    ) {
        self.server(server).away = None;
        let since = self.take_out(ticket, |section| taken.iter().any(|key| key == section));
        for (section, reason) in refused {
            self.refused(ticket, section, reason, since.unwrap_or(now), now);
        }
        if taken.is_empty() {
            return;
        }
        // What was said where no server was known is over, too.
        self.servers.remove("");
        let still_refused = self.waiting.iter().any(|note| note.refused.is_some());
        let server = self.server(server);
        server.told.retain(|kind, _| !matches!(kind, Kind::Away | Kind::NotSent));
        if !still_refused {
            server.told.remove(&Kind::Refused);
        }
        let is_later =
            server.asked.get(&ticket.folder).is_some_and(|asked| asked.number > ticket.number);
        if let Some(sent) = ticket.sent.filter(|_| ticket.section.is_none() && !is_later) {
            let asked =
                Asked { number: ticket.number, sent, mark: ticket.mark.as_deref().cloned() };
            server.asked.insert(ticket.folder.clone(), asked);
        }
    }

    /// Takes out what was noted before the ticket was drawn, and tells since when it waited. Of notes for one section
    /// alone, those whose section fits.
    fn take_out(&mut self, ticket: &Ticket, fits: impl Fn(&str) -> bool) -> Option<Time> {
        let mut since = None;
        self.waiting.retain(|note| {
            let of_section = match (note.what.section(), &ticket.section) {
                (Some(section), only) => {
                    fits(section) && only.as_ref().is_none_or(|only| only == section)
                }
                (None, only) => only.is_none(),
            };
            let goes = of_section && note.number < ticket.number && ticket.is_for(&note.what);
            if goes {
                since = Some(since.map_or(note.since, |since: Time| since.min(note.since)));
            }
            !goes
        });
        since
    }

    fn refused(&mut self, ticket: &Ticket, section: &str, reason: &str, since: Time, now: Time) {
        let what = What::of(&ticket.folder, Some(section));
        let known = self.waiting.iter().position(|note| note.what == what);
        let place = known.unwrap_or_else(|| self.note(what, Reason::Changed, now));
        let number = self.draw();
        let note = &mut self.waiting[place];
        if ticket.section.is_none() {
            // What an earlier request for this section alone has told Plex was not this.
            note.number = number;
        }
        note.reason = Reason::Refused(reason.to_owned());
        note.since = note.since.min(since);
        (note.tried, note.claimed) = (ticket.number, None);
        let times = note.refused.as_ref().map_or(0, |refused| refused.times);
        note.refused = Some(Refused { times: times.saturating_add(1), last: now });
        if note.since.age(now).is_some_and(|age| age > OLDEST) {
            self.waiting.remove(place);
        }
    }

    /// Not away any more.
    pub fn came_back(&mut self, server: &str) {
        if let Some(server) = self.servers.get_mut(server) {
            server.away = None;
            server.told.retain(|kind, _| !matches!(kind, Kind::Away | Kind::NotSent));
        }
    }

    /// From now on hooks only note.
    pub fn went_away(&mut self, server: &str, reason: &str, restarted: bool, now: Time) {
        let server = self.server(server);
        let before = server.away.as_ref().map(|away| away.since);
        let since = before.filter(|since| since.age(now).is_some()).unwrap_or(now);
        server.away = Some(Away { since, tried: now, reason: reason.to_owned() });
        if !restarted {
            return;
        }
        let lost = |asked: &Asked| asked.sent.age(now).is_none_or(|age| age < QUEUE);
        let all = std::mem::take(&mut server.asked);
        let (lost, kept): (BTreeMap<_, _>, _) = all.into_iter().partition(|(_, asked)| lost(asked));
        server.asked = kept;
        for (folder, _) in lost {
            self.note(What::Folder(folder), Reason::MayBeLost, now);
        }
    }

    /// Whether a location may be asked for in the place of a folder that is gone; from then on it has been.
    pub fn may_ask_root(&mut self, server: &str, location: &str, now: Time) -> bool {
        let roots = &mut self.server(server).roots;
        let may = !roots.get(location).is_some_and(|asked| asked.is_within(ROOTS, now));
        if may {
            roots.insert(location.to_owned(), now);
        }
        may
    }

    /// The folders that wait at or below this one.
    pub fn folders_below(&self, root: &str) -> impl Iterator<Item = String> {
        let folders = self.waiting.iter().filter_map(|note| note.what.folder());
        folders.filter(move |folder| is_within(folder, root)).map(str::to_owned)
    }

    fn explain(&mut self, ticket: &Ticket, reason: &Reason) {
        for note in &mut self.waiting {
            if note.tried == ticket.number && ticket.number > 0 {
                note.reason = reason.clone();
            }
        }
    }

    fn server(&mut self, key: &str) -> &mut Server {
        self.servers.entry(key.to_owned()).or_default()
    }
}
