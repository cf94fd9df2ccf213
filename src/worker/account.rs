//! Which server, which token: from the start of the worker, or from the parent Stash's settings.

use plexsync_protocol::error::{ErrorObject, Missing};
use plexsync_protocol::stash::StashCall;

use super::{Worker, failure};
use crate::plex::{Account, same_origin};
use crate::stash::{SETTINGS_PAGE, Settings, Stash};

/// What a call brings itself.
#[derive(Clone, Copy)]
pub(super) struct Has {
    pub(super) server: bool,
    pub(super) token: bool,
}

/// The account of a call, and the settings it was made with where Stash was asked for them.
pub(super) struct Resolved {
    pub(super) account: Account,
    pub(super) settings: Settings,
}

impl Resolved {
    /// The same, if there is a server to talk to: in Stash the cure is a setting.
    pub(super) fn with_server(self) -> Result<Self, ErrorObject> {
        match self.account.server {
            Some(_) => Ok(self),
            None => Err(failure::not_configured(
                Missing::Server,
                format!("no Plex server is configured: set `plex_url` in {SETTINGS_PAGE}"),
            )),
        }
    }
}

impl Worker {
    /// Asks Stash only where something is missing that its settings could tell.
    pub(super) async fn account(
        &self,
        stash: Option<&StashCall>,
        has: Has,
    ) -> Result<Resolved, ErrorObject> {
        let configured =
            Account { server: self.setup.plex_url.clone(), token: self.setup.plex_token.clone() };
        let complete = (has.server && has.token)
            || (configured.server.is_some() && (has.token || configured.token.is_some()));
        match stash.filter(|_| !complete) {
            None => Ok(Resolved { account: configured, settings: Settings::default() }),
            Some(call) => {
                let resolved = self.account_with(&self.stash(call), configured).await?;
                if has.server { Ok(resolved) } else { resolved.with_server() }
            }
        }
    }

    /// The account, completed with the settings that Stash has.
    pub(super) async fn account_with(
        &self,
        stash: &Stash,
        configured: Account,
    ) -> Result<Resolved, ErrorObject> {
        let missing = if configured.server.is_none() { Missing::Server } else { Missing::Token };
        let settings =
            stash.settings().await.map_err(|error| failure::of_stash(&error, missing))?;
        Ok(Resolved { account: merge(configured, &settings), settings })
    }

    pub(super) fn stash(&self, call: &StashCall) -> Stash {
        Stash::new(&call.connection, self.setup.stash_plugin.clone(), self.setup.secrets.clone())
    }
}

/// A token from the settings belongs to the URL that stands beside it there.
fn merge(configured: Account, settings: &Settings) -> Account {
    let token_fits = match (&configured.server, &settings.plex_url) {
        (Some(url), Some(of_token)) => same_origin(url, of_token),
        _ => true,
    };
    Account {
        token: configured.token.or_else(|| settings.plex_token.clone().filter(|_| token_fits)),
        server: configured.server.or_else(|| settings.plex_url.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_token_of_stash_goes_to_the_server_of_stash_only() {
        let (here, same, other) = ("http://plex:32400", "http://PLEX:32400/", "http://else:32400");
        for (url, own, saved_url, saved, expected_url, expected) in [
            (None, None, Some(here), Some("saved"), Some(here), Some("saved")),
            (Some(here), None, None, Some("saved"), Some(here), Some("saved")),
            (Some(here), None, Some(same), Some("saved"), Some(here), Some("saved")),
            (Some(here), None, Some(other), Some("saved"), Some(here), None),
            (Some(here), Some("own"), Some(other), Some("saved"), Some(here), Some("own")),
            (None, Some("own"), Some(here), Some("saved"), Some(here), Some("own")),
            (None, None, None, None, None, None),
        ] {
            let account = Account { server: url.map(str::to_owned), token: own.map(Secret::new) };
            let settings = Settings {
                plex_url: saved_url.map(str::to_owned),
                plex_token: saved.map(Secret::new),
                ..Settings::default()
            };
            let merged = merge(account, &settings);
            assert_eq!(merged.server.as_deref(), expected_url);
            assert_eq!(merged.token.as_ref().map(Secret::expose), expected);
        }
    }
}
