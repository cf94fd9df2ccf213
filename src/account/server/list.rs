//! All servers of the account, their connections tried if the user wants that, and the choice of one.

use std::time::Instant;

use futures_util::future::join_all;
use plexsync_protocol::server::{Connection, Server as Shown};
use tokio::time::timeout_at;
use url::Url;

use super::candidates::{self, Candidate};
use super::choice::{self, Which};
use super::resources::Server;
use super::{Finder, Way, late};
use crate::account::AccountError;
use crate::account::answers::shown;
use crate::account::files::ServerFile;
use crate::http::error::HttpError;
use crate::secret::Secrets;

impl Finder {
    /// The account's servers. `usual` is the one that calls use that name none; `None` if they use no server of the
    /// account. With `probe` every connection is tried. Ends the pause after a search in vain.
    ///
    /// # Errors
    /// Nobody is signed in, or plex.tv can't be asked.
    pub async fn list(
        &self,
        usual: Option<&Which>,
        probe: bool,
    ) -> Result<Vec<Shown>, AccountError> {
        let (account, cache) = self.stored().await?;
        self.end_pauses(&cache).await;
        let servers = self.resources(&account).await?;
        let chosen = cache.chosen.as_deref();
        let show = |server| self.show(server, &servers, usual, chosen, probe);
        Ok(join_all(servers.iter().map(show)).await)
    }

    /// Chooses a server: finds the way to it, and remembers both.
    ///
    /// # Errors
    /// No server, or more than one, has this name; there is no way to it: then nothing is remembered.
    pub async fn choose(
        &self,
        name: &str,
        usual: Option<&Which>,
    ) -> Result<(Shown, Way), AccountError> {
        let choosing = async {
            let _turn = self.servers.searching.lock().await;
            let (account, cache) = self.stored().await?;
            let servers = self.resources(&account).await?;
            let server = choice::in_list(&servers, &Which::OfCall(name.to_owned()), None);
            let server = server.map_err(AccountError::Unclear)?;
            let (way, by) = self.way_to(server).await?;
            self.end_pauses(&cache).await;
            self.keep(server, &way, by, &servers).await;
            let identifier = server.machine_identifier.clone();
            self.change(move |cache| cache.chosen = Some(identifier)).await;
            // What could not be stored is no choice.
            let stored = self.caller.on_disk(|caller| caller.store.servers()).await;
            let chosen = stored.chosen.as_deref();
            Ok((self.show(server, &servers, usual, chosen, false).await, way))
        };
        let in_time = timeout_at(self.caller.time.deadline, choosing).await;
        in_time.unwrap_or_else(|_| Err(late().into()))
    }

    async fn end_pauses(&self, cache: &ServerFile) {
        if cache.servers.values().any(|server| server.failed_at.is_some()) {
            self.change(|cache| cache.servers.values_mut().for_each(|it| it.failed_at = None))
                .await;
        }
    }

    async fn show(
        &self,
        server: &Server,
        servers: &[Server],
        usual: Option<&Which>,
        chosen: Option<&str>,
        probe: bool,
    ) -> Shown {
        let used = usual.and_then(|usual| choice::in_list(servers, usual, chosen).ok());
        let identifier = &server.machine_identifier;
        let candidates = candidates::of(server);
        let connections = connections(server, &candidates, &self.caller.secrets);
        let tried = connections.into_iter().map(|(connection, candidate)| async move {
            match probe {
                true => self.tried(server, connection, candidate).await,
                false => connection,
            }
        });
        Shown {
            name: server.name.clone(),
            machine_identifier: identifier.clone(),
            owned: server.owned,
            version: server.version.clone(),
            online: server.online,
            in_use: used.is_some_and(|used| used.machine_identifier == *identifier),
            chosen: chosen == Some(identifier),
            connections: join_all(tried).await,
        }
    }

    async fn tried(&self, server: &Server, connection: Connection, url: Option<Url>) -> Connection {
        let Some(url) = url else {
            let problem = "not tried: it is of another network, or would carry a token in clear";
            return Connection {
                reachable: Some(false),
                problem: Some(problem.to_owned()),
                ..connection
            };
        };
        let began = Instant::now();
        let proved = match self.headers() {
            Ok(headers) => {
                let prover = &self.servers.prover;
                prover.prove(&url, &server.machine_identifier, &headers, self.limit()).await
            }
            Err(error) => Err(error),
        };
        Connection {
            reachable: Some(proved.is_ok()),
            elapsed_ms: Some(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)),
            problem: proved.err().map(reason),
            ..connection
        }
    }
}

/// The connections that plex.tv lists, and those that are tried beside them, with the URL that is tried.
fn connections(
    server: &Server,
    candidates: &[Candidate],
    secrets: &Secrets,
) -> Vec<(Connection, Option<Url>)> {
    let listed = server.connections.iter().map(|it| {
        let url = candidates::base(&it.uri);
        let tried = url.filter(|url| candidates.iter().any(|candidate| candidate.url == *url));
        (Connection::new(shown(&it.uri, secrets), it.local, it.relay), tried)
    });
    let mut connections: Vec<_> = listed.collect();
    for candidate in candidates {
        if !connections.iter().any(|(_, url)| url.as_ref() == Some(&candidate.url)) {
            let uri = candidate.url.as_str().trim_end_matches('/');
            let local = candidate.by == candidates::By::Local;
            connections.push((Connection::new(uri, local, false), Some(candidate.url.clone())));
        }
    }
    connections
}

fn reason(error: HttpError) -> String {
    match error {
        HttpError::Unreachable { reason, .. } | HttpError::Timeout { reason, .. } => reason,
        error @ HttpError::TooLarge { .. } => error.to_string(),
    }
}
