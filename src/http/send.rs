//! One request over the network and back, within the call's time: head first, then the body.

use std::future::Future;
use std::time::Duration;

use plexsync_protocol::error::TimeoutPhase;
use reqwest::{Request, Response};
use tokio::time::{Instant, timeout_at};

use crate::http::classify::{Peer, classify};
use crate::http::client::{Clients, Reuse};
use crate::http::connect::Watch;
use crate::http::error::PlexError;
use crate::http::redirect;
use crate::plex::response::receive::Receiving;
use plexsync_protocol::plex::MAX_REDIRECTS;

/// The time that a call has, and the clients that it uses.
pub(crate) struct Exchange<'a> {
    clients: &'a Clients,
    deadline: Instant,
    connect_limit: Duration,
}

/// Why a request has no answer, and what may be concluded from it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For the caller.
    pub(crate) error: PlexError,
    /// Whether any answer had begun, that of an earlier hop included.
    pub(crate) received: bool,
    /// Whether the request went over an old connection that broke before an answer began.
    pub(crate) stale: bool,
}

impl Failure {
    fn before_answer(error: PlexError) -> Self {
        Self { error, received: false, stale: false }
    }

    /// Whether it may go better the next time: no way there, or a lost connection.
    pub(crate) fn is_transient(&self) -> bool {
        use plexsync_protocol::error::UnreachableKind::{Closed, Connect, Dns};
        matches!(
            self.error,
            PlexError::Unreachable { kind: Dns | Connect | Closed, .. }
                | PlexError::Timeout { phase: TimeoutPhase::Connect, .. }
        )
    }

    fn is_closed(&self) -> bool {
        use plexsync_protocol::error::UnreachableKind::Closed;
        matches!(self.error, PlexError::Unreachable { kind: Closed, .. })
    }
}

impl<'a> Exchange<'a> {
    /// Requests that end at `deadline`, each connection taking `connect_limit` at most.
    pub(crate) fn new(clients: &'a Clients, deadline: Instant, connect_limit: Duration) -> Self {
        Self { clients, deadline, connect_limit }
    }

    /// Waits, unless the call's time would be over before: then `false`, at once.
    pub(crate) async fn pause(&self, pause: Duration) -> bool {
        match Instant::now().checked_add(pause).filter(|end| *end < self.deadline) {
            Some(end) => {
                tokio::time::sleep_until(end).await;
                true
            }
            None => false,
        }
    }

    /// Sends a request and follows the redirects that stay on its origin. The answer's body is yet to be read.
    pub(crate) async fn send(&self, request: &Request, reuse: Reuse) -> Result<Response, Failure> {
        let mut current = copy(request)?;
        let mut response = self.hop(copy(&current)?, reuse).await?;
        for _ in 0..MAX_REDIRECTS {
            let next = redirect::next(&current, response.status(), response.headers());
            let Some(next) = next else { break };
            drop(response);
            current = next;
            response = self.hop(copy(&current)?, reuse).await.map_err(|failure| Failure {
                received: true,
                stale: false,
                ..failure
            })?;
        }
        Ok(response)
    }

    async fn hop(&self, request: Request, reuse: Reuse) -> Result<Response, Failure> {
        let peer = Peer::of(request.url(), self.clients.has_proxy());
        let watch = Watch::new(self.connect_limit);
        let sending = async {
            let client = self.clients.get(request.url(), reuse).await;
            let client = client.map_err(Failure::before_answer)?;
            client.execute(request).await.map_err(|error| {
                let failure = Failure::before_answer(classify(&error, &peer));
                Failure { stale: !watch.has_connected() && failure.is_closed(), ..failure }
            })
        };
        match timeout_at(self.deadline, watch.clone().over(sending)).await {
            Ok(outcome) => outcome,
            Err(_) if watch.is_connecting() => {
                Err(Failure::before_answer(crate::http::classify::connect_timeout(&peer)))
            }
            Err(_) => Err(Failure::before_answer(response_timeout(&peer))),
        }
    }

    /// Reads a body of at most `max_bytes`, counted as they are after decompression, into `received`.
    pub(crate) async fn read(
        &self,
        mut response: Response,
        max_bytes: u64,
        received: &mut Receiving,
    ) -> Result<(), Failure> {
        let peer = Peer::of(response.url(), self.clients.has_proxy());
        let fail = |error| Failure { error, received: true, stale: false };
        let too_large = || fail(PlexError::TooLarge { max_bytes });
        // Known only where the body is not compressed.
        let announced = response.content_length().unwrap_or(0);
        if announced > max_bytes {
            return Err(too_large());
        }
        received.expect(announced);
        let mut length = 0_u64;
        while let Some(chunk) = self.within(response.chunk(), &peer).await.map_err(fail)? {
            length = length.saturating_add(chunk.len() as u64);
            if length > max_bytes {
                return Err(too_large());
            }
            received.push(&chunk);
            // A small compressed body makes many chunks without a wait: let quick calls pass.
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    async fn within<T>(
        &self,
        reading: impl Future<Output = reqwest::Result<T>>,
        peer: &Peer,
    ) -> Result<T, PlexError> {
        match timeout_at(self.deadline, reading).await {
            Ok(outcome) => outcome.map_err(|error| classify(&error, peer)),
            Err(_) => Err(PlexError::Timeout {
                phase: TimeoutPhase::Body,
                message: format!(
                    "the body from `{}` did not end in time; raise `timeout_ms` or ask for less",
                    peer.name
                ),
            }),
        }
    }
}

fn response_timeout(peer: &Peer) -> PlexError {
    PlexError::Timeout {
        phase: TimeoutPhase::Response,
        message: format!("`{}` did not answer in time; raise `timeout_ms`", peer.name),
    }
}

/// A request can be copied as long as its body is no stream; none here is.
fn copy(request: &Request) -> Result<Request, Failure> {
    request
        .try_clone()
        .ok_or_else(|| Failure::before_answer(PlexError::invalid("/body", "can't be sent twice")))
}
