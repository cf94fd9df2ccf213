//! Asks one server for what the outbox gives out, and brings back what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::plex::SectionScan;
use tokio::time::Instant;

use super::super::errors::Reader;
use super::super::{Worker, errors};
use super::failure::{Failure, is_a_restart};
use super::server::{Server, kept};
use super::{Conversation, blocking, say};
use crate::plex::{PlexError, Scanner};
use crate::rpc::StashCall;
use crate::scans::{Kind, Outbox, Outcome, Pick, Reason, Sweep, Ticket};

/// How long a call sends what waits beside its own work, and how much.
pub(super) const BESIDES: (Duration, usize) = (Duration::from_secs(1), 50);
/// The end of a message about a folder that waits.
pub(super) const WAITS: &str = "; what is to be scanned waits";
/// How many tickets are taken at a time.
const BATCH: usize = 50;

/// Sends tickets of the outbox to one server.
pub(super) struct Sender {
    pub(super) worker: Arc<Worker>,
    pub(super) call: Arc<StashCall>,
    pub(super) outbox: Outbox,
    pub(super) server: Server,
    /// As a hook: leaves a server alone that is away, and says only what was not said lately.
    pub(super) hook: bool,
    pub(super) deadline: Instant,
    /// When what waits has had its time.
    pub(super) until: Option<Instant>,
    pub(super) scanner: Option<Scanner>,
    /// Why nothing more is sent; the reason for what waits therefore.
    pub(super) stopped: Option<Option<Reason>>,
    /// Why Plex can't be asked for the next ticket.
    pub(super) failure: Option<Failure>,
    /// Whether Plex was asked for all it has: then an empty location is what the user means.
    pub(super) is_whole: bool,
    /// Whether Plex was too slow for what little time there is.
    pub(super) is_slow: bool,
    /// What Plex took.
    pub(super) scans: Vec<SectionScan>,
    /// Whether it did not take all.
    pub(super) waits: bool,
    /// What Plex, or its absence, said first.
    pub(super) error: Option<ErrorObject>,
    /// Why nothing could be sent to any server.
    pub(super) broken: Option<ErrorObject>,
    /// What there is to say, by kind.
    pub(super) messages: BTreeMap<Kind, String>,
}

impl Sender {
    pub(super) fn new(conversation: &Conversation, server: Server, hook: bool) -> Self {
        let Conversation { worker, call, outbox, deadline, .. } = conversation.clone();
        Self {
            worker,
            call,
            outbox,
            server,
            hook,
            deadline,
            until: None,
            scanner: None,
            stopped: None,
            failure: None,
            is_whole: false,
            is_slow: false,
            scans: Vec::new(),
            waits: false,
            error: None,
            broken: None,
            messages: BTreeMap::new(),
        }
    }

    /// Asks for all folders of all sections, or of `only` that one.
    pub(super) async fn everything(&mut self, only: Option<&str>) -> Result<(), ErrorObject> {
        let asked = match self.scanner().await {
            Ok(scanner) => scanner.everything(only).await,
            Err(Failure::Plex(error)) => Err(error),
            Err(Failure::Other(error)) => return Err(error),
        };
        let (outbox, key) = (self.outbox.clone(), self.server.key.clone());
        let Err(error) = asked else {
            self.is_whole = only.is_none();
            return blocking(move || outbox.answered(&key)).await;
        };
        let restarted = is_a_restart(&error);
        let is_of_section = only.is_some() && matches!(error, PlexError::Refused(_));
        let error = errors::of_plex(error, Reader::StashUser, self.server.account.router.as_ref());
        if !is_of_section {
            let reason = error.message.clone();
            blocking(move || outbox.went_away(&key, &reason, restarted)).await?;
        }
        Err(error)
    }

    /// Asks for each of these, and once more for what changed meanwhile.
    pub(super) async fn send(&mut self, mut tickets: Vec<Ticket>) -> Result<(), ErrorObject> {
        while !tickets.is_empty() {
            let mut done = Vec::new();
            for mut ticket in std::mem::take(&mut tickets) {
                if !self.hook {
                    // A person waits for what they say.
                    ticket.later.clear();
                }
                let outcome = match is_told(&done, &ticket) {
                    true => Outcome::NotAsked(None),
                    false => self.ask(&mut ticket).await?,
                };
                let is_done =
                    matches!(&outcome, Outcome::Answered { refused, .. } if refused.is_empty());
                // Sections that are not asked now wait.
                let is_done = is_done && ticket.later.is_empty();
                self.waits |= !is_done && outcome != Outcome::NoSection;
                done.push((ticket, outcome));
            }
            let (outbox, key, hook) = (self.outbox.clone(), self.server.key.clone(), self.hook);
            let list = self.scanner.as_ref().and_then(Scanner::newly_read).map(kept);
            let finished = blocking(move || {
                if let Some(list) = list {
                    outbox.keep_sections(&key, list);
                }
                outbox.finish(&key, hook, &done)
            });
            let finished = finished.await?;
            for (kind, when) in finished.say {
                say(self.messages.get(&kind).map_or("", String::as_str), when);
            }
            tickets = finished.again;
        }
        Ok(())
    }

    /// Sends what waits, oldest first: `most` of it, until `until`. Returns how many folders Plex took.
    pub(super) async fn sweep(
        &mut self,
        mut sweep: Sweep,
        until: Instant,
        most: usize,
    ) -> Result<usize, ErrorObject> {
        let until = until.min(self.deadline);
        self.until = Some(until);
        if let Some(scanner) = &mut self.scanner {
            scanner.set_deadline(until);
        }
        self.scans.clear();
        let mut left = most;
        while left > 0 && self.stopped.is_none() && Instant::now() < until {
            let (most, locations) = match self.locations().await {
                Ok(locations) => (left.min(BATCH), locations),
                Err(failure) => {
                    // What waits has to know.
                    self.failure = Some(failure);
                    (1, Vec::new())
                }
            };
            let (server, hook) = (self.server.key.clone(), self.hook);
            let pick = Pick { server, most, hook, locations };
            let outbox = self.outbox.clone();
            let picked = blocking(move || (outbox.pick(&pick, &mut sweep), sweep)).await?;
            let tickets;
            (tickets, sweep) = picked;
            if tickets.is_empty() {
                break;
            }
            left -= tickets.len();
            self.send(tickets).await?;
        }
        if self.is_slow && self.hook && self.scans.is_empty() {
            let (outbox, key) = (self.outbox.clone(), self.server.key.clone());
            blocking(move || outbox.was_slow(&key)).await?;
        }
        let folders: BTreeSet<_> = self.scans.iter().map(|scan| &scan.folder).collect();
        Ok(folders.len())
    }

    pub(super) fn end(&self) -> Instant {
        self.until.unwrap_or(self.deadline)
    }
}

/// Whether Plex has taken a request that was for this one, too.
fn is_told(done: &[(Ticket, Outcome)], ticket: &Ticket) -> bool {
    done.iter().any(|(asked, outcome)| {
        let is_taken = matches!(outcome, Outcome::Answered { refused, .. } if refused.is_empty());
        is_taken && asked.is_for_other(ticket)
    })
}
