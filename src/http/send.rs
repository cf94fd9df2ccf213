//! One request over the network and back, within the call's time: head first, then the body.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Body as _, Incoming};
use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};
use plexsync_protocol::plex::MAX_REDIRECTS;
use tokio::time::{Instant, timeout_at};

use crate::http::client::{Clients, Reuse};
use crate::http::connect::Watch;
use crate::http::error::{HttpError, Peer, find};
use crate::http::stream::{Progress, Unsent};
use crate::http::{Head, Request, Sink, redirect};

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
    /// Whether nothing of the request was sent.
    unsent: bool,
}

impl Failure {
    fn before_answer(error: HttpError) -> Self {
        Self { error, received: false, stale: false, unsent: false }
    }

    fn of_body(error: HttpError) -> Self {
        Self { received: true, ..Self::before_answer(error) }
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

    /// Whether the server may be reachable another way: no connection, or one that was closed before an answer.
    pub(crate) fn is_of_the_route(&self) -> bool {
        use UnreachableKind::{Closed, Connect, Dns, Tls};
        let of_connection = matches!(
            self.error,
            HttpError::Unreachable { kind: Dns | Connect | Tls | Closed, .. }
                | HttpError::Timeout { phase: TimeoutPhase::Connect, .. }
        );
        of_connection && !self.received
    }

    fn is_closed(&self) -> bool {
        matches!(self.error, HttpError::Unreachable { kind: UnreachableKind::Closed, .. })
    }
}

/// An answer whose body is yet to be read.
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Unread,
}

/// A body that is yet to be read. When it is dropped, its connection expects nothing more.
pub(crate) struct Unread {
    body: Incoming,
    peer: Peer,
    progress: Option<Arc<Progress>>,
}

impl Answer {
    fn new(response: Response<Incoming>, request: &Request, peer: Peer) -> Self {
        let (parts, body) = response.into_parts();
        let progress = parts.extensions.get::<Arc<Progress>>().cloned();
        let url = request.url.clone();
        let head = Head { status: parts.status, headers: parts.headers, url };
        let body = Unread { body, peer, progress };
        body.made_progress();
        Self { head, body }
    }
}

impl Unread {
    /// Length of the body in bytes, where it is known before all has come.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next piece of the body; none at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| self.peer.broken(&error))?;
            self.made_progress();
            // Frames without data are trailers.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    fn made_progress(&self) {
        if let Some(progress) = &self.progress {
            progress.made();
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            progress.ended();
        }
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

    /// Sends a request and follows the redirects that stay on its origin.
    pub(crate) async fn send(&self, request: &Request, reuse: Reuse) -> Result<Answer, Failure> {
        let mut answer = self.send_once(request, reuse).await?;
        let mut followed = None;
        for _ in 0..MAX_REDIRECTS {
            let sent = followed.as_ref().unwrap_or(request);
            let Some(next) = redirect::next(sent, &answer.head, self.clients.clean) else { break };
            drop(answer);
            answer = self.send_once(&next, reuse).await.map_err(|failure| Failure {
                received: true,
                stale: false,
                ..failure
            })?;
            followed = Some(next);
        }
        Ok(answer)
    }

    /// Sends a request once; a redirect is an answer.
    pub(crate) async fn send_once(
        &self,
        request: &Request,
        reuse: Reuse,
    ) -> Result<Answer, Failure> {
        match self.try_to_send(request, reuse).await {
            Err(failure) if failure.unsent => self.try_to_send(request, Reuse::Fresh).await,
            outcome => outcome,
        }
    }

    async fn try_to_send(&self, request: &Request, reuse: Reuse) -> Result<Answer, Failure> {
        let peer = Peer::of(&request.url);
        let sending = self.clients.send(request, reuse, &peer).map_err(Failure::before_answer)?;
        let watch = Watch::new(self.connect_limit);
        match timeout_at(self.deadline, watch.clone().over(sending)).await {
            Ok(Ok(response)) => Ok(Answer::new(response, request, peer)),
            Ok(Err(error)) => {
                let failure = Failure::before_answer(peer.broken(&error));
                // Its handshake was good: what is no TLS now came while nobody waited for anything.
                let broken = failure.is_closed() || find::<rustls::Error>(&error).is_some();
                let stale = !watch.has_connected() && broken;
                Err(Failure { stale, unsent: is_unsent(&error), ..failure })
            }
            Err(_) if watch.is_connecting() => Err(Failure::before_answer(peer.connect_timeout())),
            Err(_) => Err(Failure::before_answer(peer.response_timeout())),
        }
    }

    /// Reads a body of at most `max_bytes`, counted as they come, into `sink`, which has seen the head.
    pub(crate) async fn read(
        &self,
        mut body: Unread,
        max_bytes: u64,
        sink: &mut impl Sink,
    ) -> Result<(), Failure> {
        if body.announced().is_some_and(|announced| announced > max_bytes) {
            return Err(Failure::of_body(HttpError::TooLarge { max_bytes }));
        }
        let reading = async {
            let mut length = 0_u64;
            while let Some(piece) = body.next().await? {
                length = length.saturating_add(piece.len() as u64);
                if length > max_bytes {
                    return Err(HttpError::TooLarge { max_bytes });
                }
                sink.push(piece).await?;
                // Many small pieces may come without a wait: let other requests pass.
                tokio::task::coop::consume_budget().await;
            }
            Ok(())
        };
        let in_time = timeout_at(self.deadline, reading).await;
        in_time.unwrap_or_else(|_| Err(body.peer.body_timeout())).map_err(Failure::of_body)
    }
}

/// Whether nothing of the request was sent: we looked and found an answer there already, or hyper did.
fn is_unsent(error: &hyper_util::client::legacy::Error) -> bool {
    find::<Unsent>(error).is_some() || find(error).is_some_and(hyper::Error::is_canceled)
}
