//! A body while it comes, and what becomes of it then: decompressed and decoded within the call's time.

use bytes::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::Parse;
use tokio::time::Instant;

use super::buffer;
use super::compression::{Coding, Failure};
use super::decode::{self, Decoded};
use super::work::{PIECE, Stop, Stopped, beside, timed_out};
use crate::http::error::{HttpError, host_and_port};
use crate::http::retry::Retry;
use crate::http::{Head, Request, Sink};

/// Largest memory that a `Content-Length` alone can make us reserve, in bytes.
const LARGEST_RESERVE: u64 = 64 * 1024 * 1024;

/// An answer, its body decompressed and yet to be decoded.
pub(crate) struct Fetched {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
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
    let head = head.map_err(|error| of_limit(error, limit))?;
    let Receiving { body, coding, is_too_large, .. } = receiving;
    if is_too_large {
        return Err(HttpError::TooLarge { max_bytes: limit });
    }
    let mut fetched = Fetched { head, body, coding, deadline };
    if fetched.coding.is_known() && !fetched.body.is_empty() {
        fetched.decompress(limit).await?;
    }
    Ok(fetched)
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
    fn peer(&self) -> String {
        host_and_port(&self.head.url)
    }

    async fn decompress(&mut self, max_bytes: u64) -> Result<(), HttpError> {
        let (body, coding) = (std::mem::take(&mut self.body), self.coding);
        let work = move |stop: &Stop| match coding.decompress(&body, max_bytes, stop) {
            Err(Failure::Stopped) => Err(Stopped),
            outcome => Ok(outcome),
        };
        match beside(self.deadline, &self.peer(), work).await? {
            Ok(body) => self.body = body,
            Err(Failure::TooLarge) => return Err(HttpError::TooLarge { max_bytes }),
            Err(_) => {
                return Err(HttpError::unreachable(
                    UnreachableKind::Protocol,
                    format!("the compressed body from `{}` is damaged", self.peer()),
                    "ask for it uncompressed: `\"headers\": {\"Accept-Encoding\": \"identity\"}`",
                ));
            }
        }
        // They are those of what came, and what the host gets is something else.
        self.head.headers.remove(CONTENT_ENCODING);
        self.head.headers.remove(CONTENT_LENGTH);
        Ok(())
    }

    /// Takes the body and decodes it, a large one beside the network.
    pub(crate) async fn decode(&mut self, parse: Parse) -> Result<Decoded, HttpError> {
        let body = std::mem::take(&mut self.body);
        if self.coding == Coding::Unknown && parse != Parse::None && !body.is_empty() {
            let error = "compressed in a way that nobody asked for";
            return Ok(decode::as_base64(body, Some(error.to_owned())));
        }
        let content_type = self.head.header(CONTENT_TYPE);
        let is_large = body.len() > PIECE;
        let work = move |stop: &Stop| decode::decode(parse, content_type.as_deref(), body, stop);
        match is_large {
            true => beside(self.deadline, &self.peer(), work).await,
            false => work(&Stop::default()).map_err(|Stopped| timed_out(&self.peer())),
        }
    }
}

/// What has come of a body.
#[derive(Debug, Default)]
struct Receiving {
    body: Vec<u8>,
    coding: Coding,
    /// Most bytes of a body that is not compressed.
    limit: u64,
    is_too_large: bool,
}

impl Sink for Receiving {
    fn begin(&mut self, head: &Head, announced: Option<u64>) {
        let coding = Coding::of(&head.header(CONTENT_ENCODING).unwrap_or_default());
        let announced = announced.unwrap_or(0).min(LARGEST_RESERVE);
        let body = buffer::with_room(usize::try_from(announced).unwrap_or(0));
        *self = Self { body, coding, limit: self.limit, is_too_large: false };
    }

    fn push(&mut self, chunk: Bytes) {
        let length = self.body.len().saturating_add(chunk.len());
        if !self.coding.is_known() && u64::try_from(length).is_ok_and(|length| length > self.limit)
        {
            self.is_too_large = true;
            return;
        }
        buffer::reserve(&mut self.body, chunk.len());
        self.body.extend_from_slice(&chunk);
    }
}
