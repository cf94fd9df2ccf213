//! A call before it is sent, and on its way.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use plexsync_protocol::message::Progress;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::client::Inner;
use crate::error::CallError;
use crate::slot::{Answer, News, Slot};
use crate::worker::Worker;

type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// A call that has not been sent yet: [`wait`](Call::wait) for it, `.await` it, or [`start`](Call::start) it.
#[must_use = "a call is not sent until `wait`, `.await` or `start`"]
pub struct Call<T> {
    client: Arc<Inner>,
    method: String,
    params: Result<Box<RawValue>, CallError>,
    timeout: Duration,
    on_progress: Option<OnProgress>,
    result: PhantomData<fn() -> T>,
}

/// A call on its way. Dropping it cancels the call; so does running out of time.
#[must_use = "dropping it cancels the call"]
pub struct Pending<T> {
    client: Arc<Inner>,
    /// Gone when nothing is left to cancel.
    sent: Option<(Arc<Worker>, u64)>,
    slot: Arc<Slot>,
    deadline: Option<Instant>,
    is_watched: bool,
    on_progress: Option<OnProgress>,
    result: PhantomData<fn() -> T>,
}

/// Cancels a call from elsewhere, while a thread or task waits for it.
#[derive(Clone)]
pub struct CancelHandle {
    sent: Option<(Weak<Worker>, u64)>,
}

impl<T: DeserializeOwned> Call<T> {
    pub(crate) fn new(
        client: Arc<Inner>,
        method: &str,
        params: Result<Box<RawValue>, CallError>,
        timeout: Duration,
    ) -> Self {
        let (method, on_progress, result) = (method.to_owned(), None, PhantomData);
        Self { client, method, params, timeout, on_progress, result }
    }

    /// How long to wait for the reply; then the call is cancelled and has [`CallError::Timeout`].
    ///
    /// The default is a little more than the worker's own `timeout_ms`, whose error says more.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks for progress: `report` gets the newest, while the call is waited for and in the thread that does.
    ///
    /// The `progress_token` is the client's; one in the params is replaced. Methods that know none refuse it.
    pub fn on_progress(self, report: impl FnMut(Progress) + Send + 'static) -> Self {
        Self { on_progress: Some(Box::new(report)), ..self }
    }

    /// Sends the call. If that fails, waiting for it says why.
    pub fn start(self) -> Pending<T> {
        let slot = Arc::new(Slot::default());
        let deadline = Instant::now().checked_add(self.timeout);
        let wants_progress = self.on_progress.is_some();
        let sent = self
            .params
            .and_then(|params| self.client.send(&self.method, params, wants_progress, &slot));
        let sent = match sent {
            Ok(sent) => Some(sent),
            Err(error) => {
                slot.complete(Err(error));
                None
            }
        };
        Pending {
            client: self.client,
            sent,
            slot,
            deadline,
            is_watched: false,
            on_progress: self.on_progress,
            result: PhantomData,
        }
    }

    /// Sends the call and waits for its result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait(self) -> Result<T, CallError> {
        self.start().wait()
    }
}

impl<T: DeserializeOwned> IntoFuture for Call<T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Pending<T>;

    fn into_future(self) -> Pending<T> {
        self.start()
    }
}

impl<T: DeserializeOwned> Pending<T> {
    /// Waits for the result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait(mut self) -> Result<T, CallError> {
        loop {
            let news = self.slot.wait(self.deadline);
            if let Some(result) = self.advance(news) {
                return result;
            }
        }
    }

    fn advance(&mut self, news: News) -> Option<Result<T, CallError>> {
        if let (Some(report), Some(progress)) = (&mut self.on_progress, news.progress) {
            report(progress);
        }
        if let Some(answer) = news.answer {
            self.sent = None;
            return Some(typed(answer));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.give_up();
            return Some(Err(CallError::Timeout));
        }
        None
    }
}

impl<T> Pending<T> {
    /// Asks the worker to cancel the call. Waiting for it then ends with [`CallError::Cancelled`], or with the result
    /// if that was faster.
    pub fn cancel(&self) {
        self.cancel_handle().cancel();
    }

    /// Cancels this call from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        let sent = self.sent.as_ref().map(|(worker, id)| (Arc::downgrade(worker), *id));
        CancelHandle { sent }
    }

    fn give_up(&mut self) {
        if let Some((worker, id)) = self.sent.take() {
            worker.give_up(id);
        }
    }
}

impl<T: DeserializeOwned> Future for Pending<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = self.get_mut();
        let news = pending.slot.poll(context.waker());
        if let Some(result) = pending.advance(news) {
            return Poll::Ready(result);
        }
        if let Some(deadline) = pending.deadline
            && !std::mem::replace(&mut pending.is_watched, true)
        {
            pending.client.watch(deadline, &pending.slot);
        }
        Poll::Pending
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl CancelHandle {
    /// Asks the worker to cancel the call. Does nothing if it has its reply.
    pub fn cancel(&self) {
        if let Some((worker, id)) = &self.sent
            && let Some(worker) = worker.upgrade()
        {
            worker.cancel(*id);
        }
    }
}

fn typed<T: DeserializeOwned>(answer: Answer) -> Result<T, CallError> {
    let result = answer?;
    match serde_json::from_str(result.get()) {
        Ok(typed) => Ok(typed),
        Err(error) => Err(CallError::unreadable(&error, Some(result))),
    }
}

impl<T> std::fmt::Debug for Call<T> {
    /// Params may hold a token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CancelHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.sent.as_ref().map(|(_, id)| id);
        formatter.debug_struct("CancelHandle").field("id", &id).finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.sent.as_ref().map(|(_, id)| id);
        formatter.debug_struct("Pending").field("id", &id).finish_non_exhaustive()
    }
}
