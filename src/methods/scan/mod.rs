//! `plex.scan`: which folders are meant, and in Stash what is asked for now and what waits.

mod asking;
mod direct;
mod failure;
mod hook;
mod scene;
mod sender;
mod server;
mod task;
mod wait;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::plex::{ScanOutcome, ScanParams, ScanResult};
use tokio::time::Instant;
use tracing::{debug, warn};

pub(super) use scene::Scene;
use wait::Wait;
pub(super) use waiting::{besides, pending};

use super::identity::{Ticket, no_folder};
use super::{Worker, asked_timeout, errors, params};
use crate::json_text::JsonText;
use crate::plex::MAX_TIMEOUT_MS;
use crate::remote_path::RemotePath;
use crate::rpc::{Handling, Request, Slow, StashCall};
use crate::scans::{Arrival, Arrived, Outbox, Say};

/// What a hook keeps of its time for writing down what was not asked for.
const NOTES: Duration = Duration::from_millis(300);

pub(super) fn scan(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: ScanParams = params::read(request.params.as_deref())?;
    let timeout = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let Request { stash, in_turn, progress, .. } = request;
    let (pointer, folder) = named(&params)?;
    let wait = Wait::of(&params, progress, stash.is_some(), &worker.setup.secrets)?;
    let ScanParams { section, fresh, server, .. } = params;
    let section = section.filter(|key| !key.is_empty());
    let wanted = Wanted { folder, server, section, fresh, wait };
    if let Some(call) = stash {
        return in_stash(worker, call, in_turn, timeout, wanted);
    }
    if wanted.folder.is_none() {
        let reason = "is missing: give `path` or `folder`";
        return Err(ErrorObject::invalid_params("/path", reason));
    }
    let (ticket, first) = Ticket::draw(worker, None, in_turn);
    let whole = timeout + Wait::time(wanted.wait.as_ref());
    let work = Box::pin(wanted.scan(worker.clone(), ticket, timeout, pointer));
    Ok(Handling::Slow(Slow { first, timeout: Some(whole), work }))
}

/// What a call asks for.
struct Wanted {
    folder: Option<RemotePath>,
    server: Option<String>,
    section: Option<String>,
    fresh: bool,
    wait: Option<Wait>,
}

/// The identity is made when something is to be sent, and not before. Only what was received before may change it.
fn in_stash(
    worker: &Arc<Worker>,
    call: Arc<StashCall>,
    in_turn: bool,
    timeout: Duration,
    Wanted { folder, server, section, fresh, wait }: Wanted,
) -> Result<Handling, ErrorObject> {
    if wait.is_some() && call.hook.is_some() {
        let reason = "can't be used in a hook, where a person waits";
        return Err(ErrorObject::invalid_params("/wait_ms", reason));
    }
    let whole = timeout + Wait::time(wait.as_ref());
    let (turn, first) = match in_turn {
        true => (None, None),
        false => {
            let (turn, first) = Ticket::draw(worker, Some(call.clone()), false);
            (Some(turn), first)
        }
    };
    let worker = worker.clone();
    let work = async move {
        let now = Instant::now();
        let deadline = if call.hook.is_some() { now + timeout - NOTES } else { now + timeout };
        if let Some(turn) = turn {
            turn.identity(deadline).await?;
        }
        let conversation = Conversation::new(&worker, &call, deadline)?;
        let conversation = Conversation { server, ..conversation };
        match (&call.hook, folder) {
            (Some(hook), _) if !scene::moves_files(hook) => {
                conversation.send_what_waits().await?;
                Ok(nothing("no file was moved"))
            }
            (Some(hook), folder) => conversation.hook(hook, folder.as_ref(), section, fresh).await,
            (None, Some(folder)) => conversation.folder(&folder, section, fresh, wait).await,
            (None, None) => conversation.everything(section.as_deref()).await,
        }
    };
    Ok(Handling::Slow(Slow { first, timeout: Some(whole), work: Box::pin(work) }))
}

/// The folder that the params name, and where they do.
fn named(params: &ScanParams) -> Result<(&'static str, Option<RemotePath>), ErrorObject> {
    let (pointer, named) = match (&params.folder, &params.path) {
        (Some(_), Some(_)) => {
            let reason = "can't be used with `path`: give one of them";
            return Err(ErrorObject::invalid_params("/folder", reason));
        }
        (Some(folder), None) => ("/folder", RemotePath::parse(folder)),
        (None, Some(path)) => ("/path", RemotePath::folder_of(path)),
        (None, None) => return Ok(("/folder", None)),
    };
    let relative = || {
        let reason = "expected an absolute path: `/...`, `X:\\...` or `\\\\host\\share...`";
        ErrorObject::invalid_params(pointer, reason)
    };
    named.ok_or_else(relative).map(|folder| (pointer, Some(folder)))
}

/// A call in Stash that may scan.
#[derive(Clone)]
struct Conversation {
    worker: Arc<Worker>,
    call: Arc<StashCall>,
    outbox: Outbox,
    /// The server that the call names.
    server: Option<String>,
    /// When requests have to be over.
    deadline: Instant,
}

impl Conversation {
    fn new(
        worker: &Arc<Worker>,
        call: &Arc<StashCall>,
        deadline: Instant,
    ) -> Result<Self, ErrorObject> {
        let outbox = worker.outbox(Some(&**call))?;
        Ok(Self { worker: worker.clone(), call: call.clone(), outbox, server: None, deadline })
    }

    async fn arrive(&self, arrival: Arrival) -> Result<Arrived, ErrorObject> {
        let outbox = self.outbox.clone();
        blocking(move || outbox.arrive(&arrival)).await
    }
}

impl Worker {
    /// What waits in the data folder of this conversation.
    pub(super) fn outbox(&self, stash: Option<&StashCall>) -> Result<Outbox, ErrorObject> {
        let folder = self.data_folder(stash).ok_or_else(|| errors::of_identity(no_folder()))?;
        Ok(Outbox::new(&folder.value))
    }
}

fn nothing(reason: &str) -> JsonText {
    debug!("nothing to scan: {reason}");
    JsonText::of(&ScanResult::not_asked(ScanOutcome::Nothing))
}

/// Runs work that blocks on disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErrorObject> {
    let lost = |_| {
        ErrorObject::new(Code::InternalError, "internal error in the list of scans: see the log")
    };
    tokio::task::spawn_blocking(work).await.map_err(lost)
}

/// Logs a message, and how often it was not logged.
fn say(message: &str, say: Say) {
    match say {
        Say::Silent => {}
        Say::Now { silent: 0 } => warn!("{message}"),
        Say::Now { silent } => warn!("{message} (and {silent} more)"),
    }
}
