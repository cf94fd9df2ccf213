//! Everything that the fake knows, and who may ask it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::devices::Registry;
use super::fault::{Fault, Plan};
use super::library::Library;
use super::media_server::MACHINE;
use super::plex_tv::PlexTv;
use super::plex_value;
use crate::http::{Request, Response};
use crate::watch::{Event, Watcher};

/// The state, and a bell for those who wait for it to change.
#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that the fake knows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) url: String,
    pub(super) machine: String,
    pub(super) tokens: Tokens,
    pub(super) requests: Vec<Request>,
    pub(super) registry: Registry,
    pub(super) library: Library,
    pub(super) plex_tv: PlexTv,
    pub(super) plans: Vec<Plan>,
    pub(super) canned: Vec<(String, Fault)>,
    pub(super) held_prefix: Option<String>,
    pub(super) held: usize,
    pub(super) prefs_were_put: bool,
    /// What the event stream has told; there is none without.
    pub(super) events: Option<Vec<String>>,
    pub(super) watcher: Watcher,
}

impl State {
    /// Takes the address, and makes tokens that no other fake has: ports are unique on one machine.
    pub(super) fn settle(&mut self, url: &str, port: u16) {
        url.clone_into(&mut self.url);
        MACHINE.clone_into(&mut self.machine);
        self.tokens.owner = format!("xFakeOwnerToken{port:05}");
        self.tokens.shared = format!("xFakeShareToken{port:05}");
        self.tokens.server = format!("xFakeServeToken{port:05}");
    }

    /// Tells what a request has brought: how many devices and scans there were before it is given.
    pub(super) fn report(
        &self,
        request: &Request,
        answer: &Response,
        devices: usize,
        scans: usize,
    ) {
        self.watcher.request("plex", request, answer);
        for device in &self.registry.events()[devices..] {
            self.watcher.tell(Event::Device(device.clone()));
        }
        for scan in &self.library.scans[scans..] {
            self.watcher.tell(Event::Scan(scan.clone()));
        }
    }

    /// Lets time pass: scans go on, and those who listen hear of it.
    pub(super) fn advance(&mut self) {
        for (event, data) in self.library.advance() {
            self.tell(event, &data);
        }
    }

    /// Tells an event to everybody who listens.
    pub(super) fn tell(&mut self, event: &str, data: &serde_json::Value) {
        if let Some(events) = &mut self.events {
            events.push(format!("event: {event}\ndata: {data}\n\n"));
        }
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
        self.registry = Registry::default();
        self.library.scans.clear();
        self.library.forget_scans();
        self.plans.clear();
        self.canned.clear();
        self.prefs_were_put = false;
    }
}

/// Who may ask.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) owner: String,
    pub(super) shared: String,
    pub(super) server: String,
    pub(super) more: Vec<String>,
    pub(super) revoked: Vec<String>,
}

/// Who a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Owner,
    Shared,
    Server,
    Nobody,
}

impl Tokens {
    /// Whoever sent `request`, by the token in its headers or else its query.
    pub(super) fn caller(&self, request: &Request) -> Caller {
        let token = plex_value(request, "X-Plex-Token").unwrap_or_default();
        if token.is_empty() || self.revoked.contains(&token) {
            return Caller::Nobody;
        }
        match token {
            token if token == self.owner || self.more.contains(&token) => Caller::Owner,
            token if token == self.shared => Caller::Shared,
            token if token == self.server => Caller::Server,
            _ => Caller::Nobody,
        }
    }
}
