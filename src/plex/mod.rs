//! Requests to Plex, always as the same device. One request from start to end: [`request`] checks the params,
//! [`response::receive`] sends it and reads the answer, [`paging`] does so page by page, [`response::decode`] decodes
//! what came, [`response::result`] is the result. Nothing is built before the first request: no client, no TLS roots,
//! no resolver.

pub mod error;
mod events;
mod find;
mod listing;
pub(crate) mod paging;
mod refusal;
pub(crate) mod request;
pub(crate) mod response;
mod route;
mod scan;
mod sections;
mod wait;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::identity::Identity;
use plexsync_protocol::plex::{Parse, RequestParams};
use tokio::time::Instant;

pub use self::error::{NoSection, NoServer, PlexError};
pub use self::find::Item;
pub use self::refusal::Refusal;
pub use self::request::Limits;
pub use self::request::auth::{Account, TOKEN_HINT, refusal as token_refusal};
pub use self::request::url::{base_url, origin_of, same_origin, server_key};
pub use self::response::result::Answer;
pub use self::route::{Place, Router, Sending};
pub use self::scan::{ScanCall, Scanner};
pub use self::sections::Section;
pub use self::wait::{Listening, Waited};
pub use crate::http::probe::{Found, Step};
pub use crate::http::proxy::ProxySettings;
pub use plexsync_protocol::plex::MAX_TIMEOUT_MS;

use self::request::auth::advice;
use self::request::cache::Cache;
use self::request::url::Base;
use self::request::{PreparedRequest, headers, query};
use self::response::receive::fetch;
use self::route::{Routed, Routing};
use crate::http::client::Clients;
use crate::http::error::HttpError;
use crate::http::probe;
use crate::http::retry::{Retry, Route};
use crate::http::send::Sender;
use crate::http::tls::Trust;
use crate::secret::Secrets;

/// A Plex client. Clones share the connections; cheap to clone.
#[derive(Clone)]
pub struct Plex {
    clients: Arc<Clients>,
    secrets: Secrets,
    cache: Arc<Cache>,
}

/// What all calls have in common.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// PEM file with roots that are trusted beside the system's (`--plex-ca`).
    pub ca_file: Option<PathBuf>,
    /// The proxy for https targets.
    pub proxy: ProxySettings,
    /// Where tokens are remembered, so that the log's redactor knows them.
    pub secrets: Secrets,
}

/// Called after each page of a listing: entries so far, and how many there are, where that is known.
pub type Progress = Box<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// A call of `plex.request`.
pub struct RequestCall {
    /// Its params.
    pub params: RequestParams,
    /// The device that asks.
    pub identity: Arc<Identity>,
    /// The configured server and its token.
    pub account: Account,
    /// What the call gets where its params say nothing.
    pub limits: Limits,
    /// Called after each page of a listing.
    pub progress: Option<Progress>,
}

impl Plex {
    /// A client; nothing is opened, read or built yet.
    pub fn new(options: Options) -> Self {
        Self {
            clients: Arc::new(Clients::new(
                Trust::Roots(options.ca_file),
                options.proxy,
                query::strip,
            )),
            secrets: options.secrets,
            cache: Arc::default(),
        }
    }

    /// Its connections, for who asks the same servers.
    pub(crate) fn clients(&self) -> Arc<Clients> {
        Arc::clone(&self.clients)
    }

    /// Sends one request. Any HTTP answer is an [`Answer`], 401 and 503 too.
    ///
    /// The params are checked at once, the time runs from the future's first poll. Needs a tokio runtime with time
    /// and network. Dropping the future ends the request.
    ///
    /// # Errors
    /// [`PlexError`] if there is no response, or not one that the call accepts.
    pub fn request(
        &self,
        call: RequestCall,
    ) -> impl Future<Output = Result<Answer, PlexError>> + Send + 'static + use<> {
        let RequestCall { params, identity, account, limits, progress } = call;
        let prepared = self.prepare(&params, &identity, &account, limits);
        let plex = self.clone();
        async move { plex.send(prepared?, Instant::now(), progress).await }
    }

    fn prepare(
        &self,
        params: &RequestParams,
        identity: &Arc<Identity>,
        account: &Account,
        limits: Limits,
    ) -> Result<PreparedRequest, PlexError> {
        PreparedRequest::new(params, identity, account, limits, &self.secrets, &self.cache)
    }

    /// Asks Plex to look at folders; nothing is sent yet.
    pub fn scanner(&self, call: ScanCall) -> Scanner {
        Scanner::new(self.clone(), call)
    }

    /// Walks to the server with this base URL, and stops at the first step that fails.
    pub async fn walk(&self, server: &str) -> Vec<(Step, Found)> {
        match Base::parse(server).and_then(|base| base.join("/")) {
            Ok(url) => probe::walk(&self.clients, &url).await,
            Err(reason) => {
                let reason = format!("the server's URL {reason}");
                let hint = "expected something like `http://192.168.1.10:32400`";
                let error = HttpError::unreachable(UnreachableKind::Dns, reason, hint);
                vec![(Step::Name, Err(error))]
            }
        }
    }

    async fn send(
        &self,
        mut prepared: PreparedRequest,
        started: Instant,
        progress: Option<Progress>,
    ) -> Result<Answer, PlexError> {
        let deadline = started + prepared.timeout;
        let mut route = Routing::find(prepared.routing.take(), deadline).await?;
        let connect_limit = prepared.connect_timeout;
        let connect_limit = route.as_ref().map_or(connect_limit, |it| it.limit(connect_limit));
        let sender = Sender::new(&self.clients, deadline, connect_limit);
        let warning = route.as_ref().and_then(Routed::warning);
        let route = route.as_mut().map(|route| route as &mut dyn Route);
        let mut retry = Retry { sender, retries: prepared.retries, attempts: 0, route };
        let (fetched, body) = if prepared.all_pages {
            paging::fetch(&mut retry, &mut prepared, deadline, progress.as_deref()).await?
        } else {
            let max_bytes = (prepared.parse != Parse::None).then_some(prepared.max_bytes);
            let mut fetched = fetch(&mut retry, &prepared.request, max_bytes, deadline).await?;
            let body = fetched.decode(prepared.parse).await?;
            (fetched, body)
        };
        let status = fetched.head.status.as_u16();
        let answer = Answer {
            status,
            headers: headers::answer(&fetched.head.headers, &self.secrets),
            body,
            url: self.secrets.redact(fetched.head.url.as_str()).into_owned(),
            attempts: retry.attempts,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            warning: warning.or_else(|| advice(&prepared.request, status)),
        };
        tracing::debug!(
            method = %prepared.request.method,
            path = prepared.request.url.path(),
            status = answer.status,
            attempts = answer.attempts,
            elapsed_ms = answer.elapsed_ms,
            "plex answered"
        );
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
