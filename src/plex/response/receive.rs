//! A body while it comes. JSON is checked on another thread meanwhile, so that little is left to do at its end.

use std::sync::mpsc;

use bytes::Bytes;
use plexsync_protocol::plex::Parse;
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinHandle;

use crate::http::error::HttpError;
use crate::http::retry::Retry;
use crate::http::{Head, Request, Sink};
use crate::plex::response::decode::{Decoded, claims_json};
use crate::plex::response::json::Parts;
use crate::plex::response::part::Part;
use crate::plex::response::result;

/// Largest memory that a `Content-Length` alone can make us reserve, in bytes.
const LARGEST_RESERVE: u64 = 64 * 1024 * 1024;
/// A JSON body up to this size, in bytes, is not worth a thread.
const SMALL: usize = 1024 * 1024;
/// What is handed over at once, in bytes: two huge pages.
const PART: usize = 4 * 1024 * 1024;

/// An answer, its body decompressed and yet to be decoded.
pub(crate) struct Fetched {
    pub(crate) head: Head,
    pub(crate) body: Received,
}

/// Sends a request and reads the answer: a body of at most `max_bytes`, or none at all.
pub(crate) async fn fetch(
    retry: &mut Retry<'_>,
    request: &Request,
    parse: Parse,
    max_bytes: Option<u64>,
) -> Result<Fetched, HttpError> {
    let mut receiving = Receiving::new(parse);
    let head = retry.send(request, max_bytes, &mut receiving).await?;
    Ok(Fetched { head, body: receiving.end().await })
}

impl Fetched {
    /// Takes the body and decodes it.
    pub(crate) async fn decode(&mut self, parse: Parse) -> Decoded {
        let content_type = self.head.header(CONTENT_TYPE);
        result::decode(parse, content_type, std::mem::take(&mut self.body)).await
    }
}

/// What has come of a body.
#[derive(Debug)]
pub(crate) struct Receiving {
    /// What the caller wants of it.
    parse: Parse,
    /// All of it, or the beginning of what is checked on another thread.
    bytes: Vec<u8>,
    claims_json: bool,
    check: Option<Check>,
}

/// Another thread that checks.
#[derive(Debug)]
struct Check {
    part: Part,
    parts: mpsc::Sender<Part>,
    outcome: JoinHandle<Parts>,
}

/// A whole body.
#[derive(Debug)]
pub(crate) enum Received {
    /// As it came.
    Bytes(Vec<u8>),
    /// Checked for being JSON, and not yet told whether it is.
    Json(Box<Parts>),
}

impl Default for Received {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Received {
    /// Length in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(parts) => parts.len(),
        }
    }

    /// The body as it came.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Json(parts) => parts.into_bytes(),
        }
    }
}

impl Receiving {
    /// A body that nothing has come of, for a caller who wants it like this.
    pub(crate) fn new(parse: Parse) -> Self {
        Self { parse, bytes: Vec::new(), claims_json: false, check: None }
    }

    /// The body; nothing more has come.
    pub(crate) async fn end(self) -> Received {
        match self.check {
            None => Received::Bytes(self.bytes),
            Some(check) => Received::Json(Box::new(check.end().await)),
        }
    }
}

impl Sink for Receiving {
    fn begin(&mut self, head: &Head, announced: Option<u64>) {
        *self = Self::new(self.parse);
        self.claims_json = claims_json(self.parse, head.header(CONTENT_TYPE));
        let announced = announced.unwrap_or(0).min(LARGEST_RESERVE);
        let announced = usize::try_from(announced).unwrap_or(0);
        if self.claims_json && announced > SMALL {
            self.check = Some(Check::start());
        } else {
            self.bytes.reserve_exact(announced);
        }
    }

    fn push(&mut self, chunk: Bytes) {
        if let Some(check) = &mut self.check {
            return check.push(&chunk);
        }
        self.bytes.extend_from_slice(&chunk);
        if self.claims_json && self.bytes.len() > SMALL {
            let beginning = std::mem::take(&mut self.bytes);
            self.check.insert(Check::start()).hand_over(beginning.into());
        }
    }
}

impl Check {
    fn start() -> Self {
        let (parts, receiver) = mpsc::channel::<Part>();
        let outcome = tokio::task::spawn_blocking(move || {
            let mut checked = Parts::default();
            receiver.into_iter().for_each(|part| checked.push(part));
            checked
        });
        Self { part: Part::with_room(PART), parts, outcome }
    }

    fn push(&mut self, chunk: &[u8]) {
        let mut rest = self.part.fill(chunk);
        while !rest.is_empty() {
            let full = std::mem::replace(&mut self.part, Part::with_room(PART));
            self.hand_over(full);
            rest = self.part.fill(rest);
        }
    }

    /// Only a thread that has panicked refuses; the end finds that out.
    fn hand_over(&self, part: Part) {
        let _refused = self.parts.send(part);
    }

    async fn end(self) -> Parts {
        let Self { part, parts, outcome } = self;
        let _refused = parts.send(part);
        drop(parts);
        outcome.await.unwrap_or_default()
    }
}
