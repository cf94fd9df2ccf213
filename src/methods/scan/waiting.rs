//! What waits: sent beside a call's own work, shown, forgotten.

use std::sync::Arc;

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::pending::{PendingParams, PendingResult, PendingScan};
use tokio::time::Instant;
use tracing::{debug, info};

use super::super::{Worker, params};
use super::sender::{BESIDES, Sender};
use super::server::Server;
use super::{Conversation, blocking, scene};
use crate::json_text::JsonText;
use crate::rpc::{Handling, Request, Slow, StashCall};
use crate::scans::{self, Arrival, Pending, Sweep, Waits};

/// Most of what waits that a task names in the log.
const MOST_NAMED: usize = 20;

impl Conversation {
    /// Sends for a moment what waits, beside the call's own work. What goes wrong is no error of the call.
    pub(super) async fn send_what_waits(&self) -> Result<(), ErrorObject> {
        let outbox = self.outbox.clone();
        if !blocking(move || outbox.summary().is_ok_and(|summary| summary.waiting > 0)).await? {
            return Ok(());
        }
        let settings = self.worker.stash(&self.call).settings().await.ok();
        let Some(settings) = settings else { return Ok(()) };
        let Ok(server) = Server::of(self, settings).await else {
            return Ok(());
        };
        let arrival =
            Arrival { server: Some(server.key.clone()), hook: true, ..Arrival::default() };
        let arrived = self.arrive(arrival).await?;
        match arrived.more {
            true => self.send_more(&mut Sender::new(self, server, true), arrived.sweep).await,
            false => Ok(()),
        }
    }

    /// What waits, for a moment.
    pub(super) async fn send_more(
        &self,
        sender: &mut Sender,
        sweep: Sweep,
    ) -> Result<(), ErrorObject> {
        let (time, most) = BESIDES;
        let count = self.send_until(sender, sweep, Instant::now() + time, most).await?;
        if count > 0 {
            info!("Plex was asked to scan {}", that_waited(count));
        }
        Ok(())
    }

    /// What waits, oldest first; scenes are looked up before. Returns how many folders Plex took.
    pub(super) async fn send_until(
        &self,
        sender: &mut Sender,
        sweep: Sweep,
        until: Instant,
        most: usize,
    ) -> Result<usize, ErrorObject> {
        self.look_up_scenes(until, most).await?;
        sender.sweep(sweep, until, most).await
    }

    /// Scenes that Stash could not tell about become folders.
    async fn look_up_scenes(&self, until: Instant, most: usize) -> Result<(), ErrorObject> {
        let outbox = self.outbox.clone();
        let parent = self.worker.stash(&self.call);
        for scene in blocking(move || outbox.scenes()).await?.into_iter().take(most) {
            let told = tokio::time::timeout_at(until, parent.scene_files(&scene.id)).await;
            let Ok(Ok(files)) = told else { break };
            let folders = scene::folders(files.unwrap_or_default());
            let folders: Vec<_> = folders.into_iter().map(|changed| changed.folder).collect();
            let outbox = self.outbox.clone();
            blocking(move || outbox.scene_is_known(&scene, &folders)).await?;
        }
        Ok(())
    }

    /// All that waits, with the call's whole time.
    async fn send_all(&self) -> Result<(), ErrorObject> {
        let mut sender = Sender::new(self, self.server().await?, false);
        let count =
            self.send_until(&mut sender, Sweep::default(), self.deadline, usize::MAX).await?;
        info!("Plex was asked to scan {}", that_waited(count));
        match sender.broken.or(sender.error) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

pub(super) fn that_waited(count: usize) -> String {
    format!("{count} {} that waited", if count == 1 { "folder" } else { "folders" })
}

/// Adds to a call in Stash that it sends what waits, if its own work left it time.
pub(in super::super) async fn besides(
    worker: &Arc<Worker>,
    stash: Option<&Arc<StashCall>>,
    deadline: Instant,
) {
    let conversation = stash.map(|call| Conversation::new(worker, call, deadline));
    // On the heap: most calls don't come here, and all of them would be twice as large.
    if let Some(Ok(conversation)) = conversation
        && let Err(error) = Box::pin(conversation.send_what_waits()).await
    {
        debug!("what waits was not sent: {error}");
    }
}

/// `scan.pending`.
pub(in super::super) fn pending(
    worker: &Arc<Worker>,
    request: Request,
) -> Result<Handling, ErrorObject> {
    let Request { params, stash, .. } = request;
    let PendingParams { send, forget } = params::read(params.as_deref())?;
    if send && forget {
        return Err(ErrorObject::invalid_params("/forget", "can't be used with `send`"));
    }
    let timeout = super::super::timeout(stash.as_deref());
    let worker = worker.clone();
    let work = async move {
        let deadline = Instant::now() + timeout;
        if send {
            let call = stash.as_ref().ok_or_else(|| {
                ErrorObject::invalid_params(
                    "/send",
                    "is for a call in Stash: the paths are Stash's",
                )
            })?;
            Conversation::new(&worker, call, deadline)?.send_all().await?;
        }
        let outbox = worker.outbox(stash.as_deref())?;
        let told = blocking(move || {
            if forget {
                let count = outbox.forget();
                info!("forgotten: {}", that_waited(count));
            }
            outbox.pending()
        });
        let waiting = told.await?.map_err(|problem| {
            let message = format!("{}; {}", problem.reason, problem.hint);
            ErrorObject::new(Code::InternalError, message)
        })?;
        let waiting: Vec<_> = waiting.into_iter().map(told_of).collect();
        if stash.is_some() {
            log(&waiting);
        }
        Ok(JsonText::of(&PendingResult::new(waiting)))
    };
    Ok(Handling::Slow(Slow { first: None, timeout: Some(timeout), work: Box::pin(work) }))
}

fn told_of(pending: Pending) -> PendingScan {
    let Pending { what, section, since, reason } = pending;
    let since = scans::rfc3339(since);
    match what {
        Waits::Folder(folder) => PendingScan::of_folder(folder, since, reason).in_section(section),
        Waits::Scene(scene) => PendingScan::of_scene(scene, since, reason),
    }
}

/// A Stash user sees log lines only.
fn log(waiting: &[PendingScan]) {
    if waiting.is_empty() {
        return info!("no scan waits");
    }
    for PendingScan { folder, scene, since, reason, .. } in waiting.iter().take(MOST_NAMED) {
        match (folder, scene) {
            (Some(folder), _) => info!("`{folder}` waits since {since}: {reason}"),
            (None, scene) => info!(
                "scene {} waits since {since}: {reason}",
                scene.as_deref().unwrap_or_default()
            ),
        }
    }
    info!(
        "{}; each later call sends some, *Scan Plex library* all at once",
        match waiting.len() {
            1 => "1 scan waits".to_owned(),
            count => format!("{count} scans wait"),
        }
    );
}
