//! Work on a body: on another thread if it is long, and stopped when its call has ended.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plexsync_protocol::error::TimeoutPhase;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use crate::http::error::HttpError;

/// How much work is done between two looks at [`Stop`], in bytes.
pub(crate) const PIECE: usize = 256 * 1024;

/// Whether work goes on without anybody who waits for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

/// The call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl Stop {
    /// To be called after each [`PIECE`].
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if self.0.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }
}

struct StopOnDrop(Stop, AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
        // Work that has not begun: what it holds is given back at once.
        self.1.abort();
    }
}

/// Does `work` on so many `bytes` of the answer from `peer`, a host and port: much of it on a thread for blocking work,
/// until the deadline or until the call is dropped.
pub(crate) async fn on<T: Send + 'static>(
    bytes: usize,
    deadline: Instant,
    peer: impl Fn() -> String,
    work: impl FnOnce(&Stop) -> Result<T, Stopped> + Send + 'static,
) -> Result<T, HttpError> {
    let stop = Stop::default();
    if bytes <= PIECE {
        return work(&stop).map_err(|Stopped| timed_out(&peer()));
    }
    let flag = stop.clone();
    let working = spawn_blocking(move || work(&flag));
    let _until_the_end = StopOnDrop(stop, working.abort_handle());
    match timeout_at(deadline, working).await {
        Ok(Ok(Ok(outcome))) => Ok(outcome),
        Ok(Err(failed)) if failed.is_panic() => resume_unwind(failed.into_panic()),
        // The time is over, or the runtime ends.
        Err(_) | Ok(Err(_) | Ok(Err(Stopped))) => Err(timed_out(&peer())),
    }
}

/// The time was over before the body was decoded.
fn timed_out(peer: &str) -> HttpError {
    HttpError::timeout(
        TimeoutPhase::Body,
        format!("the body from `{peer}` was not decoded in time"),
        "raise `timeout_ms` or ask for less",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Work without an end: reports its begin and end.
    fn endless(events: mpsc::Sender<&'static str>) -> impl FnOnce(&Stop) -> Result<(), Stopped> {
        move |stop| {
            events.send("begun").unwrap();
            while stop.check().is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
            events.send("ended").unwrap();
            Err(Stopped)
        }
    }

    #[tokio::test]
    async fn work_ends_with_the_time_of_the_call() {
        let (sender, events) = mpsc::channel();
        let deadline = Instant::now() + Duration::from_millis(50);
        let error = on(usize::MAX, deadline, || "plex:32400".to_owned(), endless(sender))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::Timeout { phase: TimeoutPhase::Body, .. }));
        assert!(error.to_string().contains("`plex:32400`"), "{error}");
        assert_eq!(events.iter().collect::<Vec<_>>(), ["begun", "ended"]);
    }

    #[tokio::test]
    async fn work_ends_when_the_call_is_cancelled() {
        let (sender, events) = mpsc::channel();
        let deadline = Instant::now() + Duration::from_secs(3600);
        let working = on(usize::MAX, deadline, || "plex:32400".to_owned(), endless(sender));
        assert!(tokio::time::timeout(Duration::from_millis(50), working).await.is_err());
        assert_eq!(events.iter().last(), Some("ended"));
    }
}
