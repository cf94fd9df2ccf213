//! A request with its repetitions: from the first try to an answer with its body.

pub(crate) mod policy;

use std::time::SystemTime;

use hyper::Method;

use crate::http::client::Reuse;
use crate::http::error::HttpError;
use crate::http::retry::policy::Class;
use crate::http::send::{Answer, Failure, Sender};
use crate::http::{Head, Request, Sink};

/// How one request is repeated.
pub(crate) struct Retry<'a> {
    /// What the requests go through.
    pub(crate) sender: Sender<'a>,
    /// Most repetitions.
    pub(crate) retries: u32,
    /// Tries so far; hops of a redirect are none, and neither is the repetition over a new connection when an old
    /// one turned out to be dead.
    pub(crate) attempts: u32,
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
            match self.attempt(request, class, busy_pause, max_bytes, sink).await {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(failure) => {
                    let again = may_repeat
                        && failure.is_transient()
                        && policy::after_failure(class, failure.received)
                        && self.sender.pause(policy::pause(repetition, None)).await;
                    if !again {
                        return Err(failure.error);
                    }
                }
            }
            repetition += 1;
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
        let head = answer.head.clone();
        let max_bytes = max_bytes.filter(|_| request.method != Method::HEAD);
        sink.begin(&head, max_bytes.and(answer.announced()));
        if let Some(max_bytes) = max_bytes {
            self.sender.read(answer, max_bytes, sink).await?;
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
