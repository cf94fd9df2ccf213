//! `plex.scan`: which folders are meant, and what a Stash user sees of it.

use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::error::{ErrorObject, Missing};
use plexsync_protocol::identity::Identity;
use plexsync_protocol::plex::{ScanParams, ScanResult, SectionScan};
use plexsync_protocol::stash::HookContext;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::account::{Has, Resolved};
use super::identity::Ticket;
use super::{Worker, errors, limits, params, reader};
use crate::json_text::JsonText;
use crate::plex::{Account, PlexError, ScanCall, Scanner};
use crate::remote_path::RemotePath;
use crate::rpc::{Handling, Outcome, Request, Slow, StashCall};
use crate::stash::Stash;

pub(super) fn scan(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let Request { params, stash, in_turn, .. } = request;
    let hook = stash.as_ref().and_then(|call| call.hook.as_ref());
    if hook.is_some_and(|hook| !moves_files(hook)) {
        return Ok(Handling::Done(Ok(nothing("no file was moved"))));
    }
    let params: ScanParams = params::read(params.as_deref())?;
    let (pointer, named) = named(&params)?;
    if named.is_none() && stash.is_none() {
        let reason = "is missing: give `path` or `folder`";
        return Err(ErrorObject::invalid_params("/path", reason));
    }
    let section = params.section.filter(|key| !key.is_empty());
    let (ticket, first) = Ticket::draw(worker, stash.clone(), in_turn);
    let timeout = Duration::from_millis(limits(stash.as_deref()).timeout_ms);
    let worker = worker.clone();
    let work = async move {
        let deadline = Instant::now() + timeout;
        let identity = ticket.identity(deadline).await?;
        Scan { worker, stash, identity, section, pointer, deadline }.run(named).await
    };
    Ok(Handling::Slow(Slow { first, timeout: Some(timeout), work: Box::pin(work) }))
}

/// Whether the hook is about a scene whose files came, moved or went. An edit has an input; a scan that found a moved
/// file has none.
fn moves_files(hook: &HookContext) -> bool {
    let has_input = hook.input.as_ref().is_some_and(|input| input.get() != "null");
    hook.trigger.starts_with("Scene.") && (!has_input || hook.trigger.ends_with(".Destroy.Post"))
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

struct Scan {
    worker: Arc<Worker>,
    stash: Option<Arc<StashCall>>,
    identity: Arc<Identity>,
    section: Option<String>,
    /// Which param names the folder.
    pointer: &'static str,
    deadline: Instant,
}

impl Scan {
    async fn run(&self, named: Option<RemotePath>) -> Outcome {
        let parent = self.stash.as_ref().map(|call| self.worker.stash(call));
        match (named, parent, self.hook()) {
            (Some(folder), None, _) => {
                let account = self.account().await?;
                let scanned = self.scanner(account).folder(&[folder], self.section(), &[]).await;
                Ok(JsonText::of(&ScanResult::asked(scanned.map_err(|error| self.error(error))?)))
            }
            (Some(folder), Some(parent), _) => self.scan_folders(&parent, vec![folder]).await,
            (None, Some(parent), Some(hook)) => match folders_of(&parent, hook).await? {
                folders if folders.is_empty() => Ok(nothing("the scene has no file")),
                folders => self.scan_folders(&parent, folders).await,
            },
            (None, ..) => self.scan_everything().await,
        }
    }

    /// Folders as Stash sees them. In a hook one that is refused is a warning, and the next one is tried.
    async fn scan_folders(&self, parent: &Stash, folders: Vec<RemotePath>) -> Outcome {
        // Asked for even if the account is complete without: `path_map` is only there.
        let resolved = self.worker.account_with(parent, Has::default()).await?;
        let Resolved { account, settings } = resolved.with_server()?;
        let mut scanner = self.scanner(account);
        let mut scans: Vec<SectionScan> = Vec::new();
        for folder in folders {
            let translated = settings.path_map.translate(&folder);
            let names: Vec<_> = translated.into_iter().chain([folder]).collect();
            match scanner.folder(&names, self.section(), &[]).await {
                Ok(asked) => scans.extend(asked),
                Err(error) if self.hook().is_some() && is_an_answer(&error) => {
                    let concerns_all = concerns_all(&error);
                    warn!("{}", self.error(error).message);
                    if concerns_all {
                        break;
                    }
                }
                Err(error) => return Err(self.error(error)),
            }
        }
        if self.hook().is_none() {
            info!("Plex was asked to scan {}", list_of(&scans));
        }
        Ok(JsonText::of(&ScanResult::asked(scans)))
    }

    /// A task without a folder means all that Plex has.
    async fn scan_everything(&self) -> Outcome {
        let account = self.account().await?;
        let scanned = self.scanner(account).everything(self.section()).await;
        scanned.map_err(|error| self.error(error))?;
        match self.section() {
            Some(key) => info!("Plex was asked to scan library section `{key}`"),
            None => info!("Plex was asked to scan all its library sections"),
        }
        Ok(JsonText::of(&ScanResult::whole(self.section().unwrap_or("all"), 0)))
    }

    fn hook(&self) -> Option<&HookContext> {
        self.stash.as_ref().and_then(|call| call.hook.as_ref())
    }

    fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    fn scanner(&self, account: Account) -> Scanner {
        self.worker.plex.scanner(ScanCall {
            identity: self.identity.clone(),
            account,
            limits: limits(self.stash.as_deref()),
            deadline: self.deadline,
        })
    }

    fn error(&self, error: PlexError) -> ErrorObject {
        let reader = reader(self.stash.as_deref());
        match error {
            PlexError::NoSection(error) => errors::no_section(*error, self.pointer, reader),
            error => errors::of_plex(error, reader),
        }
    }

    async fn account(&self) -> Result<Account, ErrorObject> {
        Ok(self.worker.account(self.stash.as_deref(), Has::default()).await?.account)
    }
}

/// The folders of the scene that the hook is about, each once.
async fn folders_of(parent: &Stash, hook: &HookContext) -> Result<Vec<RemotePath>, ErrorObject> {
    let paths = match (input_path(hook), &hook.id) {
        (Some(path), _) => vec![path],
        (None, Some(Value::String(id))) => scene_files(parent, id).await?,
        (None, Some(Value::Number(id))) => scene_files(parent, &id.to_string()).await?,
        (None, _) => Vec::new(),
    };
    let mut folders: Vec<RemotePath> = Vec::new();
    for folder in paths.iter().filter_map(|path| RemotePath::folder_of(path)) {
        if !folders.iter().any(|known| known.is_same(&folder)) {
            folders.push(folder);
        }
    }
    Ok(folders)
}

async fn scene_files(parent: &Stash, id: &str) -> Result<Vec<String>, ErrorObject> {
    let files = parent.scene_files(id).await;
    let files = files.map_err(|error| errors::of_stash(&error, Missing::Server))?;
    Ok(files.unwrap_or_default())
}

/// Whether Plex was reached: what it refused is logged, and does not fail the hook.
fn is_an_answer(error: &PlexError) -> bool {
    matches!(error, PlexError::NoSection(_) | PlexError::Refused(_))
}

/// Whether the next folder would end the same way.
fn concerns_all(error: &PlexError) -> bool {
    matches!(error, PlexError::Refused(refusal) if refusal.refused.is_empty())
}

fn list_of(scans: &[SectionScan]) -> String {
    let of =
        |scan: &SectionScan| format!("`{}` in library section `{}`", scan.folder, scan.section);
    scans.iter().map(of).collect::<Vec<_>>().join(", ")
}

fn nothing(reason: &str) -> JsonText {
    debug!("nothing to scan: {reason}");
    JsonText::of(&ScanResult::nothing())
}

/// Stash no longer has a destroyed scene: its path is in the hook's input.
fn input_path(hook: &HookContext) -> Option<String> {
    #[derive(Deserialize)]
    struct Destroyed {
        path: Option<String>,
    }
    let destroyed: Destroyed = serde_json::from_str(hook.input.as_deref()?.get()).ok()?;
    destroyed.path.filter(|path| !path.is_empty())
}
