//! Which server, which token: from the start of the worker, or from the parent Stash's settings.

use plexsync_protocol::error::{ErrorObject, Missing};
use plexsync_protocol::stash::StashCall;

use super::{Worker, errors};
use crate::plex::Account;
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
            None => Err(errors::not_configured(
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
        let settings = stash.settings().await.map_err(|error| errors::of_stash(&error, missing))?;
        let (server, token) = (settings.plex_url.as_deref(), settings.plex_token.as_ref());
        Ok(Resolved { account: configured.completed(server, token), settings })
    }

    pub(super) fn stash(&self, call: &StashCall) -> Stash {
        Stash::new(&call.connection, self.setup.stash_plugin.clone(), self.setup.secrets.clone())
    }
}
