//! `plex.find`: which items have a file.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use plexsync_protocol::error::{ErrorObject, Missing};
use plexsync_protocol::find::{FindParams, FindResult, FoundItem, MAX_PATHS};
use plexsync_protocol::identity::Identity;
use tokio::time::Instant;
use tracing::info;

use super::account::{Has, Resolved};
use super::identity::Ticket;
use super::scan::Scene;
use super::{Worker, asked_timeout, errors, limits, params, reader};
use crate::json_text::JsonText;
use crate::plex::{Item, MAX_TIMEOUT_MS, PlexError, ScanCall};
use crate::remote_path::RemotePath;
use crate::rpc::{Handling, Outcome, Request, Slow, StashCall};
use crate::secret::Secrets;

/// How many files are asked for at once: Plex answers each in some milliseconds, and has others to serve.
const AT_ONCE: usize = 4;

pub(super) fn find(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: FindParams = params::read(request.params.as_deref())?;
    let timeout = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let Request { stash, in_turn, .. } = request;
    let hook = stash.as_ref().and_then(|call| call.hook.as_ref());
    let paths = named(&params, hook.is_some())?;
    let (ticket, first) = Ticket::draw(worker, stash.clone(), in_turn);
    let worker = worker.clone();
    let work = async move {
        let deadline = Instant::now() + timeout;
        let identity = ticket.identity(deadline).await?;
        Find { worker, stash, identity, params, deadline }.run(paths).await
    };
    Ok(Handling::Slow(Slow { first, timeout: Some(timeout), work: Box::pin(work) }))
}

/// A file, as the call names it.
struct Named {
    path: String,
    parsed: RemotePath,
}

/// The files that the params name; none in a hook that names none: its scene's are meant.
fn named(params: &FindParams, in_hook: bool) -> Result<Option<Vec<Named>>, ErrorObject> {
    let parse = |path: &str, pointer: String| {
        let reason = "expected an absolute path: `/...`, `X:\\...` or `\\\\host\\share...`";
        let parsed = RemotePath::parse(path);
        let parsed = parsed.ok_or_else(|| ErrorObject::invalid_params(pointer, reason))?;
        Ok(Named { path: path.to_owned(), parsed })
    };
    match (&params.path, &params.paths) {
        (Some(_), Some(_)) => {
            let reason = "can't be used with `path`: give one of them";
            Err(ErrorObject::invalid_params("/paths", reason))
        }
        (Some(path), None) => Ok(Some(vec![parse(path, "/path".to_owned())?])),
        (None, Some(paths)) if (1..=MAX_PATHS).contains(&paths.len()) => {
            let paths = paths.iter().enumerate();
            let named = paths.map(|(place, path)| parse(path, format!("/paths/{place}")));
            named.collect::<Result<_, _>>().map(Some)
        }
        (None, Some(_)) => {
            let reason = format!("expected 1 to {MAX_PATHS} paths");
            Err(ErrorObject::invalid_params("/paths", reason))
        }
        (None, None) if in_hook => Ok(None),
        (None, None) => {
            Err(ErrorObject::invalid_params("/path", "is missing: give `path` or `paths`"))
        }
    }
}

struct Find {
    worker: Arc<Worker>,
    stash: Option<Arc<StashCall>>,
    identity: Arc<Identity>,
    params: FindParams,
    deadline: Instant,
}

/// What there is of one path.
enum Found {
    Items(Vec<Item>),
    Unheld,
}

impl Find {
    async fn run(&self, named: Option<Vec<Named>>) -> Outcome {
        let resolved = self.account().await?;
        let server = resolved.server_of(self.has());
        let Resolved { account, settings, .. } = resolved;
        let paths = match named {
            Some(paths) => paths,
            None => self.scene_files().await?,
        };
        if paths.is_empty() {
            return Ok(self.result(Vec::new(), None));
        }
        let router = account.router.clone();
        let failed = |error| errors::of_plex(error, reader(self.stash.as_deref()), router.as_ref());
        let mut scanner = self.worker.plex.scanner(ScanCall {
            identity: self.identity.clone(),
            server,
            account,
            limits: limits(self.stash.as_deref()),
            deadline: self.deadline,
        });
        let sections = scanner.sections().await.map_err(failed)?.to_vec();
        let only = self.params.section.as_deref().filter(|key| !key.is_empty());
        let (scanner, sections, failed) = (&scanner, &sections[..], &failed);
        let found = stream::iter(paths).map(|Named { path, parsed }| {
            let translated = settings.path_map.translate(&parsed);
            let names: Vec<_> = translated.into_iter().chain([parsed]).collect();
            async move {
                match scanner.find(sections, &names, only).await {
                    Ok(items) => Ok((path, Found::Items(items))),
                    // A section that is none is the caller's mistake, a file in no library an answer.
                    Err(PlexError::NoSection(error)) if error.keys.is_empty() => {
                        Ok((path, Found::Unheld))
                    }
                    Err(error) => Err(failed(error)),
                }
            }
        });
        let found = found.buffered(AT_ONCE).try_collect().await?;
        Ok(self.result(found, scanner.warning()))
    }

    fn result(&self, found: Vec<(String, Found)>, warning: Option<&str>) -> JsonText {
        let asked = found.len();
        let mut result = FindResult::default();
        for (path, found) in found {
            match found {
                Found::Items(items) if !items.is_empty() => {
                    let secrets = &self.worker.setup.secrets;
                    let items = items.into_iter().map(|item| found_item(&path, item, secrets));
                    result.items.extend(items);
                }
                Found::Items(_) => result.missing.push(path),
                Found::Unheld => {
                    result.missing.push(path.clone());
                    result.unheld.push(path);
                }
            }
        }
        result.warning = warning.map(str::to_owned);
        if self.stash.is_some() {
            info!("Plex has {} of {asked} files", asked - result.missing.len());
        }
        JsonText::of(&result)
    }

    /// The files of the scene that the hook is about.
    async fn scene_files(&self) -> Result<Vec<Named>, ErrorObject> {
        let call = self.stash.as_deref();
        let Some((call, hook)) = call.and_then(|call| Some((call, call.hook.as_ref()?))) else {
            return Ok(Vec::new());
        };
        let files = match Scene::of(hook) {
            Scene::Nameless => Vec::new(),
            Scene::Destroyed(path) => vec![path],
            Scene::Known(id) => {
                let files = self.worker.stash(call).scene_files(&id).await;
                let files = files.map_err(|error| errors::of_stash(&error, Missing::Server))?;
                files.unwrap_or_default()
            }
        };
        let named = |path: String| Some(Named { parsed: RemotePath::parse(&path)?, path });
        Ok(files.into_iter().filter_map(named).collect())
    }

    async fn account(&self) -> Result<Resolved, ErrorObject> {
        match &self.stash {
            // Asked for even if the account is complete without: `path_map` is only there.
            Some(call) => {
                let parent = self.worker.stash(call);
                self.worker.account_with(call, &parent, self.has()).await?.with_server()
            }
            None => self.worker.account(None, self.has()).await,
        }
    }

    fn has(&self) -> Has<'_> {
        Has { server: self.params.server.as_deref(), token: None }
    }
}

/// An item of the file that the call names so. Its title is what somebody has typed into Plex.
pub(super) fn found_item(path: &str, item: Item, secrets: &Secrets) -> FoundItem {
    let Item { rating_key, kind, title, section, file } = item;
    let [kind, title] = [kind, title].map(|text| secrets.redact(&text).into_owned());
    FoundItem { path: path.to_owned(), rating_key, r#type: kind, title, section, file }
}
