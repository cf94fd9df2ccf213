//! `auth.*`: signing in to plex.tv and out again.

use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::error::{ErrorObject, Missing};
use plexsync_protocol::identity::{Identity, ResetResult};
use plexsync_protocol::message::Progress;
use plexsync_protocol::sign_in::{
    FINISH_TIMEOUT_MS, FinishParams, FinishResult, LogoutParams, MAX_FINISH_TIMEOUT_MS, SignInCode,
    SignedIn, StartParams, StartResult, StatusParams,
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{info, warn};

use super::identity::Ticket;
use super::{Worker, asked_timeout, errors, limits, log_progress, params, reader};
use crate::account::{self, AccountError, Caller, NotSignedIn, Report, Store, Time};
use crate::json_text::JsonText;
use crate::plex::MAX_TIMEOUT_MS;
use crate::rpc::{Handling, Outcome, ProgressSender, Request, Slow, StashCall};

/// Time of a task in Stash that waits for the code to be entered.
const TASK: Duration = Duration::from_mins(15);

/// In Stash a task has nobody who would call `auth.finish` next: with `args.wait` it goes on by itself.
pub(super) fn start(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: StartParams = params::read(request.params.as_deref())?;
    let own = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let waits = request.stash.as_ref().is_some_and(|stash| stash.wait);
    slow(worker, request, if waits { own.max(TASK) } else { own }, async move |call, stash| {
        let mut starting = call.clone();
        starting.time.deadline = call.time.deadline.min(Instant::now() + own);
        let result = starting.start(params.renew).await?;
        match &result {
            StartResult::Code(code) if stash => tell(code, waits),
            StartResult::SignedIn(signed_in) if stash => welcome(signed_in),
            _ => {}
        }
        match result {
            StartResult::Code(_) if waits => finished(call, report(stash, None, None), stash).await,
            result => Ok(JsonText::of(&result)),
        }
    })
}

pub(super) fn finish(worker: &Arc<Worker>, mut request: Request) -> Result<Handling, ErrorObject> {
    let params: FinishParams = params::read(request.params.as_deref())?;
    let asked = Some(params.timeout_ms.unwrap_or(FINISH_TIMEOUT_MS));
    let timeout = asked_timeout(asked, &request, MAX_FINISH_TIMEOUT_MS)?;
    let sender = request.progress.take();
    slow(worker, request, timeout, async move |call, stash| {
        finished(call, report(stash, params.progress_token, sender), stash).await
    })
}

async fn finished(
    call: Caller,
    report: Option<Report>,
    stash: bool,
) -> Result<JsonText, AccountError> {
    let result = call.finish(report).await?;
    match &result {
        FinishResult::SignedIn(signed_in) if stash => welcome(signed_in),
        FinishResult::Waiting(_) if stash => warn!("the code was not entered yet: run this again"),
        _ => {}
    }
    Ok(JsonText::of(&result))
}

pub(super) fn status(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: StatusParams = params::read(request.params.as_deref())?;
    let timeout = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    slow(worker, request, timeout, async move |call, _| {
        Ok(JsonText::of(&call.status(params.check).await?))
    })
}

/// Needs no identity: the token's own is in its file, and what is removed is removed in any case.
pub(super) fn logout(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: LogoutParams = params::read(request.params.as_deref())?;
    let timeout = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let stash = request.stash;
    let store = worker.store(stash.as_deref())?;
    let (plex_tv, version) = (worker.plex_tv.clone().ok(), worker.setup.version);
    let work = async move {
        let time = time(timeout, stash.as_deref());
        let result = account::logout(store, plex_tv, version, time).await;
        let result = result.map_err(|error| errors::of_account(error, reader(stash.as_deref())))?;
        if stash.is_some() {
            match result.revoked {
                true => info!("Signed out of Plex"),
                false => info!("Signed out here. There was no sign-in, or plex.tv did not answer"),
            }
        }
        Ok(JsonText::of(&result))
    };
    Ok(Handling::Slow(Slow { first: None, timeout: Some(timeout), work: Box::pin(work) }))
}

/// A call about the account, within its time.
pub(super) fn slow<W>(
    worker: &Arc<Worker>,
    request: Request,
    timeout: Duration,
    act: impl FnOnce(Caller, bool) -> W + Send + 'static,
) -> Result<Handling, ErrorObject>
where
    W: Future<Output = Result<JsonText, AccountError>> + Send,
{
    let stash = request.stash;
    let (ticket, first) = Ticket::draw(worker, stash.clone(), request.in_turn);
    let worker = worker.clone();
    let work = async move {
        let time = time(timeout, stash.as_deref());
        let identity = ticket.identity(time.deadline).await?;
        let caller = worker.caller(stash.as_deref(), identity, time)?;
        let outcome: Outcome = act(caller, stash.is_some())
            .await
            .map_err(|error| errors::of_account(error, reader(stash.as_deref())));
        outcome
    };
    Ok(Handling::Slow(Slow { first, timeout: Some(timeout), work: Box::pin(work) }))
}

fn time(timeout: Duration, stash: Option<&StashCall>) -> Time {
    let connect = Duration::from_millis(limits(stash).connect_timeout_ms);
    Time { deadline: Instant::now() + timeout, connect }
}

/// Progress goes to the host that gave a token, or into Stash's log.
pub(super) fn report(
    stash: bool,
    token: Option<Value>,
    sender: Option<ProgressSender>,
) -> Option<Report> {
    if stash {
        return Some(Box::new(log_progress));
    }
    let (token, sender) = (token?, sender?);
    Some(Box::new(move |done, total| sender(Progress { token: token.clone(), done, total })))
}

/// A Stash user sees log lines only.
fn tell(code: &SignInCode, waits: bool) {
    let SignInCode { user_code, verification_uri, verification_uri_complete, .. } = code;
    info!(
        "Open {verification_uri} and enter the code {user_code}, or open {verification_uri_complete}"
    );
    if waits {
        info!(
            "This task waits for that, and Stash's other tasks wait for this one. It can be stopped and run again: the code \
             stays the same for {} minutes",
            code.expires_in.div_ceil(60)
        );
    }
}

fn welcome(signed_in: &SignedIn) {
    let SignedIn { account, servers, warning, .. } = signed_in;
    let name = if account.title.is_empty() { &account.username } else { &account.title };
    let servers = match servers.as_deref() {
        Some(servers @ [_, ..]) => format!(", with the servers {}", servers.join(", ")),
        _ => String::new(),
    };
    info!("Signed in to Plex as {name}{servers}. Check that this is your account");
    if let Some(warning) = warning {
        warn!("{warning}");
    }
}

impl Worker {
    /// The account's files.
    pub(super) fn store(&self, stash: Option<&StashCall>) -> Result<Store, ErrorObject> {
        let folder = self.data_folder(stash).ok_or_else(|| {
            let error = AccountError::NotSignedIn(NotSignedIn::NoFolder);
            errors::of_account(error, reader(stash))
        })?;
        Ok(Store::new(folder.value, self.setup.secrets.clone()))
    }

    /// What a call about the account is made with.
    pub(super) fn caller(
        &self,
        stash: Option<&StashCall>,
        identity: Arc<Identity>,
        time: Time,
    ) -> Result<Caller, ErrorObject> {
        let plex_tv = self.plex_tv.clone();
        let plex_tv = plex_tv.map_err(|reason| errors::not_configured(Missing::Server, reason))?;
        let secrets = self.setup.secrets.clone();
        Ok(Caller { identity, plex_tv, store: self.store(stash)?, secrets, time })
    }

    /// A sentence about a stored sign-in that the new identity can't use.
    pub(super) fn left_behind(
        &self,
        stash: Option<&StashCall>,
        reset: &ResetResult,
    ) -> Option<String> {
        let stored = self.store(stash).ok()?.account().ok().flatten()?;
        (stored.device_id != reset.identity.device_id).then(|| {
            format!(
                "The stored sign-in to plex.tv belongs to the device `{}` and is not used now: sign in again, or go back \
                 to that id.",
                stored.device_id
            )
        })
    }
}
