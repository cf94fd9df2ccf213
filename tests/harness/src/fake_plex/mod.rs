//! A Plex Media Server and a plex.tv on the loopback: answers as the real ones do, remembers every request, keeps the
//! list of devices that an owner would see, and misbehaves on demand.
//!
//! ```
//! use plexsync_harness::{Fault, FakePlex};
//!
//! let plex = FakePlex::start();
//! plex.fault(Fault::Maintenance.times(2).on("/library"));
//! // ... let a program talk to plex.url() with plex.token() ...
//! assert_eq!(plex.devices().len(), 0);
//! ```

mod answer;
mod big;
mod devices;
mod edits;
mod fault;
mod library;
mod media_server;
mod observe;
mod plex_tv;
mod scanning;
mod spoil;
mod state;
mod tls;
mod xml;

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::http::{HttpServer, Listen, Request, Response};
use crate::watch::Event;

pub use big::Kind;
pub use devices::{Device, NewDevice};
pub use fault::{Encoding, Fault, Plan};
pub use library::{Paging, Scan, Section};
pub use tls::TlsSetup;

use scanning::Change;
use state::{Caller, Inner, State};

/// Longest wait for something that a test expects.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Plex server, and a plex.tv, at one address. Dropping it closes every connection.
#[derive(Debug)]
pub struct FakePlex {
    port: u16,
    listen: Listen,
    server: Mutex<Option<HttpServer>>,
    inner: Arc<Inner>,
    url: String,
    ca_pem: Option<String>,
}

impl FakePlex {
    /// Starts a server that speaks plain HTTP.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// The same on this port; 0 is any free one. The same port gives the same tokens.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn start_on(port: u16) -> Self {
        Self::listen(port, Listen::Plain, |address| format!("http://{address}"), None)
    }

    /// Starts a server for `https` URLs, with certificates as `setup` says. See [`FakePlex::ca_pem`].
    pub fn start_tls(setup: TlsSetup) -> Self {
        let (listen, ca_pem) = tls::listen(setup);
        Self::listen(0, listen, |address| tls::url(setup, address.port()), Some(ca_pem))
    }

    fn listen(
        port: u16,
        listen: Listen,
        url: impl Fn(std::net::SocketAddr) -> String,
        ca_pem: Option<String>,
    ) -> Self {
        let inner = Arc::new(Inner::default());
        let server = serve(port, &listen, &inner);
        let address = server.address();
        let url = url(address);
        inner.state().settle(&url, address.port());
        Self { port: address.port(), listen, server: Mutex::new(Some(server)), inner, url, ca_pem }
    }

    /// Ends the server: its connections are closed, new ones refused. What it knows stays, but for the scans that run
    /// and wait.
    pub fn turn_off(&self) {
        drop(self.server().take());
        self.inner.state().library.forget_scans();
    }

    /// Starts it again where it was.
    ///
    /// # Panics
    /// When somebody else took the port meanwhile.
    pub fn turn_on(&self) {
        let mut server = self.server();
        if server.is_none() {
            *server = Some(serve(self.port, &self.listen, &self.inner));
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<HttpServer>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's base URL, without a slash at the end.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The identifier that `/identity` tells, with and without a token.
    pub fn machine_identifier(&self) -> String {
        self.inner.state().machine.clone()
    }

    /// From now on it says that it is this server: another one than it was, or a liar.
    pub fn set_machine_identifier(&self, identifier: &str) {
        identifier.clone_into(&mut self.inner.state().machine);
    }

    /// The owner's token. No other fake has the same.
    pub fn token(&self) -> String {
        self.inner.state().tokens.owner.clone()
    }

    /// The token of a user with whom the server is shared: 403 where only the owner may look.
    pub fn shared_token(&self) -> String {
        self.inner.state().tokens.shared.clone()
    }

    /// The server's own token. Plex.tv takes whoever uses it for the server, and overwrites the server's name in the
    /// owner's list; see [`FakePlex::server_row`].
    pub fn server_token(&self) -> String {
        self.inner.state().tokens.server.clone()
    }

    /// Makes one more token the owner's.
    pub fn allow_token(&self, token: &str) {
        self.inner.state().tokens.more.push(token.to_owned());
    }

    /// The certificate of the authority that signed the server's, in PEM; with [`FakePlex::start_tls`] only.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Tells everything that happens from now on to `watcher`.
    pub fn watch(&self, watcher: Sender<Event>) {
        self.inner.state().watcher.set(watcher);
    }

    /// Every request so far, in the order of arrival. Those to `/__fake/` are not among them.
    pub fn requests(&self) -> Vec<Request> {
        self.inner.state().requests.clone()
    }

    /// Waits until there were `count` requests, and returns them.
    ///
    /// # Panics
    /// After 30 s.
    pub fn wait_for_requests(&self, count: usize) -> Vec<Request> {
        self.wait_until("requests", |state| state.requests.len() >= count);
        self.requests()
    }

    /// The devices that the owner sees in the list.
    pub fn devices(&self) -> Vec<Device> {
        self.inner.state().registry.devices().to_vec()
    }

    /// The "New Device" messages that the owner got.
    pub fn events(&self) -> Vec<NewDevice> {
        self.inner.state().registry.events().to_vec()
    }

    /// Takes a device off the list, as Plex does with one that was long unseen. Whether it was there.
    pub fn forget(&self, identifier: &str) -> bool {
        self.inner.state().registry.forget(identifier)
    }

    /// Forgets requests, devices, events, scans, faults and canned answers, and lets everything go that is held.
    pub fn clear(&self) {
        self.inner.state().clear();
        self.release();
    }

    /// What the owner's list shows for the server itself: `provides` and the product's version.
    pub fn server_row(&self) -> (String, String) {
        self.inner.state().registry.server_row()
    }

    /// The scans that were asked for.
    pub fn scans(&self) -> Vec<Scan> {
        self.inner.state().library.scans.clone()
    }

    /// Replaces the library's sections.
    pub fn set_sections(&self, sections: Vec<Section>) {
        self.inner.state().library.set_sections(sections);
    }

    /// Gives a section this many generated entries.
    pub fn set_items(&self, section: &str, count: u64) {
        self.inner.state().library.set_items(section, count);
    }

    /// Gives a section the entries of this listing, a `MediaContainer` with `Metadata`, and answers the whole of it byte
    /// for byte.
    pub fn set_listing(&self, section: &str, body: &str) {
        self.inner.state().library.set_listing(section, body);
    }

    /// From now on a scan takes this long, one after the other: it is an activity, its items are there after half the
    /// time, and an event stream tells how far it is. Else it takes no time, and nothing is told.
    pub fn scans_take(&self, time: Duration) {
        self.inner.state().library.scanning.takes = Some(time);
    }

    /// From now on no activity names its section, as those of old servers.
    pub fn scans_are_nameless(&self) {
        self.inner.state().library.scanning.is_nameless = true;
    }

    /// Puts a file on Plex's disk: the next scan of its folder brings an item.
    pub fn add_file(&self, file: &str) {
        self.inner.state().library.scanning.changes.push(Change::New(file.to_owned()));
    }

    /// Takes a file off Plex's disk: the next scan of its folder moves its items to the trash.
    pub fn remove_file(&self, file: &str) {
        self.inner.state().library.scanning.changes.push(Change::Gone(file.to_owned()));
    }

    /// When the item with a file that was added came.
    pub fn appeared(&self, file: &str) -> Option<Instant> {
        let state = self.inner.state();
        let mut appeared = state.library.scanning.appeared.iter();
        appeared.find(|(known, _)| known == file).map(|(_, at)| *at)
    }

    /// The item with this key, as `/library/metadata/KEY` shows it.
    pub fn item(&self, key: &str) -> serde_json::Value {
        self.inner.state().library.metadata(key)
    }

    /// How often the item with this key was analyzed.
    pub fn analyses(&self, key: &str) -> u64 {
        self.inner.state().library.analyses(key)
    }

    /// How listings are paged from now on.
    pub fn set_paging(&self, paging: Paging) {
        self.inner.state().library.paging = paging;
    }

    /// Has an event stream from now on, and tells no event yet.
    pub fn tell_events(&self) {
        self.inner.state().events = Some(Vec::new());
    }

    /// Ends the event stream.
    pub fn end_events(&self) {
        self.inner.state().events = None;
    }

    /// Tells an event to everybody who listens.
    pub fn tell(&self, event: &str, data: &serde_json::Value) {
        let mut state = self.inner.state();
        assert!(state.events.is_some(), "the fake has no event stream");
        state.tell(event, data);
    }

    /// Tells how far a scan of a section is: `started`, `updated`, `ended`. The first does not name the section.
    pub fn tell_scan(&self, uuid: &str, section: &str, event: &str) {
        let mut activity = serde_json::json!({"uuid": uuid, "type": "library.update.section", "title": "Scanning"});
        if event != "started" {
            activity["Context"] = serde_json::json!({"librarySectionID": section});
        }
        let notification = serde_json::json!({"event": event, "uuid": uuid, "Activity": activity});
        self.tell("activity", &serde_json::json!({"ActivityNotification": notification}));
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

    /// From now on answers every request for `path` (without its query) with this.
    pub fn respond(
        &self,
        path: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) {
        let fault = Fault::answer(status, headers, body);
        let mut state = self.inner.state();
        state.canned.retain(|(known, _)| known != path);
        state.canned.push((path.to_owned(), fault));
    }

    /// From now on no request is answered before [`FakePlex::release`].
    pub fn hold(&self) {
        self.hold_on("/");
    }

    /// From now on no request whose target begins with `prefix` is answered before [`FakePlex::release`].
    pub fn hold_on(&self, prefix: &str) {
        self.inner.state().held_prefix = Some(prefix.to_owned());
    }

    /// Answers everything that is held.
    pub fn release(&self) {
        self.inner.state().held_prefix = None;
    }

    /// How many requests are held.
    pub fn held(&self) -> usize {
        self.inner.state().held
    }

    /// Waits until this many requests are held.
    ///
    /// # Panics
    /// After 30 s.
    pub fn wait_held(&self, count: usize) {
        self.wait_until("held requests", |state| state.held == count);
    }

    /// Lets the user of a PIN login sign in, as on plex.tv/link. Whether there is such a code.
    pub fn approve_pin(&self, code: &str) -> bool {
        let mut state = self.inner.state();
        let token = state.tokens.owner.clone();
        state.plex_tv.approve(code, &token)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.server().as_ref().map_or(0, HttpServer::connections)
    }

    /// Closes the connections on which no request is being answered, as Plex does after 20 s.
    pub fn close_idle_connections(&self) {
        if let Some(server) = &*self.server() {
            server.close_idle_connections();
        }
    }

    fn wait_until(&self, what: &str, reached: impl Fn(&State) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut state = self.inner.state();
        while !reached(&state) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seen: Vec<_> = state.requests.iter().map(Request::path).collect();
                panic!("waited {PATIENCE:?} for {what}; {} held, seen: {seen:?}", state.held);
            }
            let waited = self.inner.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn serve(port: u16, listen: &Listen, inner: &Arc<Inner>) -> HttpServer {
    let inner = Arc::clone(inner);
    HttpServer::listen_on(port, listen.clone(), move |request| answer::answer(&inner, request))
}

/// A value that may stand in a header or in the query ("All `X-Plex-` headers can also be sent as query string
/// arguments", developer.plex.tv).
fn plex_value(request: &Request, name: &str) -> Option<String> {
    request.header(name).map(str::to_owned).or_else(|| request.query_value(name))
}

/// An answer with the headers that a Plex Media Server gives.
fn plex_response(status: u16) -> Response {
    Response::new(status)
        .header("X-Plex-Protocol", "1.0")
        .header("Connection", "Keep-Alive")
        .header("Keep-Alive", "timeout=20")
        .header("Cache-Control", "no-cache")
        .header("Date", httpdate::fmt_http_date(std::time::SystemTime::now()))
}

#[cfg(test)]
mod tests;
