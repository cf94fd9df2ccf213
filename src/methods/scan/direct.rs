//! A scan outside Stash: Plex is asked now, and its error is the answer.

use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::plex::ScanResult;
use tokio::time::Instant;

use super::super::account::Has;
use super::super::errors::Reader;
use super::super::identity::Ticket;
use super::super::{Worker, errors, limits};
use super::Wanted;
use super::wait::Wait;
use crate::json_text::JsonText;
use crate::plex::{PlexError, ScanCall};
use crate::rpc::Outcome;

impl Wanted {
    /// Asks Plex within `timeout`, and waits for the item if that is wanted. `pointer` is where the params name the
    /// folder.
    pub(super) async fn scan(
        self,
        worker: Arc<Worker>,
        ticket: Ticket,
        timeout: Duration,
        pointer: &'static str,
    ) -> Outcome {
        let Self { folder, server, section, wait, .. } = self;
        let folders: Vec<_> = folder.into_iter().collect();
        let deadline = Instant::now() + timeout;
        let identity = ticket.identity(deadline).await?;
        let has = Has { server: server.as_deref(), token: None };
        let resolved = worker.account(None, has).await?;
        let (server, account) = (resolved.server_of(has), resolved.account);
        let router = account.router.clone();
        let call = ScanCall { server, identity, account, limits: limits(None), deadline };
        let (mut scanner, only) = (worker.plex.scanner(call), section.as_deref());
        let listening = match &wait {
            Some(_) => Some(Wait::listen(&mut scanner).await),
            None => None,
        };
        let scanned = scanner.folder(&folders, only, &[]).await;
        let scans = scanned.map_err(|error| match error {
            PlexError::NoSection(error) => errors::no_section(*error, pointer, Reader::Host),
            error => errors::of_plex(error, Reader::Host, router.as_ref()),
        })?;
        let mut result = ScanResult::asked(scans);
        if let Some((wait, listening)) = wait.zip(listening) {
            let names = [wait.file.clone()];
            wait.end(&mut scanner, listening, &names, only, &mut result).await;
        }
        result.warning = scanner.warning().map(str::to_owned);
        Ok(JsonText::of(&result))
    }
}
