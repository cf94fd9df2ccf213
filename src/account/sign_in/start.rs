//! `auth.start`: a code for the user, unless none is needed.

use std::time::Duration;

use hyper::Method;
use plexsync_protocol::error::TimeoutPhase;
use plexsync_protocol::sign_in::{SignInCode, SignedIn, StartResult, VERIFICATION_URI};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep};

use super::{Stand, Torn, Verdict, answers, now, poll};
use crate::account::files::SignInFile;
use crate::account::{AccountError, Ask, Caller};
use crate::files::Lock;
use crate::http::error::HttpError;

/// Who makes a PIN.
const LOCK: &str = "auth_start.lock";
/// How often a waiting process looks whether it may.
const LOOK: Duration = Duration::from_millis(50);

impl Caller {
    /// A code for the user; or the sign-in, if there is a good one and `renew` is false, or the code that waited has
    /// been entered.
    ///
    /// # Errors
    /// [`AccountError`]; no code was told then.
    pub async fn start(self, renew: bool) -> Result<StartResult, AccountError> {
        let _lock = self.lock_start().await?;
        let stand = self.on_disk(|caller| {
            caller.store.look(Torn::Warned)?;
            caller.stand()
        });
        let Stand { stored, pending } = stand.await?;
        if let Some(pending) = pending
            && let Some(result) = self.told_again(pending).await?
        {
            return Ok(result);
        }
        let own = stored.and_then(|stored| self.own(stored).ok()).filter(|_| !renew);
        if let Some(stored) = own {
            match self.ask_account(&stored.token).await {
                Ok(account) => {
                    return Ok(StartResult::SignedIn(SignedIn::new(account, None, None)));
                }
                Err(AccountError::Refused(refusal)) if refusal.status == 401 => {}
                Err(error) => return Err(error),
            }
        }
        self.new_code().await
    }

    /// Asks about the PIN that waits, once. None if it is over.
    async fn told_again(&self, pending: SignInFile) -> Result<Option<StartResult>, AccountError> {
        let is_over = poll::left(pending.expires_at, OffsetDateTime::now_utc()).is_none();
        match self.ask_pin(pending.pin_id, self.time).await {
            Ok(Verdict::Claimed(token)) => match self.store(pending.pin_id, token).await? {
                Some(stored) => Ok(Some(StartResult::SignedIn(self.signed_in(stored).await?))),
                None => Ok(None),
            },
            Ok(Verdict::Waiting) if !is_over => Ok(Some(told(&pending, true))),
            Ok(Verdict::Waiting | Verdict::Ended(_)) => Ok(None),
            // It may have been entered in its last second: a new code would end what came of that.
            Err(error) if is_over => Err(error),
            Err(_) => Ok(Some(told(&pending, true))),
        }
    }

    async fn new_code(&self) -> Result<StartResult, AccountError> {
        let ask = Ask { method: Method::POST, ..Ask::get("/api/v2/pins", None) };
        let reply = self.ask(&ask, "a sign-in code").await?;
        let pin = answers::pin(&reply).ok_or_else(|| answers::foreign(&reply))?;
        let pending = SignInFile {
            device_id: self.identity.device_id.clone(),
            pin_id: pin.id,
            user_code: pin.code,
            // Rounded up: `now` has no fractions.
            expires_at: now() + Duration::from_secs(pin.expires_in + 1),
        };
        self.on_disk(move |caller| {
            caller.store.save_pending(&pending)?;
            Ok(told(&pending, false))
        })
        .await
    }

    async fn lock_start(&self) -> Result<Lock, AccountError> {
        loop {
            if let Some(lock) = self.on_disk(|caller| caller.store.try_lock(LOCK)).await? {
                return Ok(lock);
            }
            if Instant::now() + LOOK >= self.time.deadline {
                let reason = "another process is beginning a sign-in, and did not end in time";
                return Err(HttpError::timeout(TimeoutPhase::Connect, reason, "try again").into());
            }
            sleep(LOOK).await;
        }
    }
}

fn told(pending: &SignInFile, again: bool) -> StartResult {
    let left = poll::left(pending.expires_at, OffsetDateTime::now_utc()).unwrap_or_default();
    StartResult::Code(SignInCode {
        user_code: pending.user_code.clone(),
        verification_uri: VERIFICATION_URI.to_owned(),
        verification_uri_complete: format!("{VERIFICATION_URI}/?pin={}", pending.user_code),
        expires_in: left.as_secs(),
        expires_at: written(pending.expires_at),
        pending: again,
    })
}

/// As RFC 3339 has it. A year that it can't write is none that a clock shows.
pub(super) fn written(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}
