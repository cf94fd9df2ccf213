//! A task's or an operation's scan: a folder that it names, or all that Plex has.

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::plex::{ScanOutcome, ScanResult, SectionScan};
use tracing::info;

use super::sender::Sender;
use super::server::Server;
use super::wait::Wait;
use super::waiting::that_waited;
use super::{Conversation, blocking};
use crate::json_text::JsonText;
use crate::plex::{Listening, Scanner};
use crate::remote_path::RemotePath;
use crate::rpc::Outcome;
use crate::scans::{Arrival, Changed, Sweep, Verdict};

impl Conversation {
    /// Scans a folder as Stash sees it.
    pub(super) async fn folder(
        &self,
        folder: &RemotePath,
        section: Option<String>,
        fresh: bool,
        wait: Option<Wait>,
    ) -> Outcome {
        let server = self.server().await;
        let key = server.as_ref().ok().map(|server| server.key.clone());
        let folders = vec![Changed { folder: folder.to_string(), files: Vec::new() }];
        let no_server = server.as_ref().err().map(|error| error.message.clone());
        let no_server = no_server.unwrap_or_default();
        let only = section.clone();
        let arrival = Arrival { server: key, no_server, folders, section, fresh, hook: false };
        let arrived = self.arrive(arrival).await?;
        let mut sender = Sender::new(self, server?, false);
        let ticket = |verdict| match verdict {
            Verdict::Ask(ticket) => Some(ticket),
            Verdict::Skipped | Verdict::Waiting => None,
        };
        let listening = listen(wait.as_ref(), &mut sender).await;
        sender.send(arrived.folders.into_iter().filter_map(ticket).collect()).await?;
        if let Some(error) = sender.broken.take().or(sender.error.take()) {
            return Err(error);
        }
        let scans = std::mem::take(&mut sender.scans);
        if scans.is_empty() {
            return Ok(JsonText::of(&ScanResult::not_asked(ScanOutcome::Waiting)));
        }
        info!("Plex was asked to scan {}", list_of(&scans));
        if arrived.more {
            self.send_more(&mut sender, arrived.sweep).await?;
        }
        let mut result = ScanResult::asked(scans);
        result.warning = sender.scanner.as_ref().and_then(Scanner::warning).map(str::to_owned);
        if let Some((wait, listening)) = wait.zip(listening) {
            let names = sender.server.names(wait.file.written());
            if let Ok(scanner) = sender.scanner().await {
                wait.end(scanner, listening, &names, only.as_deref(), &mut result).await;
            }
        }
        Ok(JsonText::of(&result))
    }

    /// Scans all that Plex has, then what waits.
    pub(super) async fn everything(&self, section: Option<&str>) -> Outcome {
        let mut sender = Sender::new(self, self.server().await?, false);
        sender.everything(section).await?;
        let mut line = match section {
            Some(key) => format!("Plex was asked to scan library section `{key}`"),
            None => "Plex was asked to scan all its library sections".to_owned(),
        };
        let outbox = self.outbox.clone();
        let waits = move || outbox.summary().map_or(0, |summary| summary.waiting);
        let mut waiting = blocking(waits.clone()).await?;
        if waiting > 0 {
            let (sweep, most) = (Sweep::default(), usize::MAX);
            let count = self.send_until(&mut sender, sweep, self.deadline, most).await?;
            waiting = blocking(waits).await?;
            line = format!("{line}, and {}", that_waited(count));
        }
        match waiting {
            0 => info!("{line}"),
            _ => info!("{line}; {waiting} still wait: see *Show waiting scans*"),
        }
        if let Some(error) = sender.broken.or(sender.error) {
            return Err(error);
        }
        Ok(JsonText::of(&ScanResult::whole(section.unwrap_or("all"), waiting as u64)))
    }

    pub(super) async fn server(&self) -> Result<Server, ErrorObject> {
        let parent = self.worker.stash(&self.call);
        let settings = parent.settings().await;
        let settings = settings.map_err(|error| self.worker.without_settings(&error))?;
        Server::of(self, settings).await
    }
}

/// The event stream, where it is needed; the scan itself has the error, if there is one.
async fn listen(wait: Option<&Wait>, sender: &mut Sender) -> Option<Listening> {
    wait?;
    Some(Wait::listen(sender.scanner().await.ok()?).await)
}

fn list_of(scans: &[SectionScan]) -> String {
    let of =
        |scan: &SectionScan| format!("`{}` in library section `{}`", scan.folder, scan.section);
    scans.iter().map(of).collect::<Vec<_>>().join(", ")
}
