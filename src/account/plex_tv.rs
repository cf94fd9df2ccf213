//! plex.tv's two origins: one request to the one that is meant, or to the other where the first can't be reached. No
//! redirect leaves an origin, so neither does a token.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};
use plexsync_protocol::identity::IdentityHeaders;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::{Host, Url};

use crate::http::client::Clients;
use crate::http::error::HttpError;
use crate::http::headers::{of_device, put_token};
use crate::http::proxy::ProxySettings;
use crate::http::retry::Retry;
use crate::http::send::Sender;
use crate::http::tls::Trust;
use crate::http::{Head, Request, Sink};
use crate::secret::Secret;

/// Where sign-ins and accounts are at home.
const PLEX_TV: &str = "https://plex.tv";
/// Where resources are at home.
const CLIENTS: &str = "https://clients.plex.tv";
/// Largest answer that is read, in bytes: some accounts have thousands of devices.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A client of plex.tv. Clones share the connections; cheap to clone.
#[derive(Clone)]
pub struct PlexTv {
    clients: Arc<Clients>,
    /// plex.tv and clients.plex.tv, or one URL in place of both.
    origins: [Url; 2],
}

/// How plex.tv is reached.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One URL in place of both origins (`--plex-tv`).
    pub url: Option<String>,
    /// PEM file with roots that are trusted beside the system's (`--plex-ca`).
    pub ca_file: Option<PathBuf>,
    /// The proxy for https targets.
    pub proxy: ProxySettings,
}

/// One of the two origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// plex.tv.
    PlexTv,
    /// clients.plex.tv.
    Clients,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    pub method: Method,
    pub home: Home,
    /// Path and query.
    pub path: String,
    /// What the log calls the path: one with a PIN's id is shown without it.
    pub shown: &'static str,
    /// The account's token.
    pub token: Option<&'a Secret>,
}

impl<'a> Ask<'a> {
    /// A GET of plex.tv.
    pub fn get(path: &'static str, token: Option<&'a Secret>) -> Self {
        let path_as_sent = path.to_owned();
        Self { method: Method::GET, home: Home::PlexTv, path: path_as_sent, shown: path, token }
    }

    /// The list of the account's devices, servers among them.
    pub fn resources(token: &'a Secret) -> Self {
        let path = "/api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1";
        Self { home: Home::Clients, ..Self::get(path, Some(token)) }
    }
}

/// The time that a request has.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// When the answer has to be there.
    pub deadline: Instant,
    /// Longest time for one connection.
    pub connect: Duration,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    /// Scheme, host and port of who answered.
    pub server: String,
}

impl Reply {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, if it is JSON of this shape: what is not plex.tv's own is none.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl PlexTv {
    /// A client; nothing is opened, read or built yet.
    ///
    /// # Errors
    /// What is wrong with the URL, as the end of a sentence that begins with it.
    pub fn new(options: Options) -> Result<Self, &'static str> {
        let origins = match options.url.as_deref() {
            Some(url) => origin(url).map(|url| [url.clone(), url])?,
            None => [origin(PLEX_TV)?, origin(CLIENTS)?],
        };
        let trust = Trust::Roots(options.ca_file);
        Ok(Self { clients: Arc::new(Clients::new(trust, options.proxy, |_| ())), origins })
    }

    /// The same client at another URL, such as one that a sign-in was made at.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn at(&self, url: &str) -> Result<Self, &'static str> {
        match url == self.url() {
            true => Ok(self.clone()),
            false => origin(url).map(|url| Self { origins: [url.clone(), url], ..self.clone() }),
        }
    }

    /// Its URL, as a sign-in remembers it: scheme, host and port.
    pub fn url(&self) -> String {
        self.origins[0].origin().ascii_serialization()
    }

    /// Sends a request as the device `identity`.
    ///
    /// # Errors
    /// The failure of the last origin that was tried. Any HTTP answer is a [`Reply`].
    pub async fn send(
        &self,
        identity: &IdentityHeaders,
        ask: &Ask<'_>,
        time: Time,
    ) -> Result<Reply, HttpError> {
        let [plex_tv, clients] = &self.origins;
        let order = match ask.home {
            Home::PlexTv => [plex_tv, clients],
            Home::Clients => [clients, plex_tv],
        };
        let first = self.send_to(order[0], identity, ask, time).await;
        match first {
            Err(Failure { error, answered: false })
                if order[0] != order[1] && is_transport(&error) =>
            {
                self.send_to(order[1], identity, ask, time).await
            }
            first => first,
        }
        .map_err(|failure| failure.error)
    }

    async fn send_to(
        &self,
        origin: &Url,
        identity: &IdentityHeaders,
        ask: &Ask<'_>,
        time: Time,
    ) -> Result<Reply, Failure> {
        let request = request(origin, identity, ask)?;
        let connect = time.connect.min(time.deadline.saturating_duration_since(Instant::now()));
        let sender = Sender::new(&self.clients, time.deadline, connect);
        let mut retry = Retry { sender, retries: 0, attempts: 0, route: None };
        let mut receiving = Receiving::default();
        let sent = retry.send(&request, Some(LARGEST), &mut receiving).await;
        let server = origin.origin().ascii_serialization();
        let head = sent.map_err(|error| {
            tracing::debug!(method = %ask.method, path = ask.shown, server, "no answer");
            Failure { error, answered: receiving.answered }
        })?;
        let status = head.status.as_u16();
        tracing::debug!(method = %ask.method, path = ask.shown, server, status, "plex.tv answered");
        Ok(Reply { status, body: receiving.body, server })
    }
}

/// Why there is no answer, and whether one had begun.
struct Failure {
    error: HttpError,
    answered: bool,
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self { error, answered: false }
    }
}

#[derive(Default)]
struct Receiving {
    answered: bool,
    body: Vec<u8>,
}

impl Sink for Receiving {
    fn begin(&mut self, _: &Head, _: Option<u64>) {
        self.answered = true;
        self.body.clear();
    }

    async fn push(&mut self, chunk: Bytes) -> Result<(), HttpError> {
        self.body.extend_from_slice(&chunk);
        Ok(())
    }
}

fn request(origin: &Url, identity: &IdentityHeaders, ask: &Ask<'_>) -> Result<Request, HttpError> {
    let unsendable = |what: &str| {
        let reason = format!("{what} holds a character that can't be sent");
        HttpError::unreachable(UnreachableKind::Protocol, reason, "replace it")
    };
    let mut headers = of_device(identity).map_err(|_| unsendable("the identity"))?;
    if let Some(token) = ask.token {
        put_token(&mut headers, token).ok_or_else(|| unsendable("the stored token"))?;
    }
    if ask.method == Method::POST {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let url = origin.join(&ask.path).map_err(|_| unsendable("the path"))?;
    Ok(Request { method: ask.method.clone(), url, headers, body: None })
}

/// No connection, or one that was lost: the other origin may be reached.
fn is_transport(error: &HttpError) -> bool {
    matches!(
        error,
        HttpError::Unreachable { .. } | HttpError::Timeout { phase: TimeoutPhase::Connect, .. }
    )
}

/// An origin that a token may go to: https, or this very machine.
fn origin(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "is not a URL; expected `https://host`")?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return Err("holds more than a host; expected `https://host`");
    }
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        _ => Err("is neither https nor on this machine; expected `https://host`"),
    }
}

#[cfg(test)]
mod tests;
