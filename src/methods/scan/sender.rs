//! Asks one server for what the outbox gives out, and brings back what became of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::plex::SectionScan;
use tokio::time::Instant;
use tracing::warn;

use super::super::errors::Reader;
use super::super::{Worker, errors, limits};
use super::failure::{Failure, is_a_restart, is_of_sections, is_timeout};
use super::server::{Server, kept, sections};
use super::{Conversation, blocking, say};
use crate::plex::{PlexError, ScanCall, Scanner};
use crate::remote_path::RemotePath;
use crate::rpc::StashCall;
use crate::scans::{Kind, Outbox, Outcome, Pick, Reason, StandIn, Sweep, Ticket};

/// How long a call sends what waits beside its own work, and how much.
pub(super) const BESIDES: (Duration, usize) = (Duration::from_secs(1), 50);
/// The end of a message about a folder that waits.
pub(super) const WAITS: &str = "; what is to be scanned waits";
/// How many tickets are taken at a time.
const BATCH: usize = 50;
/// How old a list of sections may be for what it does not hold to be in no library.
const RECENT: Duration = Duration::from_secs(10);

/// Sends tickets of the outbox to one server.
pub(super) struct Sender {
    worker: Arc<Worker>,
    call: Arc<StashCall>,
    outbox: Outbox,
    server: Server,
    /// As a hook: leaves a server alone that is away, and says only what was not said lately.
    hook: bool,
    deadline: Instant,
    /// When what waits has had its time.
    until: Option<Instant>,
    scanner: Option<Scanner>,
    /// Why nothing more is sent; the reason for what waits therefore.
    stopped: Option<Option<Reason>>,
    /// What Plex took.
    pub(super) scans: Vec<SectionScan>,
    /// Whether it did not take all.
    pub(super) waits: bool,
    /// What Plex, or its absence, said first.
    pub(super) error: Option<ErrorObject>,
    /// Why nothing could be sent to any server.
    pub(super) broken: Option<ErrorObject>,
    /// What there is to say, by kind.
    messages: BTreeMap<Kind, String>,
}

impl Sender {
    pub(super) fn new(conversation: &Conversation, server: Server, hook: bool) -> Self {
        let Conversation { worker, call, outbox, deadline } = conversation.clone();
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
            return blocking(move || outbox.answered(&key)).await;
        };
        let restarted = is_a_restart(&error);
        let is_of_section = only.is_some() && matches!(error, PlexError::Refused(_));
        let error = errors::of_plex(error, Reader::StashUser);
        if !is_of_section {
            let reason = error.message.clone();
            blocking(move || outbox.went_away(&key, &reason, restarted)).await?;
        }
        Err(error)
    }

    /// Asks for each of these, and once more for what changed meanwhile.
    pub(super) async fn send(&mut self, tickets: Vec<Ticket>) -> Result<(), ErrorObject> {
        let mut tickets = VecDeque::from(tickets);
        while !tickets.is_empty() {
            let mut done = Vec::new();
            for mut ticket in std::mem::take(&mut tickets) {
                if !self.hook {
                    // A person waits for what they say.
                    ticket.later.clear();
                }
                let outcome = self.ask(&mut ticket).await?;
                let is_done =
                    matches!(&outcome, Outcome::Answered { refused, .. } if refused.is_empty());
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
            tickets = finished.again.into();
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
            // Where they can't be had, one ticket finds out why.
            let (most, locations) = match self.locations().await {
                Ok(locations) => (left.min(BATCH), locations),
                Err(_) => (1, Vec::new()),
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
        let folders: BTreeSet<_> = self.scans.iter().map(|scan| &scan.folder).collect();
        Ok(folders.len())
    }

    async fn ask(&mut self, ticket: &mut Ticket) -> Result<Outcome, ErrorObject> {
        if let Some(reason) = &self.stopped {
            return Ok(Outcome::NotAsked(reason.clone()));
        }
        if Instant::now() >= self.end() {
            return Ok(Outcome::NotAsked(None));
        }
        let failed = match self.locations().await {
            Err(failure) => failure,
            Ok(locations) => match self.stand_in(ticket, locations).await? {
                StandIn::Wait(reason, when) => {
                    let folder = &ticket.folder;
                    let message = format!(
                        "`{folder}` waits: {reason}; if the disk is there, run *Scan Plex library*"
                    );
                    when.into_iter().for_each(|when| say(&message, when));
                    return Ok(Outcome::NotAsked(Some(reason)));
                }
                StandIn::Ask => match self.scan(ticket).await {
                    Ok(scans) => return Ok(self.answered(scans, Vec::new())),
                    Err(failure) => failure,
                },
            },
        };
        Ok(self.failed(failed))
    }

    /// What to ask for in the place of a folder that is gone; and its mark, as nothing is to come before the request.
    async fn stand_in(
        &self,
        ticket: &mut Ticket,
        locations: Vec<String>,
    ) -> Result<StandIn, ErrorObject> {
        let (outbox, key, mut given) =
            (self.outbox.clone(), self.server.key.clone(), std::mem::take(ticket));
        let looked = blocking(move || {
            let stand_in = outbox.stand_in(&key, &mut given, &locations);
            outbox.look(&mut given);
            (given, stand_in)
        });
        let stand_in;
        (*ticket, stand_in) = looked.await?;
        Ok(stand_in)
    }

    async fn scan(&mut self, ticket: &Ticket) -> Result<Vec<SectionScan>, Failure> {
        let names = self.server.names(ticket.target());
        let scanner = self.scanner().await?;
        Ok(scanner.folder(&names, ticket.section.as_deref(), &ticket.later).await?)
    }

    /// The sections' locations as Stash sees them.
    async fn locations(&mut self) -> Result<Vec<String>, Failure> {
        let path_map = self.server.path_map.clone();
        let sections = self.scanner().await?.sections().await?;
        let locations: Vec<_> =
            sections.iter().flat_map(|section| section.locations.clone()).collect();
        Ok(path_map.locations(&locations).iter().map(RemotePath::to_string).collect())
    }

    /// Made when something is to be sent: only then there has to be an identity.
    async fn scanner(&mut self) -> Result<&mut Scanner, Failure> {
        let scanner = match self.scanner.take() {
            Some(scanner) => scanner,
            None => {
                let (worker, call) = (self.worker.clone(), self.call.clone());
                let identity = blocking(move || worker.identity(Some(&*call))).await??;
                let mut scanner = self.worker.plex.scanner(ScanCall {
                    identity,
                    account: self.server.account.clone(),
                    limits: limits(Some(&*self.call)),
                    deadline: self.end(),
                });
                let (outbox, key) = (self.outbox.clone(), self.server.key.clone());
                if let Some((read, list)) = blocking(move || outbox.sections(&key)).await? {
                    let age = SystemTime::now().duration_since(read);
                    scanner.remember(sections(list), age.is_ok_and(|age| age <= RECENT));
                }
                scanner
            }
        };
        Ok(self.scanner.insert(scanner))
    }

    fn answered(&mut self, scans: Vec<SectionScan>, refused: Vec<(String, String)>) -> Outcome {
        let taken = scans.iter().map(|scan| scan.section.clone()).collect();
        self.scans.extend(scans);
        Outcome::Answered { taken, refused }
    }

    fn failed(&mut self, failure: Failure) -> Outcome {
        let error = match failure {
            Failure::Plex(error) => error,
            Failure::Other(error) => {
                self.stopped = Some(None);
                self.broken.get_or_insert(error);
                return Outcome::NotAsked(None);
            }
        };
        let is_over =
            self.until.is_some_and(|until| until < self.deadline && Instant::now() >= until);
        if is_over && is_timeout(&error) {
            // It was given less time than a server may take.
            self.stopped = Some(None);
            return Outcome::NotAsked(None);
        }
        let restarted = is_a_restart(&error);
        let told = errors::of_plex(error.clone(), Reader::StashUser);
        let reason = told.message.clone();
        let (kind, outcome) = match error {
            PlexError::NoSection(_) => (Kind::NoSection, Outcome::NoSection),
            PlexError::Refused(refusal) if is_of_sections(&refusal) => {
                let refused = refusal.refused.into_iter();
                let refused = refused.map(|scan| (scan.section, reason.clone())).collect();
                (Kind::Refused, self.answered(refusal.asked, refused))
            }
            _ => {
                self.stopped = Some(Some(Reason::Away(reason.clone())));
                (Kind::Away, Outcome::Away { reason: reason.clone(), restarted })
            }
        };
        let is_one_of_many = self.until.is_some() && kind != Kind::Away;
        match kind {
            Kind::NoSection => self.messages.insert(kind, reason),
            _ => self.messages.insert(kind, format!("{reason}{WAITS}")),
        };
        match (is_one_of_many, self.hook) {
            (false, _) => drop(self.error.get_or_insert(told)),
            (true, false) => warn!("{}", self.messages[&kind]),
            (true, true) => {}
        }
        outcome
    }

    fn end(&self) -> Instant {
        self.until.unwrap_or(self.deadline)
    }
}
