//! The HTTP client: one that keeps connections and one that makes a new one for each request.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::http::Request;
use crate::http::connect::Connector;
use crate::http::error::{HttpError, Peer};
use crate::http::proxy::ProxySettings;
use crate::http::redirect::Clean;
use crate::http::tls::Trust;

/// How long an unused connection is kept. Plex closes its end after 20 s (`Keep-Alive: timeout=20`).
const IDLE: Duration = Duration::from_secs(15);
/// Most unused connections that are kept to one server: a host that sends a burst of calls sends the next one, too.
const MAX_IDLE: usize = 32;

/// Whether a request may go over a connection that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// It may: if the connection turns out to be dead, the request can be sent again.
    Pooled,
    /// It must not: the server may have closed its end, and the request can't be sent twice.
    Fresh,
}

/// What requests go through. Nothing is opened or read before the first one.
pub(crate) struct Clients {
    trust: Trust,
    /// For redirects' targets.
    pub(crate) clean: Clean,
    pub(crate) connector: Connector,
    pooled: Client<Connector, Full<Bytes>>,
    fresh: Client<Connector, Full<Bytes>>,
}

impl Clients {
    /// Clients that trust these, and reach https targets through `proxy`. Where a redirect leads is cleaned before it is
    /// followed.
    pub(crate) fn new(trust: Trust, proxy: ProxySettings, clean: Clean) -> Self {
        let connector = Connector::new(trust.clone(), proxy);
        let pooled = build(connector.clone(), MAX_IDLE);
        let fresh = build(connector.clone(), 0);
        Self { trust, clean, connector, pooled, fresh }
    }

    /// The user's own authorities.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        match &self.trust {
            Trust::Roots(ca_file) => ca_file.as_deref(),
            _ => None,
        }
    }

    /// Sends a request.
    pub(crate) fn send(
        &self,
        request: &Request,
        reuse: Reuse,
        peer: &Peer,
    ) -> Result<ResponseFuture, HttpError> {
        let request = request.to_hyper().ok_or_else(|| peer.unsendable())?;
        Ok(match reuse {
            Reuse::Pooled => self.pooled.request(request),
            Reuse::Fresh => self.fresh.request(request),
        })
    }
}

/// HTTP/1.1 only (Plex speaks nothing else), without repetitions of the library's own. Old ways to write a header
/// (RFC 9112, sections 5.1 and 5.2) are read as every browser reads them.
fn build(connector: Connector, max_idle: usize) -> Client<Connector, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .http1_title_case_headers(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .retry_canceled_requests(false)
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(max_idle)
        .build(connector)
}
