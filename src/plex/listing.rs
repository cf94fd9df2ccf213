//! A listing in pages, fetched one after the other and joined.

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::{BodyEncoding, PAGE_SIZE};

use super::answer::{beside, decode};
use super::body::Decoded;
use super::error::PlexError;
use super::fetch::{Fetch, Fetched, Reading};
use super::pages::Joined;
use super::plan::{Plan, ask_for_page};

/// Told after each page: entries so far, and how many there are, where that is known.
pub(super) type Progress<'a> = Option<&'a (dyn Fn(u64, Option<u64>) + Send + Sync)>;

/// Fetches all pages. Head and URL of the answer are those of the first one.
///
/// What is no listing is answered as it is, and so is a page that Plex answers with an error.
pub(super) async fn fetch(
    fetch: &mut Fetch<'_>,
    plan: &mut Plan,
    progress: Progress<'_>,
) -> Result<(Fetched, Decoded), PlexError> {
    let (first, decoded) = page(fetch, plan, 0, 0).await?;
    let Decoded { value, encoding, error } = decoded;
    if !first.status.is_success() || !is_joinable(encoding) {
        return Ok((first, Decoded { value, encoding, error }));
    }
    let bytes = value.into_bytes();
    let mut joined = match beside(bytes.len(), move || Joined::new(bytes)).await {
        Some(Ok(joined)) => joined,
        Some(Err(bytes)) => return Ok((first, Decoded { value: bytes.into(), encoding, error })),
        None => return Err(unjoinable("the worker stops")),
    };
    report(progress, &joined);
    while !joined.is_complete() {
        let (next, decoded) = page(fetch, plan, joined.done(), joined.bytes()).await?;
        if !next.status.is_success() {
            return Ok((next, decoded));
        }
        let new = joined.add(decoded.value.into_bytes()).map_err(|reason| unjoinable(&reason))?;
        if new == 0 {
            break;
        }
        report(progress, &joined);
    }
    Ok((first, Decoded { value: joined.finish().into(), encoding, error: None }))
}

/// Only what can be read as JSON can be joined.
fn is_joinable(encoding: BodyEncoding) -> bool {
    matches!(encoding, BodyEncoding::Json | BodyEncoding::Xml)
}

fn unjoinable(reason: &str) -> PlexError {
    let message = format!("the listing can't be joined: {reason}");
    PlexError::unreachable(UnreachableKind::Protocol, message)
}

/// Fetches the page that begins with entry `start`, and decodes it, where `used` bytes of the limit are taken.
async fn page(
    fetch: &mut Fetch<'_>,
    plan: &mut Plan,
    start: u64,
    used: u64,
) -> Result<(Fetched, Decoded), PlexError> {
    ask_for_page(&mut plan.request, start, PAGE_SIZE);
    let rest = Reading::UpTo(plan.max_bytes.saturating_sub(used));
    let page = fetch.get(&plan.request, rest).await;
    let mut page = page.map_err(|error| whole(error, plan.max_bytes))?;
    let decoded = decode(plan.parse, &mut page).await;
    Ok((page, decoded))
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
