//! Server and token of a call: from flags and environment, or from the parent Stash's settings.

use plexsync_protocol::error::{ErrorObject, Missing};

use super::{Worker, errors};
use crate::plex::Account;
use crate::rpc::StashCall;
use crate::stash::{SETTINGS_PAGE, Settings, Stash, StashError};
use crate::target::{Source, Sources};

/// What the params of a call hold.
#[derive(Clone, Copy, Default)]
pub(super) struct Has {
    pub(super) server: bool,
    pub(super) token: bool,
}

impl Has {
    /// A call with its own token does not look for another one.
    fn account(self, sources: &Sources) -> Account {
        if self.token { sources.server() } else { sources.account() }
    }
}

/// The account of a call, and Stash's settings if they were read.
pub(super) struct Resolved {
    pub(super) account: Account,
    pub(super) settings: Settings,
}

impl Resolved {
    /// The same, or an error if there is no server; in Stash it is a setting.
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
    /// Asks Stash only if something is missing that its settings may hold.
    pub(super) async fn account(
        &self,
        stash: Option<&StashCall>,
        has: Has,
    ) -> Result<Resolved, ErrorObject> {
        let sources = &self.setup.sources;
        let (server, token) = sources.are_complete();
        let complete = (has.server && has.token) || (server && (has.token || token));
        match stash.filter(|_| !complete) {
            None => Ok(Resolved { account: has.account(sources), settings: Settings::default() }),
            Some(call) => {
                let resolved = self.account_with(&self.stash(call), has).await?;
                if has.server { Ok(resolved) } else { resolved.with_server() }
            }
        }
    }

    /// The account, completed with the settings that Stash has.
    pub(super) async fn account_with(
        &self,
        stash: &Stash,
        has: Has,
    ) -> Result<Resolved, ErrorObject> {
        let settings = stash.settings().await.map_err(|error| self.without_settings(&error))?;
        Ok(self.account_of(settings, has))
    }

    pub(super) fn account_of(&self, settings: Settings, has: Has) -> Resolved {
        let sources = self.setup.sources.and(Source::from(&settings));
        Resolved { account: has.account(&sources), settings }
    }

    /// What is missing where Stash can't be asked for its settings.
    pub(super) fn without_settings(&self, error: &StashError) -> ErrorObject {
        let has_server = self.setup.sources.are_complete().0;
        errors::of_stash(error, if has_server { Missing::Token } else { Missing::Server })
    }

    pub(super) fn stash(&self, call: &StashCall) -> Stash {
        if call.hook.is_some() {
            // A scan of Stash runs a hook for each scene. `doctor.run` says what is odd about the settings.
            self.setup.sources.log_nothing();
        }
        Stash::new(&call.connection, self.setup.stash_plugin.clone(), self.setup.secrets.clone())
    }
}
