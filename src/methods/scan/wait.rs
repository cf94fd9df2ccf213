//! `wait_ms`: a scan that ends when an item has the file.

use std::time::Duration;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::message::Progress;
use plexsync_protocol::plex::{MAX_WAIT_MS, ScanParams, ScanResult, Waited as How};
use serde_json::Value;
use tokio::time::Instant;
use tracing::info;

use super::super::find::found_item;
use super::super::log_progress;
use crate::plex::{Listening, Scanner, Waited};
use crate::remote_path::RemotePath;
use crate::rpc::ProgressSender;
use crate::secret::Secrets;

/// What is waited for, and how long.
pub(super) struct Wait {
    /// The file, as the call names it.
    path: String,
    pub(super) file: RemotePath,
    time: Duration,
    token: Option<Value>,
    sender: Option<ProgressSender>,
    in_stash: bool,
    secrets: Secrets,
}

impl Wait {
    /// The wait that these params ask for.
    pub(super) fn of(
        params: &ScanParams,
        sender: Option<ProgressSender>,
        in_stash: bool,
        secrets: &Secrets,
    ) -> Result<Option<Self>, ErrorObject> {
        let wait_ms = params.wait_ms.unwrap_or(0);
        if wait_ms > MAX_WAIT_MS {
            let reason = format!("expected 0 to {MAX_WAIT_MS}");
            return Err(ErrorObject::invalid_params("/wait_ms", reason));
        }
        if wait_ms == 0 {
            return Ok(None);
        }
        let is_file = |path: &&String| !path.ends_with(['/', '\\']);
        let path = params.path.as_ref().filter(is_file);
        match path.and_then(|path| Some((path, RemotePath::parse(path)?))) {
            Some((path, file)) => Ok(Some(Self {
                path: path.clone(),
                file,
                time: Duration::from_millis(wait_ms),
                token: params.progress_token.clone(),
                sender,
                in_stash,
                secrets: secrets.clone(),
            })),
            None => {
                let reason = "needs `path`: the file that is waited for";
                Err(ErrorObject::invalid_params("/wait_ms", reason))
            }
        }
    }

    /// Opens the event stream, before Plex is asked to scan.
    pub(super) async fn listen(scanner: &mut Scanner) -> Listening {
        // The list is not to come between the stream and the scan, which has its error.
        let _ = scanner.sections().await;
        scanner.listen().await
    }

    /// How much longer the call may take.
    pub(super) fn time(wait: Option<&Self>) -> Duration {
        wait.map_or(Duration::ZERO, |wait| wait.time)
    }

    /// Waits, and adds what came of it. `names` are those that the file may have for Plex.
    pub(super) async fn end(
        &self,
        scanner: &mut Scanner,
        listening: Listening,
        names: &[RemotePath],
        only: Option<&str>,
        result: &mut ScanResult,
    ) {
        let until = Instant::now() + self.time;
        scanner.set_deadline(until);
        let report = |waited| self.report(waited);
        let waited = scanner.wait_for(listening, names, only, until, &report).await;
        let (how, items) = match waited {
            Waited::Found(items) => (How::Found, items),
            Waited::Ended => (How::Ended, Vec::new()),
            Waited::Timeout => (How::Timeout, Vec::new()),
        };
        if self.in_stash {
            let path = &self.path;
            match how {
                How::Found => info!("Plex has `{path}`"),
                How::Ended => info!("Plex's scan has ended, and no item has `{path}`"),
                _ => info!("no item has `{path}` yet"),
            }
        }
        result.waited = Some(how);
        let items = items.into_iter().map(|item| found_item(&self.path, item, &self.secrets));
        result.items = Some(items.collect());
    }

    /// Tells how many seconds it has waited.
    fn report(&self, waited: Duration) {
        let (done, total) = (waited.as_secs(), Some(self.time.as_secs().max(1)));
        match (self.in_stash, &self.token, &self.sender) {
            (true, ..) => log_progress(done, total),
            (false, Some(token), Some(sender)) => {
                sender(Progress { token: token.clone(), done, total });
            }
            _ => {}
        }
    }
}
