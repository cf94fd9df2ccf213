//! What each method does, and which code each failure has. Identity calls take effect in the order received;
//! a request carries the identity that the identity calls before it leave behind; requests run at the same time.

mod account;
mod auth;
mod device;
mod doctor;
mod errors;
mod find;
mod identity;
pub(crate) mod params;
mod request;
mod scan;
mod server;
mod told;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plexsync_protocol::OPENRPC;
use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::method;
use tracing::info;

use self::errors::Reader;
use crate::account::PlexTv;
use crate::account::server::Servers;
use crate::identity::Keeper;
use crate::json_text::JsonText;
use crate::plex::{Limits, Plex};
use crate::rpc::{Handling, Methods, Request, StashCall};
use crate::secret::Secrets;
use crate::target::{Given, Sources};

/// What the methods need to know.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The data folder, if the user named one.
    pub data_dir: Option<Given<PathBuf>>,
    /// The data folder if the user named none and Stash is not the host.
    pub default_data_dir: Option<Given<PathBuf>>,
    /// Where an identity moves from, if the data folder is the platform's.
    pub former_data_dir: Option<PathBuf>,
    /// Base of relative folders.
    pub working_folder: PathBuf,
    /// Server and token, by flag and environment.
    pub sources: Sources,
    /// An additional certificate authority, for `doctor.run` to report.
    pub plex_ca: Option<Given<PathBuf>>,
    /// The plugin whose settings to ask Stash for.
    pub stash_plugin: String,
    /// For `X-Plex-Version`.
    pub version: &'static str,
    /// Set while running ordered work should stop waiting.
    pub interrupt: Arc<AtomicBool>,
    /// The secrets that the log must not show.
    pub secrets: Secrets,
}

/// `plex_tv` is the client of plex.tv, or a sentence about its URL.
pub fn methods(setup: Setup, plex: Plex, plex_tv: Result<PlexTv, String>) -> Methods {
    let servers = Arc::new(Servers::new(plex.clients()));
    let worker = Arc::new(Worker { setup, plex, plex_tv, servers, keeper: Mutex::new(None) });
    let mut methods = Methods::default();
    let mut add =
        |name: &str, method: fn(&Arc<Worker>, Request) -> Result<Handling, ErrorObject>| {
            let worker = worker.clone();
            methods.add(name, move |request| {
                let handling = method(&worker, request).unwrap_or_else(Handling::from);
                errors::without_secrets(handling, &worker.setup.secrets)
            });
        };
    add(method::IDENTITY_GET, identity::get);
    add(method::IDENTITY_RESET, identity::reset);
    add(method::RPC_DISCOVER, discover);
    add(method::PLEX_REQUEST, request::request);
    add(method::PLEX_SCAN, scan::scan);
    add(method::PLEX_FIND, find::find);
    add(method::SCAN_PENDING, scan::pending);
    add(method::AUTH_START, auth::start);
    add(method::AUTH_FINISH, auth::finish);
    add(method::AUTH_STATUS, auth::status);
    add(method::AUTH_LOGOUT, auth::logout);
    add(method::SERVER_LIST, server::list);
    add(method::SERVER_CHOOSE, server::choose);
    add(method::DEVICE_LIST, device::list);
    add(method::DEVICE_REMOVE, device::remove);
    add(method::DOCTOR_RUN, doctor::run);
    methods
}

/// The OpenRPC document, without the white space that would make it more than one line.
fn discover(_: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    params::none(request.params.as_deref())?;
    let document = serde_json::from_str::<serde_json::Value>(OPENRPC)
        .map_err(|_| ErrorObject::new(Code::InternalError, "the OpenRPC document is invalid JSON"));
    Ok(Handling::Done(document.map(|document| JsonText::of(&document))))
}

/// The state behind the methods.
struct Worker {
    setup: Setup,
    plex: Plex,
    plex_tv: Result<PlexTv, String>,
    servers: Arc<Servers>,
    /// Made at the first use: in a Stash conversation the host says where the identity lives.
    keeper: Mutex<Option<Keeper>>,
}

fn limits(stash: Option<&StashCall>) -> Limits {
    if stash.is_some_and(|stash| stash.hook.is_some()) { Limits::hook() } else { Limits::normal() }
}

fn timeout(stash: Option<&StashCall>) -> Duration {
    Duration::from_millis(limits(stash).timeout_ms)
}

/// The time of a call, as its `timeout_ms` or the limits say.
fn asked_timeout(
    asked: Option<u64>,
    request: &Request,
    most: u64,
) -> Result<Duration, ErrorObject> {
    let asked = asked.unwrap_or_else(|| limits(request.stash.as_deref()).timeout_ms);
    match (1..=most).contains(&asked) {
        true => Ok(Duration::from_millis(asked)),
        false => Err(ErrorObject::invalid_params("/timeout_ms", format!("expected 1 to {most}"))),
    }
}

fn reader(stash: Option<&StashCall>) -> Reader {
    if stash.is_some() { Reader::StashUser } else { Reader::Host }
}

/// Stash shows a task's progress as a share of 1.
fn log_progress(done: u64, total: Option<u64>) {
    if let Some(total) = total.filter(|total| *total > 0) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a progress bar has no use for the 53rd bit"
        )]
        let share = (done.min(total) as f64) / (total as f64);
        info!(progress = share, "progress");
    }
}
