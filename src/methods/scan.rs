//! `plex.scan`: which folder is meant, and what a Stash hook makes of it.

use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::identity::Identity;
use plexsync_protocol::plex::ScanParams;
use plexsync_protocol::stash::{HookContext, StashCall};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::warn;

use super::account::{Has, Resolved};
use super::identity::Ticket;
use super::{Worker, errors, limits, log_progress, params};
use crate::json_text::JsonText;
use crate::plex::{Account, PlexError, ScanCall, folder_of};
use crate::rpc::{Handling, Outcome, Request, Slow};
use crate::stash::Stash;

pub(super) fn scan(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let Request { params, stash, in_turn, .. } = request;
    let hook = stash.as_ref().and_then(|call| call.hook.as_ref());
    if hook.is_some_and(is_an_edit) {
        return Ok(Handling::Done(Ok(nothing("no file was moved"))));
    }
    let params: ScanParams = params::read(params.as_deref())?;
    let (ticket, first) = Ticket::draw(worker, stash.clone(), in_turn);
    let limits = limits(stash.as_deref());
    let worker = worker.clone();
    let work = async move {
        let deadline = Instant::now() + Duration::from_millis(limits.timeout_ms);
        let identity = ticket.identity(deadline).await?;
        Scan { worker, stash, identity }.run(params).await
    };
    Ok(Handling::Slow(Slow { first, timeout: None, work: Box::pin(work) }))
}

/// Somebody edited metadata: an update with an input moves no file. A scan that found a moved file has none.
fn is_an_edit(hook: &HookContext) -> bool {
    hook.trigger.ends_with(".Update.Post")
        && hook.input.as_ref().is_some_and(|input| input.get() != "null")
}

struct Scan {
    worker: Arc<Worker>,
    stash: Option<Arc<StashCall>>,
    identity: Arc<Identity>,
}

impl Scan {
    async fn run(&self, params: ScanParams) -> Outcome {
        let named = match (&params.folder, &params.path) {
            (Some(_), Some(_)) => {
                return Err(ErrorObject::invalid_params(
                    "/folder",
                    "stands beside `path`: give one of them",
                ));
            }
            (Some(folder), None) => Some(folder.clone()),
            (None, Some(path)) => {
                Some(folder_of(path).map(ToOwned::to_owned).ok_or_else(no_folder)?)
            }
            (None, None) => None,
        };
        match (named, self.stash.as_deref()) {
            (Some(folder), stash) => {
                let Resolved { account, .. } = self.worker.account(stash, Has::default()).await?;
                let scanned = self.scan_folder(folder, params.section, &account).await;
                self.report(scanned)
            }
            (None, Some(StashCall { hook: Some(hook), connection: _ })) => {
                self.scan_scene(hook, params.section).await
            }
            (None, Some(_)) => self.scan_everything(params.section).await,
            (None, None) => {
                Err(ErrorObject::invalid_params("/path", "is missing: give `path` or `folder`"))
            }
        }
    }

    /// The folders of the scene that the hook is about.
    async fn scan_scene(&self, hook: &HookContext, section: Option<String>) -> Outcome {
        let Some(call) = self.stash.as_deref() else { return Ok(nothing("no Stash to ask")) };
        let stash = self.worker.stash(call);
        let paths = match input_path(hook) {
            Some(path) => vec![path],
            None => self.scene_paths(&stash, hook).await?,
        };
        if paths.is_empty() {
            return Ok(nothing("the scene has no file"));
        }
        let Resolved { account, settings } =
            self.worker.account_with(&stash, Has::default()).await?.with_server()?;
        let mut folders: Vec<String> = paths
            .iter()
            .filter_map(|path| folder_of(path))
            .map(|folder| settings.path_map.translate(folder))
            .collect();
        folders.sort();
        folders.dedup();
        let mut last = Ok(nothing("the scene's file has no folder"));
        for folder in folders {
            last = self.report(self.scan_folder(folder, section.clone(), &account).await);
            if last.is_err() {
                break;
            }
        }
        last
    }

    async fn scene_paths(
        &self,
        stash: &Stash,
        hook: &HookContext,
    ) -> Result<Vec<String>, ErrorObject> {
        let id = match &hook.id {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Ok(Vec::new()),
        };
        let files = stash.scene_files(&id).await;
        let files = files
            .map_err(|error| errors::of_stash(&error, plexsync_protocol::error::Missing::Server))?;
        Ok(files.unwrap_or_default())
    }

    /// A task without a folder means every folder that Plex has.
    async fn scan_everything(&self, section: Option<String>) -> Outcome {
        let stash = self.stash.as_deref();
        let Resolved { account, .. } = self.worker.account(stash, Has::default()).await?;
        let call = self.call(String::new(), section, &account);
        let locations = self.worker.plex.locations(call).await.map_err(errors::of_plex)?;
        let total = locations.len() as u64;
        for (done, location) in locations.into_iter().enumerate() {
            let call = self.call(location.folder, Some(location.section), &account);
            self.worker.plex.scan(call).await.map_err(errors::of_plex)?;
            log_progress(done as u64 + 1, Some(total));
        }
        Ok(JsonText::of(&json!({ "folders": total.to_string() })))
    }

    async fn scan_folder(
        &self,
        folder: String,
        section: Option<String>,
        account: &Account,
    ) -> Result<JsonText, PlexError> {
        let call = self.call(folder, section, account);
        self.worker.plex.scan(call).await.map(|result| JsonText::of(&result))
    }

    fn call(&self, folder: String, section: Option<String>, account: &Account) -> ScanCall {
        ScanCall {
            folder,
            section,
            identity: self.identity.clone(),
            account: account.clone(),
            limits: limits(self.stash.as_deref()),
        }
    }

    /// In a hook a folder that no section holds is no failure: the user's library may be larger than Plex's.
    fn report(&self, scanned: Result<JsonText, PlexError>) -> Outcome {
        let in_hook = self.stash.as_ref().is_some_and(|call| call.hook.is_some());
        match scanned {
            Err(PlexError::NoSection { folder, locations }) if in_hook => {
                warn!(
                    "no Plex library section holds `{folder}`; Plex's locations are `{}`: if Plex sees the same files \
                     under another name, set `path_map` in Settings > Plugins > PlexSync",
                    locations.join("`, `")
                );
                Ok(nothing("no library section holds the folder"))
            }
            scanned => scanned.map_err(errors::of_plex),
        }
    }
}

fn nothing(reason: &str) -> JsonText {
    JsonText::of(&format!("nothing to scan: {reason}"))
}

fn no_folder() -> ErrorObject {
    ErrorObject::invalid_params("/path", "has no folder: expected an absolute path")
}

/// A destroyed scene is gone from Stash: its path is in the hook's input.
fn input_path(hook: &HookContext) -> Option<String> {
    #[derive(Deserialize)]
    struct Destroyed {
        path: Option<String>,
    }
    let input: &RawValue = hook.input.as_deref()?;
    let destroyed: Destroyed = serde_json::from_str(input.get()).ok()?;
    destroyed.path.filter(|path| !path.is_empty())
}
