//! Server and token of a call: from flags and environment, from the parent Stash's settings, or from the account.

use std::time::Duration;

use plexsync_protocol::error::{ErrorObject, Missing};

use super::{Worker, errors, limits};
use crate::account::Store;
use crate::account::files::ServerFile;
use crate::account::server::{HOOK_PROBE, PROBE, Which, identifier_in};
use crate::plex::{Account, server_key};
use crate::rpc::StashCall;
use crate::stash::{SETTINGS_PAGE, Settings, Stash, StashError};
use crate::target::{Call, Chosen, Means, Origin, Source, Sources, origin};

/// What the params of a call say.
pub(super) type Has<'a> = Call<'a>;

/// The account of a call, and Stash's settings if they were read.
pub(super) struct Resolved {
    pub(super) account: Account,
    pub(super) settings: Settings,
    /// The server under which a scan is remembered: origin and base path of a configured URL, the identifier of one of the
    /// account's servers; `None` for one that is not known before the first request.
    pub(super) key: Option<String>,
}

impl Resolved {
    /// What the call names and the account has not found for it: a base URL, or what was meant as one.
    pub(super) fn server_of(&self, has: Has<'_>) -> Option<String> {
        let is_found = has.named().is_some() && self.account.router.is_some();
        has.server.filter(|_| !is_found).map(str::to_owned)
    }

    /// The same, or an error if there is no server; in Stash it is a setting, or comes with the account.
    pub(super) fn with_server(self) -> Result<Self, ErrorObject> {
        match self.account.server.is_some() || self.account.router.is_some() {
            true => Ok(self),
            false => Err(errors::not_configured(
                Missing::Server,
                format!(
                    "no Plex server is configured: run the task *Sign in to Plex*, or set `plex_url` in {SETTINGS_PAGE}"
                ),
            )),
        }
    }
}

impl Worker {
    /// Asks Stash only if something is missing that its settings may hold.
    pub(super) async fn account(
        &self,
        stash: Option<&StashCall>,
        has: Has<'_>,
    ) -> Result<Resolved, ErrorObject> {
        let (server, token) = self.setup.sources.are_complete();
        let names_all = has.named().is_some() || (has.server.is_some() && has.token.is_some());
        let complete = names_all || (server && (has.token.is_some() || token));
        match stash.filter(|_| !complete) {
            None => self.resolved(&self.setup.sources, stash, Settings::default(), has).await,
            Some(call) => {
                let resolved = self.account_with(call, &self.stash(call), has).await?;
                if has.server.is_some() { Ok(resolved) } else { resolved.with_server() }
            }
        }
    }

    /// The account, completed with the settings that Stash has.
    pub(super) async fn account_with(
        &self,
        call: &StashCall,
        parent: &Stash,
        has: Has<'_>,
    ) -> Result<Resolved, ErrorObject> {
        let settings = parent.settings().await.map_err(|error| self.without_settings(&error))?;
        self.account_of(call, settings, has).await
    }

    /// The account, completed with these settings of Stash.
    pub(super) async fn account_of(
        &self,
        call: &StashCall,
        settings: Settings,
        has: Has<'_>,
    ) -> Result<Resolved, ErrorObject> {
        let sources = self.setup.sources.and(Source::from(&settings));
        self.resolved(&sources, Some(call), settings, has).await
    }

    /// What is missing where Stash can't be asked for its settings.
    pub(super) fn without_settings(&self, error: &StashError) -> ErrorObject {
        let has_server = self.setup.sources.are_complete().0;
        errors::of_stash(error, if has_server { Missing::Token } else { Missing::Server })
    }

    async fn resolved(
        &self,
        sources: &Sources,
        stash: Option<&StashCall>,
        settings: Settings,
        has: Has<'_>,
    ) -> Result<Resolved, ErrorObject> {
        let chosen = match has.token {
            Some(_) => sources.choose_server(),
            None => sources.choose_once_told(),
        };
        let (means, cache) = match origin(has, &chosen, true) {
            Origin::Given => (None, ServerFile::default()),
            _ => self
                .signed_in(stash)
                .await?
                .map_or_else(Default::default, |(means, cache)| (Some(means), cache)),
        };
        let signed_in = means.is_some();
        if !signed_in && matches!(origin(has, &chosen, false), Origin::Account(_)) {
            return Err(errors::nobody_signed_in(super::reader(stash)));
        }
        // Scans are remembered in Stash conversations only.
        let key = stash.and_then(|_| key(has, &chosen, means.as_ref().map(|_| &cache)));
        Ok(Resolved { account: chosen.account_for(has, means), settings, key })
    }

    /// What looking for the account's servers takes, and what is known of them; `None` if nobody is signed in.
    async fn signed_in(
        &self,
        stash: Option<&StashCall>,
    ) -> Result<Option<(Means, ServerFile)>, ErrorObject> {
        let Ok(store) = self.store(stash) else { return Ok(None) };
        let reading = store.clone();
        let read = tokio::task::spawn_blocking(move || match reading.account() {
            Ok(None) => None,
            // One that can't be read is reported when it is used.
            Ok(Some(_)) | Err(_) => Some(reading.servers()),
        });
        let Ok(Some(cache)) = read.await else { return Ok(None) };
        Ok(Some((self.means(stash, store)?, cache)))
    }

    /// What looking for the account's servers takes.
    pub(super) fn means(
        &self,
        stash: Option<&StashCall>,
        store: Store,
    ) -> Result<Means, ErrorObject> {
        let plex_tv = self.plex_tv.clone();
        let is_hook = stash.is_some_and(|call| call.hook.is_some());
        Ok(Means {
            servers: self.servers.clone(),
            plex_tv: plex_tv.map_err(|reason| errors::not_configured(Missing::Server, reason))?,
            store,
            secrets: self.setup.secrets.clone(),
            connect: Duration::from_millis(limits(stash).connect_timeout_ms),
            each: if is_hook { HOOK_PROBE } else { PROBE },
        })
    }

    pub(super) fn stash(&self, call: &StashCall) -> Stash {
        if call.hook.is_some() {
            // A scan of Stash runs a hook for each scene. `doctor.run` says what is odd about the settings.
            self.setup.sources.log_nothing();
        }
        Stash::new(&call.connection, self.setup.stash_plugin.clone(), self.setup.secrets.clone())
    }
}

/// See [`Resolved::key`].
fn key(has: Has<'_>, chosen: &Chosen, cache: Option<&ServerFile>) -> Option<String> {
    let of_account = |which: &Which| identifier_in(cache?, which);
    match origin(has, chosen, cache.is_some()) {
        Origin::Account(which) => of_account(&which),
        Origin::Given | Origin::Lent(_) => {
            let url = has.server.or(chosen.url.as_ref().map(|url| url.value.as_str()))?;
            server_key(url).ok()
        }
    }
}
