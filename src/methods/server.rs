//! `server.*`: the account's servers, and the one that calls go to.

use std::sync::Arc;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::server::{
    ChooseParams, ChooseResult, Connection, ListParams, ListResult, Server,
};
use tokio::time::Instant;
use tracing::{info, warn};

use super::account::Has;
use super::identity::Ticket;
use super::{Worker, asked_timeout, errors, params, reader};
use crate::account::server::{Finder, Which};
use crate::json_text::JsonText;
use crate::plex::MAX_TIMEOUT_MS;
use crate::rpc::{Handling, Outcome, Request, Slow, StashCall};
use crate::stash::Settings;
use crate::target::{Chosen, Given, Origin, Source, origin};

pub(super) fn list(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let ListParams { probe, timeout_ms } = params::read(request.params.as_deref())?;
    let stash = request.stash.clone();
    slow(worker, request, timeout_ms, async move |finder, usual| {
        let servers = finder.list(usual.which().as_ref(), probe).await;
        let servers =
            servers.map_err(|error| errors::of_account(error, reader(stash.as_deref())))?;
        if stash.is_some() {
            log(&servers);
        }
        Ok(JsonText::of(&ListResult::new(servers)))
    })
}

pub(super) fn choose(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let ChooseParams { server, timeout_ms } = params::read(request.params.as_deref())?;
    let stash = request.stash.clone();
    slow(worker, request, timeout_ms, async move |finder, usual| {
        let chosen = finder.choose(&server, usual.which().as_ref()).await;
        let (server, way) =
            chosen.map_err(|error| errors::of_account(error, reader(stash.as_deref())))?;
        let warning = usual.warning(&server);
        if stash.is_some() {
            info!("`{}` is used from now on, at `{}`", server.name, way.url);
            warning.iter().for_each(|warning| warn!("{warning}"));
        }
        let uri = way.url.as_str().trim_end_matches('/').to_owned();
        Ok(JsonText::of(&ChooseResult::new(server, uri, warning)))
    })
}

/// What calls use that name no server.
struct Usual(Chosen);

impl Usual {
    /// The account's server, unless a URL is configured.
    fn which(&self) -> Option<Which> {
        match origin(Has::default(), &self.0, true) {
            Origin::Account(which) => Some(which),
            Origin::Given | Origin::Lent(_) => None,
        }
    }

    /// What is stronger than a choice, or keeps it from being one.
    fn warning(&self, server: &Server) -> Option<String> {
        if !server.chosen {
            let reason = "the choice is not remembered: `server.json` in the data folder can't be written, as the log says";
            return Some(reason.to_owned());
        }
        if let Some(Given { by, .. }) = &self.0.url {
            return Some(format!(
                "calls still go to the URL in `{by}`, which is stronger; remove it to use this server"
            ));
        }
        let Given { by, .. } = self.0.server.as_ref()?;
        (!server.in_use).then(|| {
            format!(
                "calls still go to the server in `{by}`, which is stronger; remove it to use this one"
            )
        })
    }
}

/// A call about the account's servers, within its time.
fn slow<W>(
    worker: &Arc<Worker>,
    request: Request,
    timeout_ms: Option<u64>,
    act: impl FnOnce(Finder, Usual) -> W + Send + 'static,
) -> Result<Handling, ErrorObject>
where
    W: Future<Output = Outcome> + Send,
{
    let timeout = asked_timeout(timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let stash = request.stash;
    let (ticket, first) = Ticket::draw(worker, stash.clone(), request.in_turn);
    let worker = worker.clone();
    let work = async move {
        let deadline = Instant::now() + timeout;
        let identity = ticket.identity(deadline).await?;
        let usual = Usual(worker.usual(stash.as_deref()).await);
        let means = worker.means(stash.as_deref(), worker.store(stash.as_deref())?)?;
        act(means.finder(&identity, deadline), usual).await
    };
    Ok(Handling::Slow(Slow { first, timeout: Some(timeout), work: Box::pin(work) }))
}

impl Worker {
    /// What is configured; without Stash's settings where Stash does not tell them.
    async fn usual(&self, stash: Option<&StashCall>) -> Chosen {
        let settings = match stash {
            Some(call) => self.stash(call).settings().await.unwrap_or_default(),
            None => Settings::default(),
        };
        self.setup.sources.and(Source::from(&settings)).choose_server()
    }
}

/// A Stash user sees log lines only.
fn log(servers: &[Server]) {
    if servers.is_empty() {
        warn!("the account has no Plex server");
    }
    for server in servers {
        let state = match (server.in_use, server.online) {
            (true, _) => "in use",
            (false, true) => "online",
            (false, false) => "not online",
        };
        let ways: Vec<_> = server.connections.iter().map(way).collect();
        info!(
            "`{}` ({state}), identifier `{}`: {}",
            server.name,
            server.machine_identifier,
            ways.join(", ")
        );
    }
}

fn way(connection: &Connection) -> String {
    match (connection.reachable, &connection.problem) {
        (Some(true), _) => format!("`{}` answers", connection.uri),
        (Some(false), Some(problem)) => format!("`{}` does not: {problem}", connection.uri),
        _ => format!("`{}`", connection.uri),
    }
}
