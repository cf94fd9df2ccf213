//! A hook's scan: the scene's folders first, then for a moment what waits.

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::plex::{ScanOutcome, ScanResult};
use plexsync_protocol::stash::HookContext;
use tokio::time::timeout_at;

use super::scene::{self, Scene};
use super::sender::{Sender, WAITS};
use super::server::Server;
use super::{Conversation, blocking, nothing, say};
use crate::json_text::JsonText;
use crate::remote_path::RemotePath;
use crate::rpc::Outcome;
use crate::scans::{Arrival, Arrived, Changed, Kind, Verdict};
use crate::stash::{Settings, Stash, StashError};

/// What Stash told, or why it did not.
type Told<T> = Result<T, String>;

impl Conversation {
    /// Scans the folders of the scene that a hook is about, or the one that its manifest names.
    pub(super) async fn hook(
        &self,
        hook: &HookContext,
        folder: Option<&RemotePath>,
        section: Option<String>,
        fresh: bool,
    ) -> Outcome {
        let parent = self.worker.stash(&self.call);
        if let Some(folder) = folder {
            let folders = vec![Changed { folder: folder.to_string(), files: Vec::new() }];
            let settings = self.in_time(parent.settings()).await;
            return self.scan(settings, folders, section, fresh).await;
        }
        let (settings, files) = match Scene::of(hook) {
            Scene::Nameless => return Ok(nothing("the hook names no scene")),
            Scene::Destroyed(path) => (self.in_time(parent.settings()).await, vec![path]),
            Scene::Known(id) => match self.ask_stash(&parent, &id).await {
                (settings, Ok(files)) => (settings, files),
                (_, Err(reason)) => return self.wait_for_stash(id, reason).await,
            },
        };
        let folders = scene::folders(files);
        if folders.is_empty() {
            self.send_what_waits().await?;
            return Ok(nothing("the scene has no file"));
        }
        self.scan(settings, folders, section, fresh).await
    }

    async fn scan(
        &self,
        settings: Told<Settings>,
        folders: Vec<Changed>,
        section: Option<String>,
        fresh: bool,
    ) -> Outcome {
        let server = match settings {
            Ok(settings) => Server::of(self, settings).await.map_err(|it| it.message),
            Err(reason) => Err(reason),
        };
        let key = server.as_ref().ok().map(|server| server.key.clone());
        let no_server = server.as_ref().err().cloned().unwrap_or_default();
        let arrival = Arrival { server: key, no_server, folders, section, fresh, hook: true };
        let Arrived { folders, away, say: when, more, sweep } = self.arrive(arrival).await?;
        let why = away.map(|away| away.reason).or_else(|| server.as_ref().err().cloned());
        if let (Some(why), Some(when)) = (why, when) {
            say(&format!("{why}{WAITS}"), when);
        }
        let is_skipped = folders.iter().any(|verdict| matches!(verdict, Verdict::Skipped));
        let is_noted = folders.iter().any(|verdict| matches!(verdict, Verdict::Waiting));
        let Ok(server) = server else {
            return Ok(JsonText::of(&ScanResult::not_asked(ScanOutcome::Waiting)));
        };
        let mut sender = Sender::new(self, server, true);
        let ticket = |verdict| match verdict {
            Verdict::Ask(ticket) => Some(ticket),
            Verdict::Skipped | Verdict::Waiting => None,
        };
        sender.send(folders.into_iter().filter_map(ticket).collect()).await?;
        let (scans, waits) = (std::mem::take(&mut sender.scans), is_noted || sender.waits);
        if more && sender.stopped.is_none() {
            self.send_more(&mut sender, sweep).await?;
        }
        if let Some(error) = sender.broken.take() {
            self.say_not_sent(&error, sender.server.key).await?;
        }
        if !scans.is_empty() {
            return Ok(JsonText::of(&ScanResult::asked(scans)));
        }
        match (waits, is_skipped) {
            (true, _) => Ok(JsonText::of(&ScanResult::not_asked(ScanOutcome::Waiting))),
            (_, true) => Ok(JsonText::of(&ScanResult::not_asked(ScanOutcome::Skipped))),
            _ => Ok(nothing("no library section holds the folder")),
        }
    }

    /// Nothing could be sent to any server.
    async fn say_not_sent(&self, error: &ErrorObject, server: String) -> Result<(), ErrorObject> {
        let outbox = self.outbox.clone();
        let when = blocking(move || outbox.told(&server, Kind::NotSent)).await?;
        say(&format!("{}{WAITS}", error.message), when);
        Ok(())
    }

    /// Settings and the scene's files.
    async fn ask_stash(&self, parent: &Stash, id: &str) -> (Told<Settings>, Told<Vec<String>>) {
        match timeout_at(self.deadline, parent.settings_and_files(id)).await {
            Ok(told) => {
                let files = told.files.map(Option::unwrap_or_default);
                (told.settings.map_err(in_words), files.map_err(in_words))
            }
            Err(_) => (Err(too_late()), Err(too_late())),
        }
    }

    async fn in_time<T>(&self, told: impl Future<Output = Result<T, StashError>>) -> Told<T> {
        let told = timeout_at(self.deadline, told).await.map_err(|_| too_late())?;
        told.map_err(in_words)
    }

    /// A scene that Stash can't tell about waits by its id.
    async fn wait_for_stash(&self, id: String, reason: String) -> Outcome {
        let outbox = self.outbox.clone();
        let message = format!("{reason}{WAITS}");
        let when = blocking(move || outbox.wait_for_stash(&id, &reason)).await?;
        say(&message, when);
        Ok(JsonText::of(&ScanResult::not_asked(ScanOutcome::Waiting)))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of the error")]
fn in_words(error: StashError) -> String {
    error.to_string()
}

fn too_late() -> String {
    "stash did not answer in time".to_owned()
}
