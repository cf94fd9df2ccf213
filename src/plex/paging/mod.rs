//! A listing in pages, fetched one after the other and joined.

pub(crate) mod join;
pub(crate) mod page;

use std::mem;

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::{BodyEncoding, PAGE_SIZE, Parse};

use crate::http::Request;
use crate::http::error::HttpError;
use crate::http::retry::Retry;
use crate::plex::error::PlexError;
use crate::plex::paging::join::Joined;
use crate::plex::request::ask_for_page;
use crate::plex::response::decode::Decoded;
use crate::plex::response::receive::{self, Fetched, Received};

/// Told after each page: entries so far, and how many there are, where that is known.
pub(crate) type Progress<'a> = Option<&'a (dyn Fn(u64, Option<u64>) + Send + Sync)>;

/// What the caller wants of the listing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// As what the listing is read.
    pub(crate) parse: Parse,
    /// Most bytes of all pages together, as they came.
    pub(crate) max_bytes: u64,
}

/// Fetches all pages, and gives the head of the first one and the joined body.
///
/// What is no listing is answered as it is, and so is a page that Plex answers with an error.
pub(crate) async fn fetch(
    retry: &mut Retry<'_>,
    request: &mut Request,
    wanted: Wanted,
    progress: Progress<'_>,
) -> Result<(Fetched, Decoded), PlexError> {
    let Wanted { parse, max_bytes } = wanted;
    let mut first = page(retry, request, 0, wanted).await.map_err(|e| whole(e, max_bytes))?;
    if !first.head.status.is_success() {
        return Ok(decoded(first, parse).await);
    }
    let mut rest = max_bytes.saturating_sub(length(&first));
    let Decoded { value, encoding, error } = joinable(&mut first, parse).await;
    let mut joined = match Joined::new(value.into_bytes()) {
        Ok(joined) => joined,
        Err(text) => {
            let body = Decoded { value: text.into(), encoding, error };
            return Ok(finished(first, body, parse).await);
        }
    };
    report(progress, &joined);
    while !joined.is_complete() {
        let next = page(retry, request, joined.done(), Wanted { parse, max_bytes: rest }).await;
        let mut next = next.map_err(|e| whole(e, max_bytes))?;
        if !next.head.status.is_success() {
            return Ok(decoded(next, parse).await);
        }
        rest = rest.saturating_sub(length(&next));
        let text = joinable(&mut next, parse).await.value.into_bytes();
        if joined.add(text).map_err(no_page)? == 0 {
            break;
        }
        report(progress, &joined);
    }
    let body = Decoded { value: joined.finish().into(), encoding, error };
    Ok(finished(first, body, parse).await)
}

/// A page as the JSON text that is joined; where the caller wants the bytes, as they came.
async fn joinable(page: &mut Fetched, parse: Parse) -> Decoded {
    match parse {
        Parse::Auto | Parse::Json | Parse::Xml => page.decode(parse).await,
        Parse::Text | Parse::Base64 | Parse::None => Decoded {
            value: mem::take(&mut page.body).into_bytes().into(),
            encoding: BodyEncoding::Json,
            error: None,
        },
    }
}

/// What [`joinable`] left to do, once all pages are there.
async fn finished(mut first: Fetched, body: Decoded, parse: Parse) -> (Fetched, Decoded) {
    match parse {
        Parse::Auto | Parse::Json | Parse::Xml => (first, body),
        Parse::Text | Parse::Base64 | Parse::None => {
            first.body = Received::Bytes(body.value.into_bytes());
            decoded(first, parse).await
        }
    }
}

async fn decoded(mut answer: Fetched, parse: Parse) -> (Fetched, Decoded) {
    let body = answer.decode(parse).await;
    (answer, body)
}

fn no_page(reason: String) -> PlexError {
    let reason = format!("a later page of the listing can't be joined: {reason}");
    let hint = "ask for it without `all_pages`";
    HttpError::unreachable(UnreachableKind::Protocol, reason, hint).into()
}

fn length(page: &Fetched) -> u64 {
    u64::try_from(page.body.len()).unwrap_or(u64::MAX)
}

async fn page(
    retry: &mut Retry<'_>,
    request: &mut Request,
    start: u64,
    Wanted { parse, max_bytes }: Wanted,
) -> Result<Fetched, HttpError> {
    ask_for_page(request, start, PAGE_SIZE);
    receive::fetch(retry, request, parse, Some(max_bytes)).await
}

/// The limit is for the sum: a page that breaks it is told with the limit of the call.
fn whole(error: HttpError, max_bytes: u64) -> PlexError {
    match error {
        HttpError::TooLarge { .. } => HttpError::TooLarge { max_bytes }.into(),
        other => other.into(),
    }
}

fn report(progress: Progress<'_>, joined: &Joined) {
    if let Some(progress) = progress {
        progress(joined.done(), joined.total());
    }
}
