//! Where a reply waits for its caller: a thread, or a task of any runtime.

use std::sync::{Condvar, Mutex, PoisonError};
use std::task::Waker;
use std::time::Instant;

use plexsync_protocol::message::Progress;
use serde_json::value::RawValue;

use crate::error::CallError;
use crate::locked;

/// A result as the worker wrote it, or why there is none.
pub(crate) type Answer = Result<Box<RawValue>, CallError>;

/// What came since it was last looked at. Of progress only the newest is kept.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) progress: Option<Progress>,
    pub(crate) answer: Option<Answer>,
}

#[derive(Debug, Default)]
struct State {
    news: News,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

impl Slot {
    pub(crate) fn complete(&self, answer: Answer) {
        self.change(|news| news.answer = Some(answer));
    }

    pub(crate) fn progress(&self, progress: Progress) {
        self.change(|news| news.progress = Some(progress));
    }

    /// Makes its task look at the clock.
    pub(crate) fn wake(&self) {
        self.change(|_| ());
    }

    fn change(&self, change: impl FnOnce(&mut News)) {
        let mut state = locked(&self.state);
        change(&mut state.news);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes what has come; `waker` is woken when more does.
    pub(crate) fn poll(&self, waker: &Waker) -> News {
        let mut state = locked(&self.state);
        state.waker = Some(waker.clone());
        std::mem::take(&mut state.news)
    }

    /// Waits until something has come, or until the deadline.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> News {
        let mut state = locked(&self.state);
        while state.news.answer.is_none() && state.news.progress.is_none() {
            state = match deadline.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => break,
                Some(left) => {
                    let woken = self.changed.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        std::mem::take(&mut state.news)
    }
}
