//! A request with its repetitions: from the first try to an answer with its body.

pub(crate) mod policy;

use std::borrow::Cow;
use std::pin::Pin;
use std::time::SystemTime;

use hyper::{Method, StatusCode};

use crate::http::client::Reuse;
use crate::http::error::HttpError;
use crate::http::retry::policy::Class;
use crate::http::send::{Answer, Failure, Sender};
use crate::http::{Head, Request, Sink};

/// Where requests go, when that may change while one is on its way.
pub(crate) trait Route: Send + Sync {
    /// The request with its server and its token.
    fn put_on(&self, request: &Request) -> Request;

    /// Looks for another server or token; `false` if there is none to be had.
    fn change(&mut self, why: Why) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// What the caller is told of a failure after which there was nothing better.
    fn explain(&self, error: HttpError) -> HttpError;
}

/// Why a route should change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// No connection, or one that was closed before an answer.
    Unreachable,
    /// 401: the token is not good, or not any more.
    Unauthorized,
}

/// How one request is repeated.
pub(crate) struct Retry<'a> {
    /// What the requests go through.
    pub(crate) sender: Sender<'a>,
    /// Most repetitions.
    pub(crate) retries: u32,
    /// Tries so far; hops of a redirect are none, and neither is the repetition over a new connection when an old
    /// one turned out to be dead.
    pub(crate) attempts: u32,
    /// Where requests go, unless they say it themselves.
    pub(crate) route: Option<&'a mut dyn Route>,
}

impl Retry<'_> {
    /// Sends the request, again if need be, and reads the answer: its body into `sink`, up to `max_bytes`; `None` reads
    /// no body at all.
    ///
    /// # Errors
    /// The last failure, when the retries or the time are used up.
    pub(crate) async fn send(
        &mut self,
        request: &Request,
        max_bytes: Option<u64>,
        sink: &mut impl Sink,
    ) -> Result<Head, HttpError> {
        let class = policy::class(&request.method);
        let mut repetition = 0;
        loop {
            self.attempts = self.attempts.saturating_add(1);
            let may_repeat = repetition < self.retries;
            let busy_pause = may_repeat.then_some(repetition);
            let sent = match &self.route {
                Some(route) => Cow::Owned(route.put_on(request)),
                None => Cow::Borrowed(request),
            };
            match self.attempt(&sent, class, busy_pause, max_bytes, sink).await {
                Ok(Some(head)) => {
                    let refused = head.status == StatusCode::UNAUTHORIZED;
                    if !refused || !self.changes(Why::Unauthorized).await {
                        return Ok(head);
                    }
                    continue;
                }
                Ok(None) => {}
                Err(failure) => {
                    let rerouted =
                        failure.is_of_the_route() && self.changes(Why::Unreachable).await;
                    let again = may_repeat
                        && policy::after_failure(class, failure.received)
                        && (rerouted
                            || failure.is_transient()
                                && self.sender.pause(policy::pause(repetition, None)).await);
                    if !again {
                        let error = failure.error;
                        return Err(match &self.route {
                            Some(route) => route.explain(error),
                            None => error,
                        });
                    }
                }
            }
            repetition += 1;
        }
    }

    async fn changes(&mut self, why: Why) -> bool {
        match &mut self.route {
            Some(route) => route.change(why).await,
            None => false,
        }
    }

    /// One try. `None` where the server asked for another one, and the pause before it is over.
    async fn attempt(
        &self,
        request: &Request,
        class: Class,
        repetition: Option<u32>,
        max_bytes: Option<u64>,
        sink: &mut impl Sink,
    ) -> Result<Option<Head>, Failure> {
        let answer = self.try_once(request, class).await?;
        if let Some(repetition) = repetition
            && policy::after_status(class, answer.head.status)
        {
            let asked = policy::asked_pause(&answer.head.headers, SystemTime::now());
            if self.sender.pause(policy::pause(repetition, asked)).await {
                return Ok(None);
            }
        }
        let Answer { head, body } = answer;
        let max_bytes = max_bytes.filter(|_| request.method != Method::HEAD);
        sink.begin(&head, max_bytes.and(body.announced()));
        if let Some(max_bytes) = max_bytes {
            self.sender.read(body, max_bytes, sink).await?;
        }
        Ok(Some(head))
    }

    /// A connection that died while it was unused says nothing about the server: once more, over a new one. Whether it
    /// did is uncertain, so a request that changes things and has no retries never uses an old one.
    async fn try_once(&self, request: &Request, class: Class) -> Result<Answer, Failure> {
        if class == Class::Once || (class == Class::Idempotent && self.retries == 0) {
            return self.sender.send(request, Reuse::Fresh).await;
        }
        match self.sender.send(request, Reuse::Pooled).await {
            Err(failure) if failure.stale => self.sender.send(request, Reuse::Fresh).await,
            outcome => outcome,
        }
    }
}
