//! Waiting until a scan has brought an item with a file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use plexsync_protocol::plex::RequestParams;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Scanner;
use super::events::{Event, Events, PATH, Phase};
use crate::http::client::Reuse;
use crate::http::retry::Route;
use crate::plex::find::{Filter, Item, file_targets};
use crate::plex::route::Routing;
use crate::plex::sections::Target;
use crate::remote_path::RemotePath;

/// Longest time for the stream to open.
const OPENING: Duration = Duration::from_secs(2);
/// A stream that says nothing for so long is dead: Plex sends a sign of life every ten seconds.
const SILENCE: Duration = Duration::from_secs(30);
/// Shortest time between two looks: one item makes dozens of events.
const PAUSE: Duration = Duration::from_millis(150);
/// How long after the end of a scan the last look is.
const AFTER: Duration = Duration::from_millis(500);
/// Longest time for one look: a server that restarts may have gone without a word.
const LOOK: Duration = Duration::from_secs(10);
/// Most scans that are followed at once.
const MOST: usize = 1000;
/// How often is looked while the stream tells what happens.
const WITH_EVENTS: Duration = Duration::from_secs(10);
/// One of so many looks is for the file's name alone, as Plex may have another spelling of its folder.
const BY_NAME: u32 = 10;

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// These items have the file.
    Found(Vec<Item>),
    /// The scan has ended, and no item has it.
    Ended,
    /// The time is over.
    Timeout,
}

/// An open stream, or none, and what ran before the refresh.
pub struct Listening {
    events: Option<Events>,
}

/// Called now and then with the time that has passed.
pub type Report<'a> = &'a (dyn Fn(Duration) + Send + Sync);

/// One wait.
pub(super) struct Waiting<'a> {
    scanner: &'a Scanner,
    /// Where the file is looked for: the section, the type of its items, the file in its spelling.
    targets: &'a [(Target, u8)],
    events: Option<Events>,
    report: Report<'a>,
    begun: Instant,
    looks: u32,
    /// Scans that began after the refresh and go on: uuid, and the section, once it is told.
    running: BTreeMap<String, Option<String>>,
    /// Sections of those that have ended.
    ended: BTreeSet<String>,
    has_activities: bool,
    heard: Instant,
}

impl Scanner {
    /// Opens the event stream, for 2 s of the call's time at most: to be called before Plex is asked to scan.
    pub async fn listen(&self) -> Listening {
        let until = self.call.deadline.min(Instant::now() + OPENING);
        let opened = timeout_at(until, self.open(until)).await;
        let mut listening = Listening { events: opened.ok().flatten() };
        listening.forget();
        listening
    }

    async fn open(&self, until: Instant) -> Option<Events> {
        let mut prepared = self.prepare(&RequestParams::get(PATH)).ok()?;
        prepared.request.headers.extend(Events::HEADERS.map(|(name, value)| (Some(name), value)));
        let route = Routing::find(prepared.routing.take(), until).await.ok()?;
        if let Some(route) = route {
            prepared.request = route.put_on(&prepared.request);
        }
        let sender = self.sender(prepared.connect_timeout.min(OPENING));
        // No redirect, and a connection of its own: it ends with the stream.
        Events::of(sender.send_once(&prepared.request, Reuse::Fresh).await.ok()?)
    }

    /// Waits until `until` for an item with the file that has one of these `names`. `report` is told how long it has
    /// waited.
    pub async fn wait_for(
        &mut self,
        listening: Listening,
        names: &[RemotePath],
        only: Option<&str>,
        until: Instant,
        report: Report<'_>,
    ) -> Waited {
        let targets = match self.sections().await {
            Ok(sections) => file_targets(sections, names, only).unwrap_or_default(),
            Err(error) => {
                tracing::debug!("{error}");
                Vec::new()
            }
        };
        let now = Instant::now();
        let waiting = Waiting {
            scanner: self,
            targets: &targets,
            events: listening.events,
            report,
            begun: now,
            looks: 0,
            running: BTreeMap::new(),
            ended: BTreeSet::new(),
            has_activities: false,
            heard: now,
        };
        timeout_at(until, waiting.run()).await.unwrap_or(Waited::Timeout)
    }
}

impl Listening {
    /// Drops what has been told so far: scans that began before the refresh are not its own.
    fn forget(&mut self) {
        if let Some(events) = &mut self.events {
            loop {
                match events.next().now_or_never() {
                    Some(Some(_)) => {}
                    Some(None) => break self.events = None,
                    None => break,
                }
            }
        }
    }
}

impl Waiting<'_> {
    async fn run(mut self) -> Waited {
        loop {
            (self.report)(self.begun.elapsed());
            let items = self.look().await;
            if !items.is_empty() {
                return Waited::Found(items);
            }
            let looked = Instant::now();
            if self.is_over() {
                // Scans wait for each other: the next one may be the one that was asked for.
                while self.hear(looked + AFTER).await {}
                if !self.is_over() {
                    continue;
                }
                self.looks = BY_NAME - 1;
                let items = [self.look().await, self.look().await].concat();
                return if items.is_empty() { Waited::Ended } else { Waited::Found(items) };
            }
            self.pause(looked).await;
        }
    }

    /// Whether the scan of each section has been told to be over, and no other one goes on there.
    fn is_over(&self) -> bool {
        self.targets.iter().all(|(Target { section, .. }, _)| {
            let may_be_here =
                |known: &Option<String>| known.as_ref().is_none_or(|it| it == section);
            self.ended.contains(section) && !self.running.values().any(may_be_here)
        })
    }

    /// A request or two a section. What fails now may go better the next time: a server that restarts comes back.
    async fn look(&mut self) -> Vec<Item> {
        self.looks += 1;
        let by_name = self.looks.is_multiple_of(BY_NAME);
        let mut items = Vec::new();
        for (target, number) in self.targets {
            let filter = if by_name { Filter::Name } else { Filter::first(target) };
            match timeout(LOOK, self.scanner.find_near(target, *number, filter)).await {
                Ok(Ok(found)) => items.extend(found.items),
                Ok(Err(error)) => tracing::debug!("{error}"),
                Err(_) => tracing::debug!("a look has no answer in time"),
            }
        }
        items
    }

    /// Until the next look: an event, or its time.
    async fn pause(&mut self, looked: Instant) {
        let every = match self.begun.elapsed() {
            _ if self.has_activities && self.events.is_some() => WITH_EVENTS,
            young if young < Duration::from_secs(10) => Duration::from_secs(1),
            _ => Duration::from_secs(2),
        };
        let next = looked + every;
        if self.hear(next).await && !self.is_over() {
            // More of them come with the first one.
            while self.hear(next.min(looked + PAUSE)).await {}
        }
    }

    /// Waits for the next event that is a reason to look; false when the time is over.
    async fn hear(&mut self, until: Instant) -> bool {
        // Whoever tells something all the time holds up nothing.
        while Instant::now() < until {
            let Some(events) = &mut self.events else {
                sleep_until(until).await;
                return false;
            };
            let silent = self.heard + SILENCE;
            let event = match timeout_at(until.min(silent), events.next()).await {
                Ok(Some(event)) => event,
                Err(_) if Instant::now() >= until => return false,
                Ok(None) | Err(_) => {
                    self.events = None;
                    continue;
                }
            };
            self.heard = Instant::now();
            match event {
                Event::Ping => {}
                Event::Other => return true,
                Event::Scan { uuid, section, phase } => {
                    self.has_activities = true;
                    self.scan(uuid, section, phase);
                    return true;
                }
            }
        }
        false
    }

    /// Only a scan whose beginning was told after the refresh can be its own.
    fn scan(&mut self, uuid: String, section: Option<String>, phase: Phase) {
        match phase {
            Phase::Started if self.running.len() < MOST => {
                self.running.insert(uuid, section);
            }
            Phase::Ended => {
                let known = self.running.remove(&uuid);
                self.ended.extend(known.and_then(|known| section.or(known)));
            }
            Phase::Started | Phase::Running => {
                if let Some(known) = self.running.get_mut(&uuid) {
                    *known = section.or(known.take());
                }
            }
        }
    }
}
