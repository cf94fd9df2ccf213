//! A listing in pages, fetched one after the other and joined.

pub(crate) mod join;
pub(crate) mod page;

use std::mem;

use bytes::Bytes;
use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::{BodyEncoding, PAGE_SIZE, Parse};
use tokio::time::Instant;

use self::join::Joined;
use super::error::PlexError;
use super::request::{PreparedRequest, ask_for_page};
use super::response::decode::{self as body, Decoded};
use super::response::receive::{self, Fetched, of_limit};
use super::response::work;
use crate::http::Request;
use crate::http::error::{HttpError, host_and_port};
use crate::http::retry::Retry;

/// Called after each page: entries so far, and how many there are, where that is known.
pub(crate) type Progress<'a> = Option<&'a (dyn Fn(u64, Option<u64>) + Send + Sync)>;

/// Fetches all pages by `deadline`, and gives the head of the first one and the joined body.
///
/// What is not a listing is the answer as it is, and so is a page that Plex answers with an error.
pub(crate) async fn fetch(
    retry: &mut Retry<'_>,
    prepared: &mut PreparedRequest,
    deadline: Instant,
    progress: Progress<'_>,
) -> Result<(Fetched, Decoded), PlexError> {
    let PreparedRequest { ref mut request, parse, max_bytes, .. } = *prepared;
    let mut pages = Pages { retry, request, deadline, max_bytes, left: max_bytes };
    let mut first = pages.get(0).await?;
    if !first.head.status.is_success() {
        return decoded(first, parse).await;
    }
    let mut body = joinable(&mut first, parse).await?;
    let (length, text) = (body.value.len(), body.value.into_bytes());
    let mut joined = match pages.work(length, move || Joined::new(&text).ok_or(text)).await? {
        Ok(joined) => joined,
        Err(text) => {
            body.value = text.into();
            return finished(first, body, parse).await;
        }
    };
    report(progress, &joined);
    while !joined.is_complete() {
        let done = joined.done();
        let mut next = pages.get(done).await?;
        if !next.head.status.is_success() {
            return decoded(next, parse).await;
        }
        let error;
        (joined, error) = pages.join(joined, joinable(&mut next, parse).await?).await?;
        body.error = body.error.or(error);
        if joined.done() > done {
            report(progress, &joined);
        }
    }
    body.error = body::joined(body.error, joined.shortfall());
    body.value = pages.work(joined.len(), move || joined.finish()).await?.into();
    finished(first, body, parse).await
}

/// The pages of one call.
struct Pages<'a, 'b> {
    retry: &'a mut Retry<'b>,
    request: &'a mut Request,
    deadline: Instant,
    max_bytes: u64,
    /// What is left of them.
    left: u64,
}

impl Pages<'_, '_> {
    /// The page that begins with entry `start`.
    async fn get(&mut self, start: u64) -> Result<Fetched, HttpError> {
        ask_for_page(self.request, start, PAGE_SIZE);
        let page = receive::fetch(self.retry, self.request, Some(self.left), self.deadline).await;
        let page = page.map_err(|error| of_limit(error, self.max_bytes))?;
        let length = u64::try_from(page.body.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(length);
        Ok(page)
    }

    /// Adds a page; gives what was wrong with it, too.
    async fn join(
        &self,
        mut joined: Joined,
        page: Decoded,
    ) -> Result<(Joined, Option<String>), PlexError> {
        let (length, text) = (page.value.len(), page.value.into_bytes());
        let add = move || joined.add(&text).map(|_| joined);
        match self.work(length, add).await? {
            Ok(joined) => Ok((joined, page.error)),
            Err(reason) => Err(no_page(reason, page.error.as_deref())),
        }
    }

    /// Does `work` on so many bytes within the call's time.
    async fn work<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HttpError> {
        let peer = || host_and_port(&self.request.url);
        work::on(bytes, self.deadline, peer, move |_| Ok(work())).await
    }
}

/// A page as the JSON text that is joined; where the caller wants the bytes, as they came.
async fn joinable(page: &mut Fetched, parse: Parse) -> Result<Decoded, HttpError> {
    match parse {
        Parse::Auto | Parse::Json | Parse::Xml => page.decode(parse).await,
        Parse::Text | Parse::Base64 | Parse::None => Ok(Decoded {
            value: Bytes::from(mem::take(&mut page.body)).into(),
            encoding: BodyEncoding::Json,
            error: None,
        }),
    }
}

/// What [`joinable`] left to do, once all pages are there.
async fn finished(
    mut first: Fetched,
    body: Decoded,
    parse: Parse,
) -> Result<(Fetched, Decoded), PlexError> {
    match parse {
        Parse::Auto | Parse::Json | Parse::Xml => Ok((first, body)),
        Parse::Text | Parse::Base64 | Parse::None => {
            first.body = body.value.into_bytes().into();
            let (first, mut whole) = decoded(first, parse).await?;
            whole.error = body::joined(whole.error, body.error);
            Ok((first, whole))
        }
    }
}

async fn decoded(mut answer: Fetched, parse: Parse) -> Result<(Fetched, Decoded), PlexError> {
    let body = answer.decode(parse).await?;
    Ok((answer, body))
}

fn no_page(reason: &str, error: Option<&str>) -> PlexError {
    let error = error.map(|error| format!(" ({error})")).unwrap_or_default();
    let reason = format!("the pages can't be joined: {reason}{error}");
    let hint = "ask for them without `all_pages`";
    HttpError::unreachable(UnreachableKind::Protocol, reason, hint).into()
}

fn report(progress: Progress<'_>, joined: &Joined) {
    if let Some(progress) = progress {
        progress(joined.done(), joined.total());
    }
}
