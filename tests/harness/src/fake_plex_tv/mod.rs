//! A plex.tv on the loopback: PIN sign-ins, accounts, resources and devices, as the real one answers them. It remembers
//! every request and misbehaves on demand.
//!
//! ```
//! use plexsync_harness::FakePlexTv;
//!
//! let tv = FakePlexTv::start();
//! // ... let a program begin a sign-in at tv.url() and show its code ...
//! assert!(!tv.claim("none", "alice"), "nobody was shown this code");
//! ```

mod answer;
mod devices;
mod pins;
mod resource;

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake_plex::{Fault, Plan};
use crate::http::{HttpServer, Listen, Request};
use crate::watch::{Event, Watcher};

pub use devices::DeviceRow;
pub use resource::{Connection, Resource};

use pins::Pin;

/// Longest wait for something that a test expects.
const PATIENCE: Duration = Duration::from_secs(30);

/// A plex.tv. Dropping it closes every connection.
#[derive(Debug)]
pub struct FakePlexTv {
    server: HttpServer,
    inner: Arc<Inner>,
}

/// The state, and a bell for those who wait for it to change.
#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that it knows.
#[derive(Debug, Default)]
struct State {
    port: u16,
    requests: Vec<Request>,
    pins: Vec<Pin>,
    pins_ever: u64,
    lifetime: Option<Value>,
    tokens: Vec<Token>,
    tokens_ever: usize,
    users: Vec<(String, Value)>,
    resources: Vec<Resource>,
    rows: Vec<DeviceRow>,
    plans: Vec<Plan>,
    held_prefix: Option<String>,
    held: usize,
    watcher: Watcher,
}

/// A living token: there is one for each account and identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    account: String,
    identifier: String,
    value: String,
}

impl FakePlexTv {
    /// Starts one, without accounts: whoever claims a code has one.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// The same on this port; 0 is any free one.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn start_on(port: u16) -> Self {
        let inner = Arc::new(Inner::default());
        let server = HttpServer::listen_on(port, Listen::Plain, {
            let inner = Arc::clone(&inner);
            move |request| answer::answer(&inner, request)
        });
        let mut state = inner.state();
        state.port = server.address().port();
        state.lifetime = Some(json!(900));
        drop(state);
        Self { server, inner }
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Tells everything that happens from now on to `watcher`.
    pub fn watch(&self, watcher: Sender<Event>) {
        self.inner.state().watcher.set(watcher);
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.inner.state().requests.clone()
    }

    /// The requests with this method whose target begins with `prefix`.
    pub fn requests_of(&self, method: &str, prefix: &str) -> Vec<Request> {
        let is_one = |it: &Request| it.method == method && it.target.starts_with(prefix);
        self.requests().into_iter().filter(is_one).collect()
    }

    /// Waits until there were `count` requests with this method whose target begins with `prefix`.
    ///
    /// # Panics
    /// After 30 s.
    pub fn wait_for_requests(&self, count: usize, method: &str, prefix: &str) {
        self.wait_until("requests", |state| {
            let all = state.requests.iter();
            all.filter(|it| it.method == method && it.target.starts_with(prefix)).count() >= count
        });
    }

    /// The codes that can be claimed, oldest first.
    pub fn codes(&self) -> Vec<String> {
        let state = self.inner.state();
        state.pins.iter().filter(|pin| pin.token.is_none()).map(|pin| pin.code.clone()).collect()
    }

    /// Signs in: the owner of `account` enters `code` on plex.tv/link. The token that this account had for the same
    /// identifier is dead from then on. Whether there is such a code.
    pub fn claim(&self, code: &str, account: &str) -> bool {
        self.inner.state().claim(code, account)
    }

    /// A code is from now on one that plex.tv does not know: it has expired.
    pub fn expire(&self, code: &str) {
        self.inner.state().pins.retain(|pin| pin.code != code);
    }

    /// What new codes say about the seconds that they last; none says nothing. At first it is 900.
    pub fn set_lifetime(&self, expires_in: Option<Value>) {
        self.inner.state().lifetime = expires_in;
    }

    /// The living token of an account on a device, by the device's identifier.
    pub fn token(&self, account: &str, identifier: &str) -> Option<String> {
        let state = self.inner.state();
        let is_one = |it: &&Token| it.account == account && it.identifier == identifier;
        state.tokens.iter().find(is_one).map(|token| token.value.clone())
    }

    /// Makes a token of an account for a device, without a sign-in; that of before is dead.
    pub fn mint(&self, account: &str, identifier: &str) -> String {
        self.inner.state().mint(account, identifier)
    }

    /// Ends a token, as a sign-out elsewhere does.
    pub fn revoke(&self, token: &str) {
        self.inner.state().tokens.retain(|known| known.value != token);
    }

    /// How `GET /api/v2/user` describes an account: these members in place of, or beside, the usual ones.
    pub fn set_user(&self, account: &str, members: Value) {
        self.inner.state().users.push((account.to_owned(), members));
    }

    /// What `GET /api/v2/resources` lists, for every account.
    pub fn set_resources(&self, resources: Vec<Resource>) {
        self.inner.state().resources = resources;
    }

    /// Adds a row to `devices.xml`. Sign-ins add theirs by themselves.
    pub fn add_device(&self, row: DeviceRow) {
        self.inner.state().rows.push(row);
    }

    /// Removes a row, as the owner does on plex.tv's page.
    pub fn remove_device(&self, id: &str) {
        self.inner.state().delete_device(id);
    }

    /// The rows of `devices.xml`.
    pub fn devices(&self) -> Vec<DeviceRow> {
        self.inner.state().rows.clone()
    }

    /// Misbehaves: a [`Fault`] alone for the next request, or as the [`Plan`] says. Of several plans that fit a
    /// request the oldest is taken; a plan that is used up is gone.
    pub fn fault(&self, plan: impl Into<Plan>) {
        self.inner.state().plans.push(plan.into());
    }

    /// Drops every plan of faults.
    pub fn no_faults(&self) {
        self.inner.state().plans.clear();
    }

    /// From now on no request whose target begins with `prefix` is answered before [`FakePlexTv::release`]. What it asks
    /// for is done at once.
    pub fn hold_on(&self, prefix: &str) {
        self.inner.state().held_prefix = Some(prefix.to_owned());
    }

    /// Answers everything that is held.
    pub fn release(&self) {
        self.inner.state().held_prefix = None;
    }

    /// Waits until this many requests are held.
    ///
    /// # Panics
    /// After 30 s.
    pub fn wait_held(&self, count: usize) {
        self.wait_until("held requests", |state| state.held == count);
    }

    /// Everything that it has told so far and that nobody may show: tokens, numbers of PINs, hashes, e-mail, places.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.inner.state();
        let pins = state.pins.iter().map(|pin| pin.number.to_string());
        let tokens = state.rows.iter().filter_map(|row| row.attribute("token"));
        let of_resources = state.resources.iter().filter_map(|it| it.token.clone());
        let known = answer::PRIVATE.into_iter().map(str::to_owned);
        pins.chain(tokens).chain(of_resources).chain(known).collect()
    }

    fn wait_until(&self, what: &str, reached: impl Fn(&State) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut state = self.inner.state();
        while !reached(&state) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seen: Vec<_> = state.requests.iter().map(|it| it.target.as_str()).collect();
                panic!("waited {PATIENCE:?} for {what}; {} held, seen: {seen:?}", state.held);
            }
            let waited = self.inner.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// plex.tv's own error: a status, and a body with `errors`. 404 with code 1020 is an expired PIN.
pub fn plex_tv_error(status: u16, code: u16, message: &str) -> Fault {
    let body = json!({"errors": [{"code": code, "message": message, "status": status}]});
    Fault::answer(status, &[("Content-Type", "application/json; charset=utf-8")], body.to_string())
}

/// The page of a hotel's portal, or of a proxy, that answers in plex.tv's place.
pub fn portal(status: u16) -> Fault {
    let page =
        "<html><head><title>Welcome</title></head><body>Please accept the terms</body></html>";
    Fault::answer(status, &[("Content-Type", "text/html")], page)
}

#[cfg(test)]
mod tests;
