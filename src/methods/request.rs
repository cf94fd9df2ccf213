//! `plex.request`: one request to Plex.

use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::plex::RequestParams;
use tokio::time::Instant;
use tracing::warn;

use super::account::Has;
use super::errors::{self, Reader};
use super::identity::Ticket;
use super::{Worker, limits, log_progress, params, reader, scan};
use crate::plex::{Answer, MAX_TIMEOUT_MS, RequestCall, Router};
use crate::rpc::{Handling, ProgressSender, Request, Slow};

type PlexProgress = Box<dyn Fn(u64, Option<u64>) + Send + Sync>;

pub(super) fn request(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let mut params: RequestParams = params::read(request.params.as_deref())?;
    let Request { stash, progress, in_turn, .. } = request;
    let (ticket, first) = Ticket::draw(worker, stash.clone(), in_turn);
    let limits = limits(stash.as_deref());
    let asked = params.timeout_ms.unwrap_or(limits.timeout_ms);
    let timeout = Duration::from_millis(asked.min(MAX_TIMEOUT_MS));
    let worker = worker.clone();
    let work = async move {
        let deadline = Instant::now() + timeout;
        let identity = ticket.identity(deadline).await?;
        let has = Has { server: params.server.as_deref(), token: params.token.as_deref() };
        let resolved = worker.account(stash.as_deref(), has).await?;
        let (server, account) = (resolved.server_of(has), resolved.account);
        let router = account.router.clone();
        params.server = server;
        let progress = progress_of(&params, stash.is_some(), progress);
        if params.timeout_ms.is_none_or(|asked| (1..=MAX_TIMEOUT_MS).contains(&asked)) {
            params.timeout_ms = Some(milliseconds_until(deadline));
        }
        let call = RequestCall { params, identity, account, limits, progress };
        let reader = reader(stash.as_deref());
        let answer = worker.plex.request(call).await;
        let answer = answer.map_err(|error| errors::of_plex(error, reader, router.as_ref()))?;
        if stash.is_some() {
            warn_of(&answer, router.as_ref());
        }
        scan::besides(&worker, stash.as_ref(), deadline).await;
        Ok(answer.into_json())
    };
    Ok(Handling::Slow(Slow { first, timeout: Some(timeout), work: Box::pin(work) }))
}

/// A user of Stash sees no results: a refusal would pass for a success.
fn warn_of(answer: &Answer, router: Option<&Arc<dyn Router>>) {
    let Answer { status, url, warning, .. } = answer;
    if !(200..300).contains(status) {
        let server = errors::refused_by(*status, router);
        let hint =
            errors::refusal_hint(*status, warning.as_deref(), Reader::StashUser, server.as_deref());
        let hint = if *status == 404 { format!("if the path is right, {hint}") } else { hint };
        warn!("`{url}` was answered with status `{status}`; {hint}");
    }
}

/// The rest of the call's time; at least 1, so that the request reports the timeout and its phase.
fn milliseconds_until(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Progress goes to the host that gave a token, or into Stash's log.
fn progress_of(
    params: &RequestParams,
    in_stash: bool,
    sender: Option<ProgressSender>,
) -> Option<PlexProgress> {
    if in_stash {
        return Some(Box::new(log_progress));
    }
    let token = params.progress_token.clone()?;
    let sender = sender?;
    Some(Box::new(move |done, total| {
        sender(plexsync_protocol::message::Progress { token: token.clone(), done, total });
    }))
}
