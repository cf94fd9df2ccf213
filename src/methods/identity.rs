//! `identity.*`, and the identity that other calls carry. What may wait (a torn file, the lock, a write) is ordered
//! work; an id in memory or in a good file is returned at once.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use plexsync_protocol::error::{Code, ErrorObject, PlexTimeout, TimeoutPhase};
use plexsync_protocol::identity::{Identity, ResetParams};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::{Worker, errors, params, told};
use crate::identity::{IdentityError, Keeper};
use crate::json_text::JsonText;
use crate::rpc::{Handling, OrderedWork, Request, StashCall};
use crate::target::{Given, PLATFORM};

pub(super) fn get(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    params::none(request.params.as_deref())?;
    let Request { stash, in_turn, .. } = request;
    if let Some(identity) = in_turn.then(|| worker.identity_at_once(stash.as_deref())).flatten() {
        told::identity(stash.as_deref(), &identity);
        return Ok(Handling::Done(Ok(JsonText::of(&*identity))));
    }
    let worker = worker.clone();
    Ok(Handling::Ordered(Box::new(move || {
        let identity = worker.with_keeper(stash.as_deref(), Keeper::get)?;
        told::identity(stash.as_deref(), &identity);
        Ok(JsonText::of(&*identity))
    })))
}

pub(super) fn reset(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: ResetParams = params::read(request.params.as_deref())?;
    let (worker, stash) = (worker.clone(), request.stash);
    // A finger may slip on a button; a script that names an id means it.
    let slipped = params == ResetParams::default() && stash.as_ref().is_some_and(|it| !it.confirm);
    Ok(Handling::Ordered(Box::new(move || {
        let stash = stash.as_deref();
        if slipped {
            let identity = worker.with_keeper(stash, Keeper::get)?;
            return Ok(JsonText::of(&told::unconfirmed(&identity)));
        }
        let mut reset = worker.with_keeper(stash, |keeper| keeper.reset(&params))?;
        told::reset(stash, &reset);
        if let Some(warning) = worker.left_behind(stash, &reset) {
            warn!("{warning}");
            let known = reset.identity.warning.take();
            reset.identity.warning =
                Some(known.into_iter().chain([warning]).collect::<Vec<_>>().join(" "));
        }
        Ok(JsonText::of(&reset))
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
                "`identity` was not ready in time, nothing was sent: another call or process is changing it; try again",
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

    /// The identity, made or loaded at its first use. A Stash user is told of a first one.
    pub(super) fn identity(&self, stash: Option<&StashCall>) -> Result<Arc<Identity>, ErrorObject> {
        self.with_keeper(stash, |keeper| {
            let was_held = keeper.held().is_some();
            let identity = keeper.get()?;
            if !was_held {
                told::first(stash, &identity);
            }
            Ok(identity)
        })
    }

    fn with_keeper<T>(
        &self,
        stash: Option<&StashCall>,
        act: impl FnOnce(&mut Keeper) -> Result<T, IdentityError>,
    ) -> Result<T, ErrorObject> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        self.made(&mut keeper, stash).and_then(act).map_err(errors::of_identity)
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
        // A scan of Stash runs a hook for each scene; the tasks say what is wrong.
        let quiet = stash.is_some_and(|stash| stash.hook.is_some());
        let new = Keeper::new(folder.value, self.setup.version, self.setup.interrupt.clone());
        let new = new.quiet(quiet);
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

pub(super) fn no_folder() -> IdentityError {
    IdentityError::Unavailable {
        path: PathBuf::from("device_id.json"),
        reason: "no data folder is known".to_owned(),
        hint: "name one in `PLEXSYNC_DATA_DIR`",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::account::server::Servers;
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
            let servers = Arc::new(Servers::new(plex.clients()));
            let worker = Worker { setup, plex, plex_tv, servers, keeper: Mutex::new(None) };
            assert_eq!(worker.identity(None).unwrap().device_id == "a", moves, "{by}");
        }
    }
}
