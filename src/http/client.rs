//! The HTTP clients: each is made at the first request that needs it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::plex::CONNECT_TIMEOUT_MS;
use reqwest::{Client, NoProxy, Proxy, Url};
use rustls::ClientConfig;
use tokio::sync::OnceCell;

use crate::http::connect::Watching;
use crate::http::error::HttpError;
use crate::http::redirect::Clean;
use crate::http::resolver::plex_direct::Names;
use crate::http::tls;

/// How long an unused connection is kept. Plex closes its end after 20 s (`Keep-Alive: timeout=20`).
const IDLE: Duration = Duration::from_secs(15);
/// Most unused connections that are kept to one server: a host that sends a burst of calls sends the next one, too.
const MAX_IDLE: usize = 32;

/// A proxy for https targets, as the environment names it (`HTTPS_PROXY`, `NO_PROXY`). Plain http never goes through
/// one: the token would be readable there.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    /// URL of the proxy, perhaps with a user name and password.
    pub https: Option<String>,
    /// Hosts that are reached without it, as a list with commas.
    pub no_proxy: Option<String>,
}

/// Whether a request may go over a connection that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// It may: if the connection turns out to be dead, the request can be sent again.
    Pooled,
    /// It must not: the server may have closed its end, and the request can't be sent twice.
    Fresh,
}

/// All clients, none of them made yet.
pub(crate) struct Clients {
    ca_file: Option<PathBuf>,
    proxy: ProxySettings,
    /// For redirects' targets.
    pub(crate) clean: Clean,
    roots: OnceCell<ClientConfig>,
    plain: Lane,
    secure: Lane,
}

#[derive(Default)]
struct Lane {
    pooled: OnceCell<Client>,
    fresh: OnceCell<Client>,
}

impl Lane {
    fn cell(&self, reuse: Reuse) -> &OnceCell<Client> {
        match reuse {
            Reuse::Pooled => &self.pooled,
            Reuse::Fresh => &self.fresh,
        }
    }
}

impl Clients {
    /// Clients that trust `ca_file` beside the system's roots and reach https targets through `proxy`. Where a redirect
    /// leads is cleaned before it is followed.
    pub(crate) fn new(ca_file: Option<PathBuf>, proxy: ProxySettings, clean: Clean) -> Self {
        Self {
            ca_file,
            proxy,
            clean,
            roots: OnceCell::new(),
            plain: Lane::default(),
            secure: Lane::default(),
        }
    }

    /// The user's own authorities.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Whether https targets are reached through a proxy.
    pub(crate) fn has_proxy(&self) -> bool {
        self.proxy.https.is_some()
    }

    /// The client for a URL. What failed to be made is tried again at the next call.
    pub(crate) async fn get(&self, url: &Url, reuse: Reuse) -> Result<&Client, HttpError> {
        match url.scheme() {
            "https" => {
                let cell = self.secure.cell(reuse);
                cell.get_or_try_init(|| self.make_secure(reuse)).await
            }
            _ => {
                let cell = self.plain.cell(reuse);
                cell.get_or_try_init(|| async { build(tls::trusting_nobody()?, reuse, None) }).await
            }
        }
    }

    async fn make_secure(&self, reuse: Reuse) -> Result<Client, HttpError> {
        let roots = self.roots.get_or_try_init(|| self.load_roots()).await?;
        build(roots.clone(), reuse, self.make_proxy()?)
    }

    /// Reads the roots beside the event loop: a keychain can take its time.
    async fn load_roots(&self) -> Result<ClientConfig, HttpError> {
        let ca_file = self.ca_file.clone();
        let loading = tokio::task::spawn_blocking(move || tls::trusting(ca_file.as_deref()));
        loading.await.unwrap_or_else(|_| {
            let reason = "reading the CA certificates failed";
            Err(HttpError::unreachable(UnreachableKind::Tls, reason, "try again"))
        })
    }

    fn make_proxy(&self) -> Result<Option<Proxy>, HttpError> {
        let Some(url) = &self.proxy.https else { return Ok(None) };
        let exceptions = self.proxy.no_proxy.as_deref().and_then(NoProxy::from_string);
        match Proxy::https(url) {
            Ok(proxy) => Ok(Some(proxy.no_proxy(exceptions))),
            Err(_) => Err(HttpError::unreachable(
                UnreachableKind::Connect,
                "the https proxy in the environment is not a URL",
                "expected `http://host:port` in `HTTPS_PROXY`",
            )),
        }
    }
}

/// HTTP/1.1 only (Plex speaks nothing else), no redirects, referer, cookies or repetitions of the library's own.
fn build(trust: ClientConfig, reuse: Reuse, proxy: Option<Proxy>) -> Result<Client, HttpError> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(trust)
        .no_proxy()
        .http1_only()
        .http1_title_case_headers()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .dns_resolver(Names)
        .connector_layer(Watching)
        // Shared among a name's addresses; the limit of a single call is the watch's.
        .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(match reuse {
            Reuse::Pooled => MAX_IDLE,
            Reuse::Fresh => 0,
        });
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|_| {
        let reason = "the HTTP client can't be made";
        HttpError::unreachable(UnreachableKind::Connect, reason, "try again")
    })
}
