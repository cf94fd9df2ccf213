//! What each method does, and which code each failure has. Methods that change the identity run where they are
//! called; requests take a snapshot of it and run beside.

mod account;
mod doctor;
mod errors;
mod params;
mod scan;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plexsync_protocol::OPENRPC;
use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::identity::{Identity, ResetParams};
use plexsync_protocol::message::{JsonText, Progress, method};
use plexsync_protocol::plex::RequestParams;
use plexsync_protocol::stash::StashCall;
use tracing::info;

use crate::identity::{IdentityError, Keeper};
use crate::plex::{Limits, Plex, RequestCall};
use crate::rpc::{Methods, Outcome, Request};
use crate::secret::Secrets;
use crate::target::{Given, Sources};

/// What a worker is given at its start.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The data folder, if the user named one.
    pub data_dir: Option<Given<PathBuf>>,
    /// The data folder if the user named none and Stash is not the host.
    pub default_data_dir: Option<Given<PathBuf>>,
    /// The folder against which Stash's relative plugin folders are resolved.
    pub working_folder: PathBuf,
    /// Server and token, by flag and environment.
    pub sources: Sources,
    /// An additional certificate authority, for `doctor.run` to name.
    pub plex_ca: Option<Given<PathBuf>>,
    /// The plugin whose settings to ask Stash for.
    pub stash_plugin: String,
    /// The worker's version, as Plex is told.
    pub version: &'static str,
    /// Set when the process must stop: whoever waits gives up.
    pub stop: Arc<AtomicBool>,
    /// The secrets that the log must not show.
    pub secrets: Secrets,
}

/// The worker's methods.
pub fn methods(setup: Setup, plex: Plex) -> Methods {
    let worker = Arc::new(Worker { setup, plex, keeper: Mutex::new(None), told: Mutex::new(None) });
    let mut methods = Methods::default();
    methods.quick(method::IDENTITY_GET, with(&worker, Worker::identity_get));
    methods.quick(method::IDENTITY_RESET, with(&worker, Worker::identity_reset));
    methods.quick(method::RPC_DISCOVER, discover);
    methods.slow(method::PLEX_REQUEST, with(&worker, Worker::plex_request));
    methods.slow(method::PLEX_SCAN, with(&worker, scan::scan));
    methods.slow(method::DOCTOR_RUN, with(&worker, doctor::run));
    methods
}

/// The OpenRPC document, without the white space that would make it more than one line.
fn discover(request: Request) -> Outcome {
    params::none(request.params.as_deref())?;
    serde_json::from_str::<serde_json::Value>(OPENRPC)
        .map(|document| JsonText::of(&document))
        .map_err(|_| ErrorObject::new(Code::InternalError, "the OpenRPC document is no JSON"))
}

/// The method `method` of this worker.
fn with<T, M>(worker: &Arc<Worker>, method: M) -> impl Fn(Request) -> T + use<T, M>
where
    M: Fn(&Arc<Worker>, Request) -> T,
{
    let worker = worker.clone();
    move |request| method(&worker, request)
}

/// The state behind the methods.
struct Worker {
    setup: Setup,
    plex: Plex,
    /// Made at the first use: in a Stash conversation the host tells where the identity lives.
    keeper: Mutex<Option<Keeper>>,
    /// The identity that was told last, and the text in which it was told.
    told: Mutex<Option<(Arc<Identity>, JsonText)>>,
}

impl Worker {
    fn identity_get(self: &Arc<Self>, request: Request) -> Outcome {
        params::none(request.params.as_deref())?;
        let identity = self.identity(request.stash.as_deref())?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, text)) = &*told
            && Arc::ptr_eq(known, &identity)
        {
            return Ok(text.clone());
        }
        let text = JsonText::of(&*identity);
        *told = Some((identity, text.clone()));
        Ok(text)
    }

    fn identity_reset(self: &Arc<Self>, request: Request) -> Outcome {
        let params: ResetParams = params::read(request.params.as_deref())?;
        let mut keeper = self.keeper(request.stash.as_deref()).map_err(errors::of_identity)?;
        let result = keeper
            .as_mut()
            .ok_or_else(|| errors::of_identity(no_folder()))?
            .reset(&params)
            .map_err(errors::of_identity)?;
        info!("identity reset");
        Ok(JsonText::of(&result))
    }

    fn plex_request(
        self: &Arc<Self>,
        request: Request,
    ) -> Result<impl Future<Output = Outcome> + Send + use<>, Outcome> {
        let Request { params, stash, progress } = request;
        let params: RequestParams = params::read(params.as_deref()).map_err(Err)?;
        let identity = self.identity(stash.as_deref()).map_err(Err)?;
        let worker = self.clone();
        Ok(async move {
            let has =
                account::Has { server: params.server.is_some(), token: params.token.is_some() };
            let account = worker.account(stash.as_deref(), has).await?.account;
            let progress = progress_of(&params, stash.is_some(), progress);
            let limits = limits(stash.as_deref());
            let call = RequestCall { params, identity, account, limits, progress };
            worker
                .plex
                .request(call)
                .await
                .map(|answer| answer.into_json())
                .map_err(errors::of_plex)
        })
    }

    /// The identity, made or loaded at its first use.
    fn identity(&self, stash: Option<&StashCall>) -> Result<Arc<Identity>, ErrorObject> {
        let mut keeper = self.keeper(stash).map_err(errors::of_identity)?;
        let keeper = keeper.as_mut().ok_or_else(|| errors::of_identity(no_folder()))?;
        keeper.get().map_err(errors::of_identity)
    }

    fn keeper(
        &self,
        stash: Option<&StashCall>,
    ) -> Result<MutexGuard<'_, Option<Keeper>>, IdentityError> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if keeper.is_none() {
            let folder = self.data_folder(stash).ok_or_else(no_folder)?.value;
            *keeper = Some(Keeper::new(folder, self.setup.version, self.setup.stop.clone()));
        }
        Ok(keeper)
    }

    /// The user's word comes before Stash's, and that before the default.
    fn data_folder(&self, stash: Option<&StashCall>) -> Option<Given<PathBuf>> {
        let setup = &self.setup;
        let of_stash = || {
            let folder = crate::stash::plugin_data(&stash?.connection, &setup.working_folder)?;
            Some(Given::new(folder, "PluginDir"))
        };
        let mut given =
            setup.data_dir.clone().or_else(of_stash).or_else(|| setup.default_data_dir.clone())?;
        given.value = setup.working_folder.join(given.value);
        Some(given)
    }
}

fn no_folder() -> IdentityError {
    IdentityError::Unavailable {
        path: PathBuf::from("device_id.json"),
        reason: "no data folder is known: give `--data-dir` or `PLEXSYNC_DATA_DIR`".to_owned(),
    }
}

fn limits(stash: Option<&StashCall>) -> Limits {
    if stash.is_some_and(|stash| stash.hook.is_some()) { Limits::hook() } else { Limits::normal() }
}

type PlexProgress = Box<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// Progress goes to the host that gave a token, or into Stash's log.
fn progress_of(
    params: &RequestParams,
    in_stash: bool,
    sender: Option<crate::rpc::ProgressSender>,
) -> Option<PlexProgress> {
    if in_stash {
        return Some(Box::new(log_progress));
    }
    let token = params.progress_token.clone()?;
    let sender = sender?;
    Some(Box::new(move |done, total| sender(Progress { token: token.clone(), done, total })))
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
