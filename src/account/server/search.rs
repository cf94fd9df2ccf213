//! The search for a server: its connections from plex.tv, the best of them, and what becomes of it.

use std::sync::atomic::{AtomicBool, Ordering};

use plexsync_protocol::error::UnreachableKind;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use super::candidates::{self, By, Candidate};
use super::choice::{self, Which};
use super::proof::Place;
use super::resources::{self, Server};
use super::{Finder, Way, late, race, remembered};
use crate::account::files::{AccountFile, ServerFile};
use crate::account::plex_tv::Home;
use crate::account::{AccountError, Ask, answers};
use crate::http::error::HttpError;

const RESOURCES: &str = "/api/v2/resources";
/// What a request needs at the end of a call's time.
const REST: std::time::Duration = std::time::Duration::from_millis(250);

impl Finder {
    /// Searches for a server. `found_at` is when the way was found that is no good any more.
    pub(super) async fn search(
        &self,
        which: &Which,
        found_at: Option<OffsetDateTime>,
    ) -> Result<Way, AccountError> {
        let has_begun = AtomicBool::new(false);
        let searching = async {
            let _turn = self.servers.searching.lock().await;
            has_begun.store(true, Ordering::Relaxed);
            let (account, cache) = self.stored().await?;
            // Another call, or another process, may have found it meanwhile.
            if let Some(way) = self.remembered(&cache, which) {
                let identifier = &way.machine_identifier;
                let is_relay = self.servers.known().relay(identifier).is_some();
                if is_relay || remembered::found_at(&cache, identifier) != found_at {
                    return Ok(self.proved(way).await?);
                }
            }
            self.look(which, &account, &cache).await
        };
        match timeout_at(self.caller.time.deadline, searching).await {
            Ok(outcome) => outcome,
            Err(_) => {
                // Who waited for another's search knows nothing of the server.
                if has_begun.load(Ordering::Relaxed) {
                    self.fail(which).await;
                }
                Err(late().into())
            }
        }
    }

    async fn look(
        &self,
        which: &Which,
        account: &AccountFile,
        cache: &ServerFile,
    ) -> Result<Way, AccountError> {
        let known = choice::in_cache(cache, which);
        let now = OffsetDateTime::now_utc();
        if known.as_ref().is_some_and(|known| remembered::is_paused(cache, known, now)) {
            return Err(paused().into());
        }
        let servers = match self.resources(account).await {
            Ok(servers) => servers,
            Err(error) => {
                self.fail(which).await;
                return Err(error);
            }
        };
        let server = choice::in_list(&servers, which, cache.chosen.as_deref());
        let server = server.map_err(AccountError::Unclear)?;
        if known.is_none() {
            // What fails from now on is remembered under this, even if the time is over in the middle of it.
            self.note(server, &servers).await;
        }
        match self.way_to(server).await {
            Ok((way, by)) => {
                self.keep(server, &way, by, &servers).await;
                Ok(way)
            }
            Err(error) => {
                self.remember_failure(&server.machine_identifier, &server.name).await;
                Err(error.into())
            }
        }
    }

    /// Remembers a way that was found.
    pub(super) async fn keep(&self, server: &Server, way: &Way, by: By, servers: &[Server]) {
        if by == By::Relay {
            let (found, way) = (Instant::now(), Way { is_remembered: true, ..way.clone() });
            self.servers.known().relays.insert(way.machine_identifier.clone(), (way, found));
        }
        self.remember(server, way, by == By::Relay, servers).await;
    }

    async fn fail(&self, which: &Which) {
        // Without a limit: the call's time may be over, and this takes none of its own.
        let cache = self.caller.on_disk(|caller| caller.store.servers()).await;
        if let Some(identifier) = choice::in_cache(&cache, which) {
            self.remember_failure(&identifier, "").await;
        }
    }

    /// The account's servers.
    pub(super) async fn resources(
        &self,
        account: &AccountFile,
    ) -> Result<Vec<Server>, AccountError> {
        let ask = Ask {
            home: Home::Clients,
            path: format!("{RESOURCES}?includeHttps=1&includeRelay=1&includeIPv6=1"),
            ..Ask::get(RESOURCES, Some(&account.token))
        };
        let reply = self.caller.ask(&ask, "to list the account's servers").await?;
        let servers = resources::read(&reply.body, &self.caller.secrets);
        servers.ok_or_else(|| answers::foreign(&reply).into())
    }

    /// The best way to a server.
    pub(super) async fn way_to(&self, server: &Server) -> Result<(Way, By), HttpError> {
        let headers = self.headers()?;
        let limit = self.limit();
        let prove = |candidate: Candidate| {
            let headers = &headers;
            async move {
                let prover = &self.servers.prover;
                let machine = &server.machine_identifier;
                let proved = prover.prove(&candidate.url, machine, headers, limit).await;
                (candidate, proved)
            }
        };
        let found = race::best(candidates::of(server), prove).await;
        let (Candidate { url, by }, place) = found.map_err(|error| no_way(&server.name, error))?;
        let known = (Some(server.machine_identifier.clone()), Some(place.clone()));
        self.servers.known().asked.insert(url.to_string(), known);
        let Place { url, host } = place;
        let way = Way {
            machine_identifier: server.machine_identifier.clone(),
            name: server.name.clone(),
            url,
            host,
            token: server.token.clone(),
            is_remembered: false,
        };
        Ok((self.told(way), by))
    }

    /// The same way with the token that plex.tv has for it now, after a 401; `None` if that is the same.
    pub async fn renew(&self, way: &Way) -> Option<Way> {
        let token = self.newer_token(way).await?;
        Some(self.told(Way { token: Some(token), ..way.clone() }))
    }

    async fn newer_token(&self, way: &Way) -> Option<crate::secret::Secret> {
        let asking = async {
            let _turn = self.servers.searching.lock().await;
            let (account, cache) = self.stored().await.ok()?;
            let identifier = &way.machine_identifier;
            let stored = cache.servers.get(identifier).and_then(|stored| stored.token.clone());
            let differs = |token: &crate::secret::Secret| {
                way.token.as_ref().is_none_or(|used| used.expose() != token.expose())
            };
            if let Some(token) = stored.filter(differs) {
                return Some(token);
            }
            if remembered::is_paused(&cache, identifier, OffsetDateTime::now_utc()) {
                return None;
            }
            let servers = self.resources(&account).await.ok();
            let server = servers.as_deref().and_then(|it| choice::with_identifier(it, identifier));
            let token = server.and_then(|server| server.token.clone()).filter(differs);
            match token.clone() {
                Some(token) => {
                    let (identifier, name) = (identifier.clone(), way.name.clone());
                    let change = move |cache: &mut ServerFile| {
                        remembered::entry(cache, identifier, name).token = Some(token);
                    };
                    self.change(change).await;
                }
                None => self.remember_failure(identifier, &way.name).await,
            }
            token
        };
        let deadline = self.caller.time.deadline;
        let end = deadline.checked_sub(REST).unwrap_or(deadline);
        match timeout_at(end, asking).await {
            Ok(token) => token,
            Err(_) => {
                self.remember_failure(&way.machine_identifier, &way.name).await;
                None
            }
        }
    }
}

fn paused() -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Connect,
        "no way to the server was found less than a minute ago",
        "wait a minute, or look at all ways with `server.list` and `probe`",
    )
}

fn no_way(name: &str, error: Option<HttpError>) -> HttpError {
    let none = || {
        let hint = "start the server, and sign it in to the account";
        (UnreachableKind::Connect, "plex.tv knows none".to_owned(), hint.to_owned())
    };
    let (kind, reason, hint) = match error {
        Some(HttpError::Unreachable { kind, reason, hint }) => (kind, reason, hint),
        Some(HttpError::Timeout { reason, hint, .. }) => (UnreachableKind::Connect, reason, hint),
        Some(HttpError::TooLarge { .. }) | None => none(),
    };
    HttpError::unreachable(
        kind,
        format!("no way to the Plex server `{name}` was found: {reason}"),
        hint,
    )
}
