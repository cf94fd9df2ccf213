//! A Stash, as a plugin sees it: GraphQL for settings and scenes, processes for tasks and hooks, packages.
//!
//! It behaves as Stash v0.30 does, the unkind parts included: the session cookie is checked and renewed, an `ApiKey`
//! header is refused, a plugin's process gets SIGINT right after its reply, and what the plugin says outside of a
//! proper reply is lost.
//!
//! ```no_run
//! use plexsync_harness::fake_stash::{FakeStash, Launch};
//! use serde_json::json;
//!
//! let stash = FakeStash::start();
//! stash.configure("plexsync", json!({"plex_url": "http://127.0.0.1:32400", "plex_token": "T"}));
//! let input = stash.input("/plugins/plexsync", &json!({"method": "identity.get"}));
//! let run = Launch::new("/plugins/plexsync/plexsync-worker").run_rpc(&input);
//! assert_eq!(run.error, None);
//! ```

mod graphql;
mod launch;
mod log;
mod manifest;
mod packages;
mod process;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

pub use launch::Launch;
pub use log::{Level, Line};
pub use manifest::Plugin;
pub use packages::PackageManager;
pub use process::{RawTask, RpcTask, Run};

use crate::http::{HttpServer, Listen, Request};

/// As many lines has *Settings > Logs* when it is opened.
const LOG_PAGE: usize = 30;

/// What Stash does instead of answering.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 401 with an empty body, and with a renewed cookie that is worth nothing.
    Unauthorized,
    /// 422, as for a query it does not understand.
    Unprocessable,
    /// 200 with this error and no data, as when a resolver fails.
    Errors(String),
    /// This status and this text, as a reverse proxy in front would answer.
    Answer(u16, String),
    /// The connection is closed without an answer.
    Close,
}

/// A Stash on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct FakeStash {
    server: HttpServer,
    scheme: &'static str,
    state: Arc<Mutex<State>>,
}

/// What Stash knows.
#[derive(Debug)]
struct State {
    settings: Map<String, Value>,
    scenes: Map<String, Value>,
    /// Cookie values given out; the last is the newest.
    cookies: Vec<String>,
    only_newest: bool,
    faults: Vec<Fault>,
    /// Fields that can't be answered, and what Stash says of them.
    failing: Vec<(String, String)>,
    requests: Vec<Request>,
    log: VecDeque<String>,
}

impl FakeStash {
    /// Starts it with one session, no settings and no scenes.
    ///
    /// # Panics
    /// When the loopback has no free port.
    pub fn start() -> Self {
        Self::listen("http", Listen::Plain)
    }

    /// Starts it with https and a certificate that nobody signed, as Stash's users have it.
    ///
    /// # Panics
    /// When the loopback has no free port.
    pub fn start_tls() -> Self {
        Self::listen("https", Listen::Tls(Arc::new(self_signed())))
    }

    fn listen(scheme: &'static str, listen: Listen) -> Self {
        let state = Arc::new(Mutex::new(State {
            settings: Map::new(),
            scenes: Map::new(),
            cookies: vec![cookie(0)],
            only_newest: false,
            faults: Vec::new(),
            failing: Vec::new(),
            requests: Vec::new(),
            log: VecDeque::new(),
        }));
        let server = HttpServer::listen(listen, {
            let state = Arc::clone(&state);
            move |request| graphql::answer(&mut lock(&state), request)
        });
        Self { server, scheme, state }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// Saves a plugin's settings: the whole map, what was there before is gone.
    ///
    /// # Panics
    /// When `settings` is no object.
    pub fn configure(&self, plugin_id: &str, settings: Value) {
        assert!(settings.is_object(), "settings are an object");
        self.state().settings.insert(plugin_id.to_owned(), settings);
    }

    /// Adds a scene with these files.
    pub fn add_scene(&self, id: &str, paths: &[&str]) {
        let files: Vec<_> = paths.iter().map(|path| json!({"path": path})).collect();
        self.state().scenes.insert(id.to_owned(), json!({"id": id, "files": files}));
    }

    /// From now on only the newest cookie is good. Stash itself takes older ones for an hour.
    pub fn accept_only_the_newest_cookie(&self) {
        self.state().only_newest = true;
    }

    /// Ends every session, as setting credentials does. The next [`input`](Self::input) has a new one.
    pub fn end_sessions(&self) {
        let mut state = self.state();
        let next = cookie(state.requests.len() + 1_000_000);
        state.cookies = vec![next];
    }

    /// The next request meets this fault, and the one after it the fault that is added after it.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.insert(0, fault);
    }

    /// From now on this field of every query (`configuration`, `findScene`) fails with this message, and only it.
    pub fn fail_field(&self, field: &str, message: &str) {
        self.state().failing.push((field.to_owned(), message.to_owned()));
    }

    /// Every request so far, the refused ones too.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// What *Settings > Logs* shows: the last 30 lines of level info and above, the oldest first, each with its level in
    /// front, as `warning [Plugin / PlexSync] text`. All that a user sees of a task or a hook is there.
    pub fn log_page(&self) -> Vec<String> {
        self.state().log.iter().cloned().collect()
    }

    /// Takes all lines off the page, as time does.
    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// Logs what a plugin's run said, then `failure`, if it failed.
    fn log_run(&self, plugin: &str, run: &Run, failure: Option<String>) {
        let said = run.log.iter().filter_map(|line| line.on_the_page(plugin));
        let failure = failure.map(|failure| format!("error {failure}"));
        let mut state = self.state();
        state.log.extend(said.chain(failure));
        let too_many = state.log.len().saturating_sub(LOG_PAGE);
        state.log.drain(..too_many);
    }

    /// The newest cookie's value.
    ///
    /// # Panics
    /// Never: there is always one.
    pub fn cookie(&self) -> String {
        self.state().cookies.last().expect("there is always a session").clone()
    }

    /// The `server_connection` that Stash writes into a plugin's input, in Go's spelling.
    pub fn connection(&self, plugin_dir: impl AsRef<Path>) -> Value {
        json!({
            "Scheme": self.scheme,
            "Host": "0.0.0.0",
            "Port": self.port(),
            "SessionCookie": {
                "Name": "session", "Value": self.cookie(), "Quoted": false, "Path": "", "Domain": "",
                "Expires": "0001-01-01T00:00:00Z", "RawExpires": "", "MaxAge": 0, "Secure": false,
                "HttpOnly": false, "SameSite": 0, "Partitioned": false, "Raw": "", "Unparsed": null,
            },
            "Dir": "/root/.stash",
            "PluginDir": plugin_dir.as_ref(),
        })
    }

    /// A whole input for the plugin in this folder.
    pub fn input(&self, plugin_dir: impl AsRef<Path>, args: &Value) -> Value {
        json!({"server_connection": self.connection(plugin_dir), "args": args})
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The `args` of a hook; `id` is left out when 0, as Stash does.
pub fn hook_args(trigger: &str, id: u64, input: &Value) -> Value {
    let mut context = json!({"type": trigger, "input": input});
    if id != 0 {
        context["id"] = id.into();
    }
    json!({"hookContext": context})
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cookie as long as Stash's.
fn cookie(number: usize) -> String {
    format!("MTc5NTM0ODI3NXx{number:0>8}{:_<376}=", "")
}

/// TLS with a certificate that nobody signed, made for `stash.invalid`.
///
/// # Panics
/// When no key can be made.
pub fn self_signed() -> rustls::ServerConfig {
    let names = vec!["stash.invalid".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has every version")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the key belongs to the certificate")
}

#[cfg(all(test, unix))]
mod tests;
