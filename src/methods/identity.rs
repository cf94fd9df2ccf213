//! `identity.*`, and the identity that other calls carry. What may wait (a torn file, the lock, a write) is ordered
//! work; an id in memory or in a good file is returned at once.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use plexsync_protocol::error::{Code, ErrorObject, PlexTimeout, TimeoutPhase};
use plexsync_protocol::identity::{Identity, ResetParams};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::{Worker, errors, params};
use crate::identity::{IdentityError, Keeper};
use crate::json_text::JsonText;
use crate::rpc::{Handling, OrderedWork, Request, StashCall};
use crate::target::{Given, PLATFORM};

pub(super) fn get(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    params::none(request.params.as_deref())?;
    let Request { stash, in_turn, .. } = request;
    if let Some(identity) = in_turn.then(|| worker.identity_at_once(stash.as_deref())).flatten() {
        return Ok(Handling::Done(Ok(JsonText::of(&*identity))));
    }
    let worker = worker.clone();
    Ok(Handling::Ordered(Box::new(move || {
        worker.identity(stash.as_deref()).map(|identity| JsonText::of(&*identity))
    })))
}

pub(super) fn reset(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: ResetParams = params::read(request.params.as_deref())?;
    let (worker, stash) = (worker.clone(), request.stash);
    Ok(Handling::Ordered(Box::new(move || {
        let reset = worker.with_keeper(stash.as_deref(), |keeper| keeper.reset(&params));
        let mut result = reset.map_err(errors::of_identity)?;
        info!("identity reset");
        if let Some(warning) = worker.left_behind(stash.as_deref(), &result) {
            warn!("{warning}");
            let known = result.identity.warning.take();
            result.identity.warning =
                Some(known.into_iter().chain([warning]).collect::<Vec<_>>().join(" "));
        }
        Ok(JsonText::of(&result))
    })))
}

/// The identity that a call carries: the one that the identity calls received before it leave behind.
pub(super) enum Ticket {
    Ready(Arc<Identity>),
    Waiting(oneshot::Receiver<Result<Arc<Identity>, ErrorObject>>),
}

impl Ticket {
    /// The ticket of a call, and the ordered work that it waits for.
    pub(super) fn draw(
        worker: &Arc<Worker>,
        stash: Option<Arc<StashCall>>,
        in_turn: bool,
    ) -> (Self, Option<OrderedWork>) {
        let identity = in_turn.then(|| worker.identity_at_once(stash.as_deref())).flatten();
        if let Some(identity) = identity {
            return (Self::Ready(identity), None);
        }
        let (sender, receiver) = oneshot::channel();
        let worker = worker.clone();
        let first: OrderedWork = Box::new(move || {
            // Refused when the call was cancelled meanwhile.
            let _refused = sender.send(worker.identity(stash.as_deref()));
            Ok(JsonText::of(&()))
        });
        (Self::Waiting(receiver), Some(first))
    }

    /// The identity, waited for until `deadline`.
    pub(super) async fn identity(self, deadline: Instant) -> Result<Arc<Identity>, ErrorObject> {
        let receiver = match self {
            Self::Ready(identity) => return Ok(identity),
            Self::Waiting(receiver) => receiver,
        };
        match timeout_at(deadline, receiver).await {
            Ok(Ok(identity)) => identity,
            Ok(Err(_)) => Err(ErrorObject::new(Code::Cancelled, "cancelled before the identity was known")),
            Err(_) => Err(ErrorObject::new(
                Code::PlexTimeout,
                "`identity` was not ready in time, nothing was sent: another call or process is changing it; raise \
                 `timeout_ms`",
            )
            .with_data(&PlexTimeout { phase: TimeoutPhase::Connect })),
        }
    }
}

impl Worker {
    /// The identity, if nothing has to be waited for.
    fn identity_at_once(&self, stash: Option<&StashCall>) -> Option<Arc<Identity>> {
        let mut keeper = self.keeper.try_lock().ok()?;
        self.made(&mut keeper, stash).ok()?.get_without_waiting()
    }

    /// The identity, made or loaded at its first use.
    pub(super) fn identity(&self, stash: Option<&StashCall>) -> Result<Arc<Identity>, ErrorObject> {
        self.with_keeper(stash, Keeper::get).map_err(errors::of_identity)
    }

    fn with_keeper<T>(
        &self,
        stash: Option<&StashCall>,
        act: impl FnOnce(&mut Keeper) -> Result<T, IdentityError>,
    ) -> Result<T, IdentityError> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        act(self.made(&mut keeper, stash)?)
    }

    fn made<'k>(
        &self,
        keeper: &'k mut Option<Keeper>,
        stash: Option<&StashCall>,
    ) -> Result<&'k mut Keeper, IdentityError> {
        if let Some(keeper) = keeper {
            return Ok(keeper);
        }
        let folder = self.data_folder(stash).ok_or_else(no_folder)?;
        let new = Keeper::new(folder.value, self.setup.version, self.setup.interrupt.clone());
        let former = self.setup.former_data_dir.clone().filter(|_| folder.by == PLATFORM);
        Ok(keeper.insert(former.into_iter().fold(new, Keeper::with_former)))
    }

    /// The user's folder, else Stash's, else the default.
    pub(super) fn data_folder(&self, stash: Option<&StashCall>) -> Option<Given<PathBuf>> {
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
        reason: "no data folder is known".to_owned(),
        hint: "give `--data-dir` or `PLEXSYNC_DATA_DIR`",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::methods::Setup;
    use crate::plex::{Options, Plex};
    use crate::secret::Secrets;
    use crate::target::Sources;

    #[test]
    fn an_identity_moves_into_the_platforms_folder_and_into_no_other() {
        for (by, moves) in [(PLATFORM, true), ("plexsync.yml", false)] {
            let (former, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            std::fs::write(former.path().join("device_id.json"), r#"{"device_id":"a"}"#).unwrap();
            let setup = Setup {
                data_dir: None,
                default_data_dir: Some(Given::new(folder.path().to_owned(), by)),
                former_data_dir: Some(former.path().to_owned()),
                working_folder: PathBuf::new(),
                sources: Sources::default(),
                plex_ca: None,
                stash_plugin: String::new(),
                version: "2.0.0",
                interrupt: Arc::default(),
                secrets: Secrets::default(),
            };
            let plex = Plex::new(Options::default());
            let plex_tv = Err(String::new());
            let worker = Worker { setup, plex, plex_tv, keeper: Mutex::new(None) };
            assert_eq!(worker.identity(None).unwrap().device_id == "a", moves, "{by}");
        }
    }
}
