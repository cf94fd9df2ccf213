//! One request over the network and back, within the call's time: head first, then the body.

use std::time::Duration;

use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};
use plexsync_protocol::plex::MAX_REDIRECTS;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::http::classify::{Peer, classify, connect_timeout};
use crate::http::client::{Clients, Reuse};
use crate::http::connect::Watch;
use crate::http::error::HttpError;
use crate::http::{Request, Sink, redirect};

/// The time that a call has, and the clients that it uses.
pub(crate) struct Sender<'a> {
    clients: &'a Clients,
    deadline: Instant,
    connect_limit: Duration,
}

/// Why a request has no answer, and what may be concluded from it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For the caller.
    pub(crate) error: HttpError,
    /// Whether any answer had begun, that of an earlier hop included.
    pub(crate) received: bool,
    /// Whether the request went over an old connection that broke before an answer began.
    pub(crate) stale: bool,
}

impl Failure {
    fn before_answer(error: HttpError) -> Self {
        Self { error, received: false, stale: false }
    }

    fn of_body(error: HttpError) -> Self {
        Self { error, received: true, stale: false }
    }

    /// Whether it may go better the next time: no connection, or a lost one.
    pub(crate) fn is_transient(&self) -> bool {
        use UnreachableKind::{Closed, Connect, Dns};
        matches!(
            self.error,
            HttpError::Unreachable { kind: Dns | Connect | Closed, .. }
                | HttpError::Timeout { phase: TimeoutPhase::Connect, .. }
        )
    }

    fn is_closed(&self) -> bool {
        matches!(self.error, HttpError::Unreachable { kind: UnreachableKind::Closed, .. })
    }
}

impl<'a> Sender<'a> {
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
        let mut response = self.hop(request, reuse).await?;
        let mut followed = None;
        for _ in 0..MAX_REDIRECTS {
            let sent = followed.as_ref().unwrap_or(request);
            let next =
                redirect::next(sent, response.status(), response.headers(), self.clients.clean);
            let Some(next) = next else { break };
            drop(response);
            response = self.hop(&next, reuse).await.map_err(|failure| Failure {
                received: true,
                stale: false,
                ..failure
            })?;
            followed = Some(next);
        }
        Ok(response)
    }

    async fn hop(&self, request: &Request, reuse: Reuse) -> Result<Response, Failure> {
        let peer = Peer::of(&request.url, self.clients.has_proxy());
        let watch = Watch::new(self.connect_limit);
        let sending = async {
            let client = self.clients.get(&request.url, reuse).await;
            let client = client.map_err(Failure::before_answer)?;
            client.execute(request.into()).await.map_err(|error| {
                let failure = Failure::before_answer(classify(&error, &peer));
                Failure { stale: !watch.has_connected() && failure.is_closed(), ..failure }
            })
        };
        match timeout_at(self.deadline, watch.clone().over(sending)).await {
            Ok(outcome) => outcome,
            Err(_) if watch.is_connecting() => Err(Failure::before_answer(connect_timeout(&peer))),
            Err(_) => Err(Failure::before_answer(HttpError::timeout(
                TimeoutPhase::Response,
                format!("`{}` did not answer in time", peer.name),
                "raise `timeout_ms`",
            ))),
        }
    }

    /// Reads a body of at most `max_bytes`, counted as they come, into `sink`, which has seen the head.
    pub(crate) async fn read(
        &self,
        mut response: Response,
        max_bytes: u64,
        sink: &mut impl Sink,
    ) -> Result<(), Failure> {
        let peer = Peer::of(response.url(), self.clients.has_proxy());
        if response.content_length().is_some_and(|announced| announced > max_bytes) {
            return Err(Failure::of_body(HttpError::TooLarge { max_bytes }));
        }
        let reading = async {
            let mut length = 0_u64;
            while let Some(chunk) =
                response.chunk().await.map_err(|error| classify(&error, &peer))?
            {
                length = length.saturating_add(chunk.len() as u64);
                if length > max_bytes {
                    return Err(HttpError::TooLarge { max_bytes });
                }
                sink.push(chunk).await?;
                // Many chunks may come without a wait: let quick calls pass.
                tokio::task::coop::consume_budget().await;
            }
            Ok(())
        };
        let in_time = timeout_at(self.deadline, reading).await.unwrap_or_else(|_| {
            Err(HttpError::timeout(
                TimeoutPhase::Body,
                format!("the body from `{}` did not end in time", peer.name),
                "raise `timeout_ms` or ask for less",
            ))
        });
        in_time.map_err(Failure::of_body)
    }
}
