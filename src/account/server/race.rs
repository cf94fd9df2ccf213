//! Which of a server's candidates is taken: all are asked at once, and the best of the quick ones wins.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

use super::candidates::{By, Candidate};
use crate::http::error::HttpError;

/// How long a better one is waited for, once one has answered.
const GRACE: Duration = Duration::from_secs(1);

/// What became of one candidate.
type Tried<T> = (Candidate, Result<T, HttpError>);

/// Why none is taken: what the best one failed with.
type Failed = Option<(By, HttpError)>;

/// Tries the candidates, and gives the best that `prove` takes: https before plain http, which is only tried when every
/// https one has failed, before the relay, which is slow.
///
/// # Errors
/// What the best candidate failed with; `None` if there is none.
pub(super) async fn best<T, P>(
    candidates: Vec<Candidate>,
    prove: impl Fn(Candidate) -> P,
) -> Result<(Candidate, T), Option<HttpError>>
where
    P: Future<Output = Tried<T>>,
{
    let mut failure: Failed = None;
    for stage in 0..3 {
        let stage = candidates.iter().filter(|candidate| self::stage(candidate) == stage);
        let mut trying: FuturesUnordered<_> = stage.cloned().map(&prove).collect();
        if let Some(found) = first_and_best(&mut trying, &mut failure).await {
            return Ok(found);
        }
    }
    Err(failure.map(|(_, error)| error))
}

fn stage(candidate: &Candidate) -> u8 {
    match (candidate.by, candidate.is_secure()) {
        (By::Relay, _) => 2,
        (_, false) => 1,
        (_, true) => 0,
    }
}

async fn first_and_best<T, P: Future<Output = Tried<T>>>(
    trying: &mut FuturesUnordered<P>,
    failure: &mut Failed,
) -> Option<(Candidate, T)> {
    let first = next(trying, failure).await?;
    let by = first.0.by;
    if by == By::Local {
        return Some(first);
    }
    let better = async {
        while let Some(other) = next(trying, failure).await {
            if other.0.by < by {
                return Some(other);
            }
        }
        None
    };
    Some(timeout(GRACE, better).await.ok().flatten().unwrap_or(first))
}

/// The next one that is proved. Of the failures that of the best candidate is kept.
async fn next<T, P: Future<Output = Tried<T>>>(
    trying: &mut FuturesUnordered<P>,
    failure: &mut Failed,
) -> Option<(Candidate, T)> {
    while let Some((candidate, outcome)) = trying.next().await {
        match outcome {
            Ok(found) => return Some((candidate, found)),
            Err(error) if failure.as_ref().is_none_or(|(by, _)| candidate.by < *by) => {
                *failure = Some((candidate.by, error));
            }
            Err(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use plexsync_protocol::error::UnreachableKind;
    use tokio::time::{Instant, sleep};
    use url::Url;

    use super::*;

    /// Candidates by name, how they lead there, and after which time they answer, in milliseconds; a negative one is
    /// that of a failure. Gives the URL that is taken or whose failure is told.
    async fn race(list: &[(&str, By, i64)]) -> (Result<String, String>, u128, Vec<String>) {
        let candidate =
            |(url, by, _): &(&str, By, i64)| Candidate { url: Url::parse(url).unwrap(), by: *by };
        let asked = RefCell::new(Vec::new());
        let prove = |candidate: Candidate| {
            asked.borrow_mut().push(candidate.url.to_string());
            let (_, _, time) =
                *list.iter().find(|(url, ..)| Url::parse(url).unwrap() == candidate.url).unwrap();
            async move {
                sleep(Duration::from_millis(time.unsigned_abs())).await;
                let url = candidate.url.to_string();
                let failed = HttpError::unreachable(UnreachableKind::Connect, url, "wait");
                (candidate, if time < 0 { Err(failed) } else { Ok(()) })
            }
        };
        let start = Instant::now();
        let found = best(list.iter().map(candidate).collect(), prove).await;
        let found = match found {
            Ok((candidate, ())) => Ok(candidate.url.to_string()),
            Err(Some(HttpError::Unreachable { reason, .. })) => Err(reason),
            Err(other) => Err(format!("{other:?}")),
        };
        (found, start.elapsed().as_millis(), asked.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn the_best_of_the_quick_ones_is_taken() {
        use By::{Local, Relay, Remote};
        for (list, expected, elapsed) in [
            // A local one ends the race.
            (&[("https://r", Remote, 900), ("https://l", Local, 300)][..], Some("https://l/"), 300),
            (&[("https://a", Local, 200), ("https://b", Local, 100)], Some("https://b/"), 100),
            // A remote one waits a second for it, and no longer.
            (&[("https://r", Remote, 100), ("https://l", Local, 1000)], Some("https://l/"), 1000),
            (&[("https://r", Remote, 100), ("https://l", Local, 1200)], Some("https://r/"), 1100),
            (&[("https://r", Remote, 100), ("https://l", Local, -300)], Some("https://r/"), 300),
            (&[("https://r", Remote, 100)], Some("https://r/"), 100),
            (&[("https://a", Remote, 100), ("https://b", Remote, 200)], Some("https://a/"), 200),
            // Plain http only when every https one has failed, even if it would have been quick.
            (&[("http://l", Local, 10), ("https://r", Remote, 2900)], Some("https://r/"), 2900),
            (&[("http://l", Local, 10), ("https://r", Remote, -3000)], Some("http://l/"), 3010),
            // The relay is the last.
            (&[("https://y", Relay, 10), ("http://l", Local, 500)], Some("http://l/"), 500),
            (&[("https://y", Relay, 10), ("https://r", Remote, -100)], Some("https://y/"), 110),
            (&[("https://y", Relay, -10), ("https://r", Remote, -100)], None, 110),
            (&[], None, 0),
        ] {
            let (found, time, _) = race(list).await;
            assert_eq!((found.ok().as_deref(), time), (expected, elapsed), "{list:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_best_one_failed_with_is_told() {
        use By::{Local, Relay, Remote};
        for (list, told) in [
            (&[("https://r", Remote, -10), ("https://l", Local, -20)][..], "https://l/"),
            (&[("https://l", Local, -10), ("https://r", Remote, -20)], "https://l/"),
            (&[("https://a", Local, -10), ("https://b", Local, -20)], "https://a/"),
            (&[("https://r", Remote, -10), ("https://y", Relay, -10)], "https://r/"),
            (&[], "None"),
        ] {
            assert_eq!(race(list).await.0, Err(told.to_owned()), "{list:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_worse_is_not_even_asked() {
        let list = [
            ("https://l", By::Local, 10),
            ("http://l", By::Local, 10),
            ("https://y", By::Relay, 10),
        ];
        assert_eq!(race(&list).await.2, ["https://l/"]);
    }
}
