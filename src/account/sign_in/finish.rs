//! `auth.finish`: waits until the code was entered. One process asks plex.tv, the others watch the files.

use std::time::Duration;

use plexsync_protocol::sign_in::{FinishResult, SignInState, Waiting};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::poll::{self, Next};
use super::start::written;
use super::{Torn, Verdict};
use crate::account::files::{AccountFile, SignInFile};
use crate::account::{AccountError, Caller, NotSignedIn, Time};
use crate::files::Lock;

/// Who asks plex.tv.
const LOCK: &str = "sign_in.lock";
/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Longest time for one question: one that hangs must not take the place of the next.
const LONGEST_QUESTION: Duration = Duration::from_secs(10);

/// Called now and then: seconds since the call began, of those that the code lasts.
pub type Report = Box<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// The PIN that is being waited for.
struct Watched {
    pin: SignInFile,
    /// When it expires, by a clock that nobody sets.
    expires: Instant,
    /// When to ask next, and how many questions in a row had no answer.
    next: Instant,
    failures: u32,
}

impl Watched {
    fn new(pin: SignInFile) -> Self {
        let (now, left) = (Instant::now(), poll::left(pin.expires_at, OffsetDateTime::now_utc()));
        Self { pin, expires: now + left.unwrap_or_default(), next: now, failures: 0 }
    }
}

impl Caller {
    /// Waits until the PIN that waits is claimed, is over, or the call's time is.
    ///
    /// # Errors
    /// [`AccountError::Incomplete`] if the sign-in is over, others if it can't be stored or the account can't be asked
    /// for; it can be tried again then.
    pub async fn finish(self, report: Option<Report>) -> Result<FinishResult, AccountError> {
        self.on_disk(|caller| caller.store.look(Torn::Warned).map(|_| ())).await?;
        let (started, mut told) = (Instant::now(), None);
        let (mut watched, mut lock): (Option<Watched>, Option<Lock>) = (None, None);
        loop {
            let Some(pin) = self.on_disk(Self::stand).await?.pending else {
                drop(lock);
                return self.what_came_of(watched).await;
            };
            if self.left().is_zero() {
                return Ok(FinishResult::Waiting(Waiting::new(written(pin.expires_at))));
            }
            let watched = match &mut watched {
                Some(watched) if watched.pin == pin => watched,
                other => other.insert(Watched::new(pin)),
            };
            if let Some(report) = &report {
                report_on(watched, started, &mut told, report);
            }
            if lock.is_none() {
                lock = self.on_disk(|caller| caller.store.try_lock(LOCK)).await?;
            }
            if lock.is_some() && Instant::now() >= watched.next {
                self.ask_once(watched).await?;
            } else {
                sleep(LOOK.min(self.left())).await;
            }
        }
    }

    /// One question about the PIN, and what follows from it on disk.
    async fn ask_once(&self, watched: &mut Watched) -> Result<(), AccountError> {
        let pin_id = watched.pin.pin_id;
        let is_over = Instant::now() >= watched.expires;
        let answer = self.ask_pin(pin_id, self.question()).await;
        if let Err(error) = &answer {
            tracing::debug!(?error, "the sign-in goes on");
        }
        match poll::next(answer.ok(), is_over, &mut watched.failures) {
            Next::Store(token) => self.store(pin_id, token).await.map(|_| ()),
            Next::End(state) => {
                self.on_disk(move |caller| caller.store.forget_pending(pin_id)).await?;
                Err(AccountError::Incomplete(state))
            }
            Next::AskAgain(pause) => {
                watched.next = Instant::now() + pause;
                Ok(())
            }
        }
    }

    /// No PIN waits any more: a sign-in came of it, or plex.tv knows why there is none.
    async fn what_came_of(&self, watched: Option<Watched>) -> Result<FinishResult, AccountError> {
        let reason = match (self.on_disk(Self::stored_for_certain).await, watched) {
            (Ok(stored), _) => {
                let pin_id = stored.pin_id;
                self.on_disk(move |caller| caller.store.end_pauses(pin_id)).await;
                return Ok(FinishResult::SignedIn(self.signed_in(stored).await?));
            }
            (Err(AccountError::NotSignedIn(_)), Some(watched)) => {
                match self.ask_pin(watched.pin.pin_id, self.question()).await {
                    Ok(Verdict::Ended(state)) => state,
                    _ => SignInState::None,
                }
            }
            (Err(AccountError::NotSignedIn(_)), None) => SignInState::None,
            (Err(error), _) => return Err(error),
        };
        Err(AccountError::Incomplete(reason))
    }

    /// As [`Self::stored`], but that there is none is said only when nobody is writing the file: some disks have a moment
    /// without one while it is replaced.
    fn stored_for_certain(&self) -> Result<AccountFile, AccountError> {
        match self.stored() {
            Err(AccountError::NotSignedIn(NotSignedIn::None)) => {
                self.store.wait_for_writers();
                self.stored()
            }
            stored => stored,
        }
    }

    fn question(&self) -> Time {
        Time { deadline: self.time.deadline.min(Instant::now() + LONGEST_QUESTION), ..self.time }
    }

    fn left(&self) -> Duration {
        self.time.deadline.saturating_duration_since(Instant::now())
    }
}

/// Tells each second that has passed.
fn report_on(watched: &Watched, started: Instant, told: &mut Option<u64>, report: &Report) {
    let (passed, total) =
        (started.elapsed().as_secs(), watched.expires.saturating_duration_since(started).as_secs());
    if told.replace(passed) != Some(passed) {
        report(passed.min(total), Some(total));
    }
}
