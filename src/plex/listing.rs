//! A listing in pages, fetched one after the other and joined.

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::PAGE_SIZE;
use reqwest::Request;

use super::error::PlexError;
use super::fetch::{Fetch, Fetched, Reading};
use super::pages::Joined;
use super::plan::ask_for_page;

/// Told after each page: entries so far, and how many there are, where that is known.
pub(super) type Progress<'a> = Option<&'a (dyn Fn(u64, Option<u64>) + Send + Sync)>;

/// Fetches all pages. Head and URL of the answer are those of the first one.
///
/// What is no listing is answered as it is, and so is a page that Plex answers with an error.
pub(super) async fn fetch(
    fetch: &mut Fetch<'_>,
    request: &mut Request,
    max_bytes: u64,
    progress: Progress<'_>,
) -> Result<Fetched, PlexError> {
    let first = page(fetch, request, 0, max_bytes).await.map_err(|e| whole(e, max_bytes))?;
    if !first.status.is_success() {
        return Ok(first);
    }
    let Fetched { status, headers, url, bytes } = first;
    let mut joined = match Joined::new(bytes) {
        Ok(joined) => joined,
        Err(bytes) => return Ok(Fetched { status, headers, url, bytes }),
    };
    report(progress, &joined);
    while !joined.is_complete() {
        let rest = max_bytes.saturating_sub(joined.bytes());
        let next =
            page(fetch, request, joined.done(), rest).await.map_err(|e| whole(e, max_bytes))?;
        if !next.status.is_success() {
            return Ok(next);
        }
        let new = joined.add(next.bytes).map_err(|reason| {
            let message = format!("a later page of the listing can't be joined: {reason}");
            PlexError::unreachable(UnreachableKind::Protocol, message)
        })?;
        if new == 0 {
            break;
        }
        report(progress, &joined);
    }
    Ok(Fetched { status, headers, url, bytes: joined.finish() })
}

async fn page(
    fetch: &mut Fetch<'_>,
    request: &mut Request,
    start: u64,
    max_bytes: u64,
) -> Result<Fetched, PlexError> {
    ask_for_page(request, start, PAGE_SIZE);
    fetch.get(request, Reading::UpTo(max_bytes)).await
}

/// The limit is for the sum: a page that breaks it is told with the limit of the call.
fn whole(error: PlexError, max_bytes: u64) -> PlexError {
    match error {
        PlexError::TooLarge { .. } => PlexError::TooLarge { max_bytes },
        other => other,
    }
}

fn report(progress: Progress<'_>, joined: &Joined) {
    if let Some(progress) = progress {
        progress(joined.done(), joined.total());
    }
}
