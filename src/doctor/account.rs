//! The sign-in to plex.tv, and what it gives to requests: a server with a way to it, or a token.

use std::time::Duration;

use plexsync_protocol::doctor::Check;
use plexsync_protocol::sign_in::{StatusResult, TokenState};
use tokio::time::Instant;

use super::identity::Device;
use super::{Subject, failure, ok, warning};
use crate::account::server::{Finder, Way, Which};
use crate::account::{AccountError, FileError, same_device};
use crate::plex::Account;
use crate::target::{Call, Chosen, Means, Origin, origin};

const PLEX_TV: &str = "plex_tv";
const DEVICE: &str = "plex_tv_device";
const WAY: &str = "plex_way";
/// Longest time for plex.tv, and for all ways to a server.
const TIME: Duration = Duration::from_secs(15);

/// What is stored of a sign-in.
pub(super) enum SignIn<'a> {
    /// Nothing.
    None,
    /// It can't be read.
    Unreadable(FileError),
    Stored(&'a Means),
}

impl<'a> SignIn<'a> {
    pub(super) fn of(subject: &'a Subject) -> Self {
        // A folder that is none was reported.
        let is_folder = subject.folder.as_ref().is_some_and(|folder| folder.value.is_dir());
        let Some(means) = subject.means.as_ref().filter(|_| is_folder) else { return Self::None };
        match means.store.account() {
            Ok(None) => Self::None,
            Ok(Some(_)) => Self::Stored(means),
            Err(error) => Self::Unreadable(error),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Checks the sign-in; returns the account as requests would use it, with what it gives.
pub(super) async fn check(
    subject: &Subject,
    sign_in: SignIn<'_>,
    chosen: &Chosen,
    account: Account,
    device: Option<&Device>,
    checks: &mut Vec<Check>,
) -> Account {
    let means = match sign_in {
        SignIn::None => return account,
        SignIn::Unreadable(FileError { path, problem }) => {
            let message = format!("`{}`: {}", path.display(), problem.reason);
            checks.push(failure(PLEX_TV, message, problem.hint));
            return account;
        }
        SignIn::Stored(means) => means,
    };
    let Some(device) = device else {
        let hint = "fix what `identity` and `data_folder` say above";
        checks.push(warning(PLEX_TV, "not checked: no request is sent without an identity", hint));
        return account;
    };
    let finder = means.finder(device, Instant::now() + TIME);
    let finder = Finder { may_write: subject.make_identity.is_some(), ..finder };
    let (check, is_usable) = match finder.caller.clone().status(true).await {
        Ok(status) => stored(subject, &status),
        Err(error) => (failure(PLEX_TV, in_words(error), again(subject)), false),
    };
    checks.push(check);
    if !is_usable {
        return account;
    }
    checks.push(made_for(subject, &finder, device).await);
    match origin(Call::default(), chosen, true) {
        Origin::Given => account,
        Origin::Account(which) => server(subject, &finder, &which, account, checks).await,
        Origin::Lent(url) => lent(&finder, &url, account, checks).await,
    }
}

fn stored(subject: &Subject, status: &StatusResult) -> (Check, bool) {
    let name = status.account.as_ref().map(|account| match account.title.as_str() {
        "" => format!(" as `{}`", account.username),
        title => format!(" as `{title}`"),
    });
    let name = name.unwrap_or_default();
    match status.token_state {
        TokenState::Valid => (ok(PLEX_TV, format!("signed in{name}")), true),
        TokenState::Invalid => {
            let message = format!("plex.tv does not accept the sign-in{name} any more");
            (failure(PLEX_TV, message, again(subject)), false)
        }
        TokenState::OtherDevice => {
            let message =
                format!("the sign-in{name} belongs to another device id or another plex.tv");
            let hint = format!("{}, or go back to the former id", again(subject));
            (failure(PLEX_TV, message, hint), false)
        }
        _ => {
            let message =
                format!("signed in{name}, but plex.tv does not say whether that is still good");
            (warning(PLEX_TV, message, "check the internet connection, then run this again"), true)
        }
    }
}

/// Whether plex.tv made the token for this device.
async fn made_for(subject: &Subject, finder: &Finder, device: &Device) -> Check {
    let own = &device.device_id;
    match finder.caller.device_of_token().await {
        Ok(Some(id)) if same_device(&id, own) => {
            ok(DEVICE, format!("plex.tv made the sign-in for `{own}`"))
        }
        Ok(Some(id)) => {
            let message =
                format!("plex.tv made the sign-in for the device `{id}`, not for `{own}`");
            warning(DEVICE, message, again(subject))
        }
        Ok(None) => warning(DEVICE, "plex.tv lists no device with this sign-in", again(subject)),
        Err(error) => {
            let hint = "check the internet connection, then run this again";
            warning(DEVICE, format!("not known: {}", in_words(error)), hint)
        }
    }
}

fn again(subject: &Subject) -> &'static str {
    subject.hint("run the task *Sign in to Plex*", "run `plexsync-worker login`")
}

/// The account's server: the way to it, proved now.
async fn server(
    subject: &Subject,
    finder: &Finder,
    which: &Which,
    account: Account,
    checks: &mut Vec<Check>,
) -> Account {
    let found = match finder.find(which).await {
        Ok(way) if way.is_remembered => match finder.is_true(&way).await {
            true => Ok((way, "remembered, and still true")),
            false => match finder.find_again(&way).await {
                Some(way) => Ok((way, "found now: the remembered way was no good any more")),
                None => Err(format!("`{}` can't be reached any more at `{}`", way.name, way.url)),
            },
        },
        Ok(way) => Ok((way, "found now")),
        Err(error) => Err(in_words(error)),
    };
    match found {
        Ok((way, how)) => {
            let Way { name, machine_identifier, url, token, .. } = way;
            let shown = url.as_str().trim_end_matches('/').to_owned();
            let message = format!("`{name}` (`{machine_identifier}`) at `{shown}`: {how}");
            checks.push(ok(WAY, message));
            let token = account.token.map(|configured| configured.or(token));
            Account { server: Some(url.into()), token, router: None }
        }
        Err(reason) => {
            let hint = subject.hint(
                "start the server, or name it in the setting `plex_server`",
                "start the server, or look at all ways with `plexsync-worker servers --probe`",
            );
            checks.push(failure(WAY, reason, hint));
            account
        }
    }
}

/// The token for a configured URL.
async fn lent(finder: &Finder, url: &str, account: Account, checks: &mut Vec<Check>) -> Account {
    const NAME: &str = "plex_token";
    match finder.lend(url).await {
        Ok(lent) => match (lent.way, lent.warning) {
            (Some(way), _) => {
                checks.push(ok(NAME, format!("lent by the account for its server `{}`", way.name)));
                Account { token: Ok(way.token), ..account }
            }
            (None, reason) => {
                let reason = reason.unwrap_or_else(|| "no token is configured".to_owned());
                checks.push(warning(NAME, reason, "configure a token, or leave out the URL"));
                account
            }
        },
        Err(error) => {
            let message = format!("the account can't lend one: {}", in_words(error));
            checks.push(warning(NAME, message, "fix that first, or configure a token"));
            account
        }
    }
}

fn in_words(error: AccountError) -> String {
    match error {
        AccountError::Http(error) => error.to_string(),
        AccountError::Refused(refusal) => refusal.to_string(),
        AccountError::File(FileError { path, problem }) => {
            format!("`{}`: {}", path.display(), problem.reason)
        }
        AccountError::Unclear(unclear) => unclear.reason,
        AccountError::Incomplete(_) | AccountError::NotSignedIn(_) => "not signed in".to_owned(),
    }
}
