//! A body while it comes, decompressed at once, and what becomes of it then: decoded within the call's time.

use bytes::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::Parse;
use tokio::task::yield_now;
use tokio::time::Instant;
use url::Url;

use super::buffer::Body;
use super::compression::{Coding, Decompressor, Failure};
use super::decode::{self, Decoded};
use super::work::{self, Stop};
use crate::http::error::{HttpError, host_and_port};
use crate::http::retry::Retry;
use crate::http::{Head, Request, Sink, text};

/// An answer, its body decompressed and yet to be decoded.
pub(crate) struct Fetched {
    pub(crate) head: Head,
    pub(crate) body: Body,
    coding: Coding,
    deadline: Instant,
}

/// Sends a request and reads the answer by `deadline`: a body of at most `max_bytes`, or none at all.
pub(crate) async fn fetch(
    retry: &mut Retry<'_>,
    request: &Request,
    max_bytes: Option<u64>,
    deadline: Instant,
) -> Result<Fetched, HttpError> {
    let limit = max_bytes.unwrap_or(0);
    let mut receiving = Receiving { limit, ..Receiving::default() };
    let head = retry.send(request, max_bytes.map(on_the_wire), &mut receiving).await;
    let mut head = head.map_err(|error| of_limit(error, limit))?;
    let Receiving { mut body, coding, decompressor, .. } = receiving;
    if let Some(decompressor) = decompressor {
        body = decompressor
            .finish()
            .map_err(|failure| failed(failure, limit, Some(&head.url)))?
            .into();
        // They are those of what came, and what the host gets is something else.
        head.headers.remove(CONTENT_ENCODING);
        head.headers.remove(CONTENT_LENGTH);
    }
    Ok(Fetched { head, body, coding, deadline })
}

/// Most bytes of a body that has at most `max_bytes` decompressed: no coding makes one larger by more.
fn on_the_wire(max_bytes: u64) -> u64 {
    max_bytes.saturating_add(max_bytes / 8).saturating_add(64 * 1024)
}

/// A body that is too large is so by the limit of the call.
pub(crate) fn of_limit(error: HttpError, max_bytes: u64) -> HttpError {
    match error {
        HttpError::TooLarge { .. } => HttpError::TooLarge { max_bytes },
        other => other,
    }
}

impl Fetched {
    /// Takes the body and decodes it, a large one beside the network.
    pub(crate) async fn decode(&mut self, parse: Parse) -> Result<Decoded, HttpError> {
        let body = std::mem::take(&mut self.body);
        let content_type = self.head.header(CONTENT_TYPE);
        let length = body.len();
        let is_coded = self.coding == Coding::Unknown && parse != Parse::None && !body.is_empty();
        let work = move |stop: &Stop| {
            if is_coded {
                let error = "compressed in a way that was not requested";
                return Ok(decode::as_base64(body, Some(error.to_owned())));
            }
            decode::decode(parse, content_type.as_deref(), body, stop)
        };
        work::on(length, self.deadline, || host_and_port(&self.head.url), work).await
    }
}

fn failed(failure: Failure, max_bytes: u64, url: Option<&Url>) -> HttpError {
    match failure {
        Failure::TooLarge => HttpError::TooLarge { max_bytes },
        Failure::Damaged => HttpError::unreachable(
            UnreachableKind::Protocol,
            format!(
                "the compressed body from `{}` is damaged",
                url.map(host_and_port).unwrap_or_default()
            ),
            "ask for it uncompressed: `\"headers\": {\"Accept-Encoding\": \"identity\"}`",
        ),
    }
}

/// What has come of a body.
#[derive(Default)]
struct Receiving {
    /// As it came, where it is not decompressed.
    body: Body,
    coding: Coding,
    decompressor: Option<Decompressor>,
    /// Most bytes of the body.
    limit: u64,
    /// Where it comes from.
    url: Option<Url>,
}

impl Sink for Receiving {
    fn begin(&mut self, head: &Head, announced: Option<u64>) {
        // Several headers of one name are one list (RFC 9110, section 5.3).
        let codings: Vec<_> = head.headers.get_all(CONTENT_ENCODING).iter().map(text).collect();
        let coding = Coding::of(&codings.join(","));
        let announced = announced.unwrap_or(0).min(self.limit);
        *self = Self {
            body: Body::with_room(usize::try_from(announced).unwrap_or(0)),
            coding,
            decompressor: None,
            limit: self.limit,
            url: Some(head.url.clone()),
        };
    }

    async fn push(&mut self, chunk: Bytes) -> Result<(), HttpError> {
        if self.decompressor.is_none() {
            self.decompressor = Decompressor::new(self.coding, self.limit);
        }
        let Some(decompressor) = &mut self.decompressor else {
            if (self.body.len() + chunk.len()) as u64 > self.limit {
                return Err(HttpError::TooLarge { max_bytes: self.limit });
            }
            self.body.extend(&chunk);
            return Ok(());
        };
        decompressor.push(&chunk);
        let (limit, url) = (self.limit, self.url.as_ref());
        while decompressor.advance().map_err(|failure| failed(failure, limit, url))? {
            // A few bytes can become many megabytes: let others have the thread.
            yield_now().await;
        }
        Ok(())
    }
}
