//! How Plex is asked for one ticket, and what its answer means for the others.

use std::time::{Duration, SystemTime};

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::plex::SectionScan;
use tokio::time::Instant;
use tracing::warn;

use super::super::errors::{self, Reader};
use super::super::limits;
use super::failure::{Failure, is_a_restart, is_of_sections, is_timeout};
use super::sender::{Sender, WAITS};
use super::server::sections;
use super::{blocking, say};
use crate::plex::{PlexError, ScanCall, Scanner};
use crate::remote_path::RemotePath;
use crate::scans::{Kind, Outcome, Reason, Say, StandIn, Ticket};

/// How old a list of sections may be for what it does not hold to be in no library.
const RECENT: Duration = Duration::from_secs(10);

impl Sender {
    /// Asks for one ticket.
    pub(super) async fn ask(&mut self, ticket: &mut Ticket) -> Result<Outcome, ErrorObject> {
        if let Some(reason) = &self.stopped {
            return Ok(Outcome::NotAsked(reason.clone()));
        }
        if let Some(failure) = self.failure.take() {
            return Ok(self.failed(failure));
        }
        if Instant::now() >= self.end() {
            return Ok(Outcome::NotAsked(None));
        }
        let failed = match self.locations().await {
            Err(failure) => failure,
            Ok(locations) => match self.stand_in(ticket, locations).await? {
                StandIn::Wait(reason, when) if !self.is_whole => {
                    let folder = &ticket.folder;
                    let message = format!(
                        "`{folder}` waits: {reason}; if nothing is to be there, run *Scan Plex library*"
                    );
                    // What a person asks for is said each time.
                    let is_theirs = !self.hook && self.until.is_none();
                    let now = |when| if is_theirs { Say::Now { silent: 0 } } else { when };
                    when.into_iter().for_each(|when| say(&message, now(when)));
                    return Ok(Outcome::NotAsked(Some(reason)));
                }
                _ => match self.scan(ticket).await {
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
    pub(super) async fn locations(&mut self) -> Result<Vec<String>, Failure> {
        let path_map = self.server.path_map.clone();
        let sections = self.scanner().await?.sections().await?;
        let locations: Vec<_> =
            sections.iter().flat_map(|section| section.locations.clone()).collect();
        Ok(path_map.locations(&locations).iter().map(RemotePath::to_string).collect())
    }

    /// Made when something is to be sent: only then there has to be an identity.
    pub(super) async fn scanner(&mut self) -> Result<&mut Scanner, Failure> {
        let scanner = match self.scanner.take() {
            Some(scanner) => scanner,
            None => {
                let (worker, call) = (self.worker.clone(), self.call.clone());
                let identity = blocking(move || worker.identity(Some(&*call))).await??;
                let mut scanner = self.worker.plex.scanner(ScanCall {
                    server: self.server.url.clone(),
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

    fn not_sent(&mut self, error: ErrorObject) -> Outcome {
        let reason = Some(Reason::NotSent(error.message.clone()));
        self.stopped = Some(reason.clone());
        self.broken.get_or_insert(error);
        Outcome::NotAsked(reason)
    }

    fn failed(&mut self, failure: Failure) -> Outcome {
        let error = match failure {
            Failure::Plex(error) => error,
            Failure::Other(error) => return self.not_sent(error),
        };
        let is_over =
            self.until.is_some_and(|until| until < self.deadline && Instant::now() >= until);
        if is_over && is_timeout(&error) {
            // It was given less time than a server may take.
            (self.stopped, self.is_slow) = (Some(None), true);
            return Outcome::NotAsked(None);
        }
        let restarted = is_a_restart(&error);
        let router = self.server.account.router.as_ref();
        let told = errors::of_plex(error.clone(), Reader::StashUser, router);
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
}
