//! A request with its repetitions: from the first try to an answer with its body.

pub(crate) mod policy;

use std::time::SystemTime;

use plexsync_protocol::plex::Parse;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Request, Response, StatusCode, Url};

use crate::http::client::Reuse;
use crate::http::error::PlexError;
use crate::http::retry::policy::{self as retry, Class};
use crate::http::send::{Exchange, Failure};
use crate::plex::request::headers;
use crate::plex::response::decode::Decoded;
use crate::plex::response::receive::{Received, Receiving};
use crate::plex::response::{decode as body, result as answer};

/// An answer, its body decompressed.
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) url: Url,
    pub(crate) body: Received,
}

impl Fetched {
    /// Takes the body and decodes it.
    pub(crate) async fn decode(&mut self, parse: Parse) -> Decoded {
        let content_type = self.headers.get(CONTENT_TYPE).map(headers::text);
        answer::decode(parse, content_type, std::mem::take(&mut self.body)).await
    }
}

/// What of the body is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading {
    /// All of it, if it has no more bytes than this, for a caller who wants it decoded so: JSON is checked while it
    /// comes.
    Decoding(Parse, u64),
    /// Nothing.
    Nothing,
}

/// How one request is repeated.
pub(crate) struct Fetch<'a> {
    /// Where the requests go through.
    pub(crate) exchange: &'a Exchange<'a>,
    /// Most repetitions.
    pub(crate) retries: u32,
    /// Tries so far; hops of a redirect are none, and neither is the repetition over a new connection when an old
    /// one turned out to be dead.
    pub(crate) attempts: u32,
}

impl Fetch<'_> {
    /// Sends the request, again if need be, and reads the answer.
    ///
    /// When the retries or the time are used up, the last answer or failure is the outcome.
    pub(crate) async fn get(
        &mut self,
        request: &Request,
        reading: Reading,
    ) -> Result<Fetched, PlexError> {
        let class = retry::class(request.method());
        let mut repetition = 0;
        loop {
            self.attempts = self.attempts.saturating_add(1);
            let may_repeat = repetition < self.retries;
            let outcome = self.attempt(request, class, reading, may_repeat, repetition).await;
            match outcome {
                Attempt::Done(fetched) => return Ok(fetched),
                Attempt::Busy => {}
                Attempt::Failed(failure) => {
                    let again = may_repeat
                        && failure.is_transient()
                        && retry::after_failure(class, failure.received)
                        && self.exchange.pause(retry::pause(repetition, None)).await;
                    if !again {
                        return Err(failure.error);
                    }
                }
            }
            repetition += 1;
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        class: Class,
        reading: Reading,
        may_repeat: bool,
        repetition: u32,
    ) -> Attempt {
        let response = match self.send(request, class).await {
            Ok(response) => response,
            Err(failure) => return Attempt::Failed(failure),
        };
        if may_repeat && retry::after_status(class, response.status()) {
            let asked = retry::asked_pause(response.headers(), SystemTime::now());
            if self.exchange.pause(retry::pause(repetition, asked)).await {
                return Attempt::Busy;
            }
        }
        match self.finish(request.method(), response, reading).await {
            Ok(fetched) => Attempt::Done(fetched),
            Err(failure) => Attempt::Failed(failure),
        }
    }

    /// A connection that died while it was unused says nothing about the server: once more, over a new one.
    async fn send(&self, request: &Request, class: Class) -> Result<Response, Failure> {
        if class == Class::Once {
            return self.exchange.send(request, Reuse::Fresh).await;
        }
        match self.exchange.send(request, Reuse::Pooled).await {
            Err(failure) if failure.stale => self.exchange.send(request, Reuse::Fresh).await,
            outcome => outcome,
        }
    }

    async fn finish(
        &self,
        method: &Method,
        response: Response,
        reading: Reading,
    ) -> Result<Fetched, Failure> {
        let status = response.status();
        let headers = response.headers().clone();
        let url = response.url().clone();
        let mut received = Receiving::bytes();
        let max_bytes = match reading {
            Reading::Nothing => None,
            Reading::Decoding(parse, max_bytes) => {
                if body::claims_json(parse, headers.get(CONTENT_TYPE).map(headers::text)) {
                    received = Receiving::json();
                }
                Some(max_bytes)
            }
        };
        if let Some(max_bytes) = max_bytes.filter(|_| *method != Method::HEAD) {
            self.exchange.read(response, max_bytes, &mut received).await?;
        }
        Ok(Fetched { status, headers, url, body: received.end().await })
    }
}

enum Attempt {
    Done(Fetched),
    /// The server asked for another try, and the pause is over.
    Busy,
    Failed(Failure),
}
