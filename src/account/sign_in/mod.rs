//! A sign-in from its code to the stored token. Between any two steps the process may be killed: the PIN is on disk
//! before the user hears of it, the token before anybody is told.

mod finish;
mod poll;
mod start;

pub use finish::Report;

use plexsync_protocol::sign_in::{Account, SignedIn};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::answers::{self, Verdict};
use super::files::{AccountFile, SignInFile};
use super::server::resources;
use super::store::{Completed, Torn};
use super::{AccountError, Ask, Caller, Refusal, Time};
use crate::secret::Secret;

/// What is said where nothing of the account's is a server of its own.
const NONE_OWNED: &str =
    "none of the servers is this account's own: managing a library takes the account of its owner";

/// The PIN that waits for this device, and the sign-in that is stored, of whatever device.
struct Stand {
    stored: Option<AccountFile>,
    pending: Option<SignInFile>,
}

impl Caller {
    /// What is on disk. The rest of a sign-in that was stored by a process that was killed then is done first.
    fn stand(&self) -> Result<Stand, AccountError> {
        let (stored, pending) = self.store.look(Torn::Silent)?;
        let pending = pending.filter(|pending| pending.device_id == self.identity.device_id);
        let is_of = |stored: &&AccountFile| {
            pending.as_ref().is_some_and(|pending| pending.pin_id == stored.pin_id)
        };
        if let Some(stored) = stored.as_ref().filter(is_of) {
            self.store.complete(stored)?;
            return self.stand();
        }
        Ok(Stand { stored, pending })
    }

    /// Asks about a PIN. No answer, and one that says nothing of it, is an error.
    async fn ask_pin(&self, pin_id: u64, time: Time) -> Result<Verdict, AccountError> {
        // What plex.tv says of it must not name it.
        let _held = self.secrets.remember_until_dropped(&Secret::new(pin_id.to_string()));
        let ask = Ask {
            path: format!("/api/v2/pins/{pin_id}"),
            shown: "/api/v2/pins/ID",
            ..Ask::get("", None)
        };
        let reply = self.plex_tv.send(&self.identity.headers, &ask, time).await?;
        answers::verdict(&reply, pin_id).ok_or_else(|| match reply.is_success() {
            true => answers::foreign(&reply).into(),
            false => AccountError::Refused(Refusal::of(&reply, "the sign-in", &self.secrets)),
        })
    }

    /// Stores the token of a claimed PIN. None if the PIN was given up meanwhile.
    async fn store(&self, pin_id: u64, token: Secret) -> Result<Option<AccountFile>, AccountError> {
        self.on_disk(move |caller| {
            let account = AccountFile {
                device_id: caller.identity.device_id.clone(),
                plex_tv: caller.plex_tv.url(),
                token,
                account: None,
                pin_id,
                signed_in_at: now(),
            };
            match caller.store.complete(&account)? {
                Completed::Stored => Ok(Some(account)),
                Completed::GivenUp => Ok(None),
            }
        })
        .await
    }

    /// The result of a sign-in that is stored: asks for what is not known of it yet. That the servers can't be listed
    /// does not undo it.
    async fn signed_in(&self, stored: AccountFile) -> Result<SignedIn, AccountError> {
        let account = match stored.account {
            Some(account) => account,
            None => self.read_account(stored.pin_id, &stored.token).await?,
        };
        let (servers, warning) = match self.list_servers(&stored.token).await {
            Ok((names, owns_one)) => (names, (!owns_one).then(|| NONE_OWNED.to_owned())),
            // That is no sign-in any more, whatever the file says.
            Err(AccountError::Refused(refusal)) if refusal.status == 401 => {
                return Err(AccountError::Refused(refusal));
            }
            Err(error) => {
                tracing::debug!(?error, "no list of servers");
                let warning = "signed in, but plex.tv could not be asked for the account's servers";
                (Vec::new(), Some(warning.to_owned()))
            }
        };
        Ok(SignedIn::new(account, Some(servers), warning))
    }

    /// Whose the token is; remembered beside it.
    async fn read_account(&self, pin_id: u64, token: &Secret) -> Result<Account, AccountError> {
        let mut failures = 0;
        let account = loop {
            match self.ask_account(token).await {
                Ok(account) => break account,
                // The sign-in is stored: what is left is worth some patience.
                Err(error) if error.may_pass() => {
                    failures += 1;
                    if Instant::now() + poll::pause(failures) >= self.time.deadline {
                        return Err(error);
                    }
                    sleep(poll::pause(failures)).await;
                }
                Err(error) => return Err(error),
            }
        };
        let known = account.clone();
        self.on_disk(move |caller| {
            caller.store.change_account(pin_id, |stored| stored.account = Some(known))
        })
        .await?;
        Ok(account)
    }

    /// Asks plex.tv whose a token is.
    async fn ask_account(&self, token: &Secret) -> Result<Account, AccountError> {
        let reply = self.ask(&Ask::get("/api/v2/user", Some(token)), "the account").await?;
        answers::account(&reply, &self.secrets).ok_or_else(|| answers::foreign(&reply).into())
    }

    async fn list_servers(&self, token: &Secret) -> Result<(Vec<String>, bool), AccountError> {
        let reply = self.ask(&Ask::resources(token), "the list of servers").await?;
        let servers = resources::read(&reply.body, &self.secrets);
        let servers = servers.ok_or_else(|| answers::foreign(&reply))?;
        let owns_one = servers.iter().any(|server| server.owned);
        Ok((servers.into_iter().map(|server| server.name).collect(), owns_one))
    }
}

/// Our clock, in whole seconds.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}
