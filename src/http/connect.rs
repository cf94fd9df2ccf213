//! Connections: to the server or its proxy, TLS over them, and the time that each may take.
//!
//! The client has no connect timeout of its own for a single request, and does not report whether it used an old
//! connection. The connector does both for the request at hand, which travels as a task-local value: it runs inside the
//! request's own future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::CONNECT_TIMEOUT_MS;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;
use url::Url;

use crate::http::error::{HttpError, Peer};
use crate::http::proxy::{ProxySettings, tunnel};
use crate::http::resolver::plex_direct::Names;
use crate::http::stream::{Io, Stream};
use crate::http::tls::{self, Trust};

tokio::task_local! {
    static WATCH: Arc<Watch>;
}

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
        peer: &Peer,
        connecting: impl Future<Output = Result<T, HttpError>>,
    ) -> Result<T, HttpError> {
        self.connecting.store(true, Relaxed);
        let outcome = tokio::time::timeout(self.limit, connecting).await;
        self.connecting.store(false, Relaxed);
        let connection = outcome.map_err(|_| peer.connect_timeout())??;
        self.connected.store(true, Relaxed);
        Ok(connection)
    }
}

/// Makes connections. Clones share what was read for TLS.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Settings>);

struct Settings {
    tcp: HttpConnector<Names>,
    trust: Trust,
    tls: OnceCell<TlsConnector>,
    proxy: ProxySettings,
}

impl Connector {
    /// A connector that trusts these, and reaches https targets through `proxy`. Nothing is read yet.
    pub(crate) fn new(trust: Trust, proxy: ProxySettings) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Names);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared among a name's addresses; the limit of a single call is the watch's.
        tcp.set_connect_timeout(Some(Duration::from_millis(CONNECT_TIMEOUT_MS)));
        Self(Arc::new(Settings { tcp, trust, tls: OnceCell::new(), proxy }))
    }

    /// The proxy for this target.
    pub(crate) fn proxy(&self, target: &Url) -> Result<Option<Url>, HttpError> {
        self.0.proxy.for_target(target)
    }

    async fn open(&self, target: &Url, peer: &Peer) -> Result<Stream, HttpError> {
        let mut io = match self.proxy(target)? {
            None => self.tcp(target, peer).await?,
            Some(proxy) => {
                let at = Peer::proxy(&proxy);
                let mut io = self.tcp(&proxy, &at).await?;
                if proxy.scheme() == "https" {
                    io = Box::new(self.tls(io, &proxy, &at).await?);
                }
                tunnel(&mut io, &proxy, target).await?;
                io
            }
        };
        if target.scheme() == "https" {
            io = Box::new(self.tls(io, target, peer).await?);
        }
        Ok(Stream::new(io))
    }

    /// A TCP connection to the host of this URL, which may have several addresses.
    pub(crate) async fn tcp(&self, url: &Url, peer: &Peer) -> Result<Box<dyn Io>, HttpError> {
        let uri: Uri = url.as_str().parse().map_err(|_| peer.unsendable())?;
        let mut tcp = self.0.tcp.clone();
        let connected = tcp.call(uri).await.map_err(|error| peer.no_connection(&error))?;
        Ok(Box::new(connected.into_inner()))
    }

    /// What was read for TLS. What failed to be read is tried again at the next call.
    pub(crate) async fn trusting(&self) -> Result<&TlsConnector, HttpError> {
        self.0.tls.get_or_try_init(|| load(self.0.trust.clone())).await
    }

    /// A TLS handshake with the server of this URL.
    pub(crate) async fn tls(
        &self,
        io: Box<dyn Io>,
        url: &Url,
        peer: &Peer,
    ) -> Result<TlsStream<Box<dyn Io>>, HttpError> {
        let connector = self.trusting().await?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|_| peer.unsendable())?;
        connector.connect(name, io).await.map_err(|error| peer.no_tls(&error))
    }
}

/// Reads the roots beside the runtime's own threads: a keychain can take its time.
async fn load(trust: Trust) -> Result<TlsConnector, HttpError> {
    let loading = tokio::task::spawn_blocking(move || tls::config(&trust));
    let config: ClientConfig = loading.await.unwrap_or_else(|_| {
        let reason = "reading the CA certificates failed";
        Err(HttpError::unreachable(UnreachableKind::Tls, reason, "try again"))
    })?;
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, HttpError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connector = self.clone();
        // None is there for a connection that the pool makes for itself.
        let watch = WATCH.try_with(Arc::clone).ok();
        Box::pin(async move {
            let target = Url::parse(&target.to_string()).map_err(|_| {
                HttpError::unreachable(
                    UnreachableKind::Connect,
                    "the URL can't be used",
                    "expected `http://host:port`",
                )
            })?;
            let peer = Peer::of(&target);
            if target.scheme() == "https" {
                // Roots that can't be read are the user's to fix, and the time that it takes is not the server's.
                connector.trusting().await?;
            }
            let opening = connector.open(&target, &peer);
            let stream = match watch {
                Some(watch) => watch.connect(&peer, opening).await?,
                None => opening.await?,
            };
            Ok(TokioIo::new(stream))
        })
    }
}
