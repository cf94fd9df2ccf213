//! Watches connections being made: the time limit of each, and which request needed one.
//!
//! The HTTP library has one connect timeout for a client and does not tell whether a request went over an old
//! connection. A layer around its connector does both for the request at hand, which travels as a task-local value:
//! the connector runs inside the request's own future.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

tokio::task_local! {
    static WATCH: Arc<Watch>;
}

/// A connection took longer than its request allows.
#[derive(Debug, thiserror::Error)]
#[error("the connection took too long")]
pub(crate) struct ConnectTimedOut;

/// One sending of a request, seen from its connection.
#[derive(Debug)]
pub(crate) struct Watch {
    limit: Duration,
    connecting: AtomicBool,
    connected: AtomicBool,
}

impl Watch {
    /// A watch for a request whose connection may take `limit`, the resolution of the name included.
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            connecting: AtomicBool::new(false),
            connected: AtomicBool::new(false),
        })
    }

    /// Runs the sending of a request under this watch.
    pub(crate) async fn over<T>(self: Arc<Self>, sending: impl Future<Output = T>) -> T {
        WATCH.scope(self, sending).await
    }

    /// Whether a connection is being made right now.
    pub(crate) fn is_connecting(&self) -> bool {
        self.connecting.load(Relaxed)
    }

    /// Whether a new connection was made; if not, the request went over an old one.
    pub(crate) fn has_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    async fn connect<T>(
        &self,
        connecting: impl Future<Output = Result<T, BoxError>>,
    ) -> Result<T, BoxError> {
        self.connecting.store(true, Relaxed);
        let outcome = tokio::time::timeout(self.limit, connecting).await;
        self.connecting.store(false, Relaxed);
        let connection = outcome.map_err(|_| ConnectTimedOut)??;
        self.connected.store(true, Relaxed);
        Ok(connection)
    }
}

/// The layer around a client's connector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watching;

impl<S> Layer<S> for Watching {
    type Service = Watched<S>;

    fn layer(&self, connector: S) -> Watched<S> {
        Watched(connector)
    }
}

/// A connector whose work is watched.
#[derive(Debug, Clone)]
pub(crate) struct Watched<S>(S);

impl<S, T> Service<T> for Watched<S>
where
    S: Service<T, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let connecting = self.0.call(target);
        match WATCH.try_with(Arc::clone) {
            Ok(watch) => Box::pin(async move { watch.connect(connecting).await }),
            // A connection that the pool makes for itself.
            Err(_) => Box::pin(connecting),
        }
    }
}
