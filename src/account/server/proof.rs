//! Which server is at a URL: asked without a token, before any token goes there.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use plexsync_protocol::error::UnreachableKind;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::{Host, Url};

use super::candidates::is_private;
use crate::http::Request;
use crate::http::client::{Clients, Reuse};
use crate::http::error::{HttpError, Peer, host_and_port};
use crate::http::resolver::{lookup, plex_direct};
use crate::http::send::Sender;

/// Most servers that are asked at a time.
const AT_A_TIME: usize = 32;
/// Longest answer that is read, in bytes.
const MOST: u64 = 64 * 1024;

/// A base URL at which a server has been asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The base URL; over plain http with an address in place of the name, so that the name can't lead elsewhere later.
    pub(crate) url: Url,
    /// The name and port that it replaces, for the `Host` header.
    pub(crate) host: Option<HeaderValue>,
}

/// Asks servers who they are.
#[derive(Clone)]
pub(super) struct Prover {
    clients: Arc<Clients>,
    places: Arc<Semaphore>,
}

/// How long asking may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// For one server, from when it is asked.
    pub(super) each: Duration,
    /// For a connection to it.
    pub(super) connect: Duration,
    /// For all.
    pub(super) deadline: Instant,
}

impl Prover {
    pub(super) fn new(clients: Arc<Clients>) -> Self {
        Self { clients, places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Makes sure that the server with this identifier is at a base URL, and says to where a token may go.
    ///
    /// # Errors
    /// No answer, or that of another server; a plain connection that leaves the private network.
    pub(super) async fn prove(
        &self,
        url: &Url,
        machine: &str,
        headers: &HeaderMap,
        limit: Limit,
    ) -> Result<Place, HttpError> {
        let (found, place) = self.ask(url, headers, limit).await?;
        if found.as_deref() != Some(machine) {
            return Err(another(url));
        }
        place.ok_or_else(|| leaves_the_network(url))
    }

    /// The identifier of the server at a base URL, if it says one, and to where a token may go, if it may.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn ask(
        &self,
        url: &Url,
        headers: &HeaderMap,
        limit: Limit,
    ) -> Result<(Option<String>, Option<Place>), HttpError> {
        let _place = self.places.acquire().await;
        let each = Instant::now().checked_add(limit.each).unwrap_or(limit.deadline);
        let limit = Limit { deadline: limit.deadline.min(each), ..limit };
        let places = private_places(url, limit.deadline).await?;
        let is_private = places.is_some();
        let places = places.unwrap_or_else(|| vec![Place { url: url.clone(), host: None }]);
        let mut failure = None;
        for place in places {
            match self.identity(&place, headers, limit).await {
                Ok(found) => return Ok((found, is_private.then_some(place))),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Peer::of(url).unsendable()))
    }

    /// What `/identity` says; a redirect is no answer.
    async fn identity(
        &self,
        place: &Place,
        headers: &HeaderMap,
        limit: Limit,
    ) -> Result<Option<String>, HttpError> {
        let mut headers = headers.clone();
        headers.extend(place.host.clone().map(|host| (HOST, host)));
        let url = below(&place.url, "identity");
        let request = Request { method: Method::GET, url, headers, body: None };
        let left = limit.deadline.saturating_duration_since(Instant::now());
        let sender = Sender::new(&self.clients, limit.deadline, limit.connect.min(left));
        let answer = match sender.send_once(&request, Reuse::Pooled).await {
            Err(failure) if failure.stale => sender.send_once(&request, Reuse::Fresh).await,
            outcome => outcome,
        };
        let answer = answer.map_err(|failure| failure.error)?;
        if answer.head.status != StatusCode::OK {
            return Ok(None);
        }
        let mut body = Vec::new();
        match sender.read(answer.body, MOST, &mut body).await {
            Ok(()) => Ok(machine_identifier(&body)),
            Err(failure) if matches!(failure.error, HttpError::TooLarge { .. }) => Ok(None),
            Err(failure) => Err(failure.error),
        }
    }
}

fn machine_identifier(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let machine = body["MediaContainer"]["machineIdentifier"].as_str()?;
    Some(machine.to_owned()).filter(|machine| !machine.is_empty())
}

/// `name` below a base URL.
fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{name}", base.path().trim_end_matches('/')));
    url
}

/// To where a token for this URL may go: anywhere over https; over plain http to private addresses only, and only if the
/// name has no other. `None` if it has.
async fn private_places(url: &Url, deadline: Instant) -> Result<Option<Vec<Place>>, HttpError> {
    let whole = || vec![Place { url: url.clone(), host: None }];
    let name = match url.host() {
        _ if url.scheme() == "https" => return Ok(Some(whole())),
        Some(Host::Ipv4(address)) => return Ok(is_private(address.into()).then(whole)),
        Some(Host::Ipv6(address)) => return Ok(is_private(address.into()).then(whole)),
        Some(Host::Domain(name)) => name,
        None => return Ok(None),
    };
    let looking = plex_direct::addresses(name, lookup(name));
    let addresses = match tokio::time::timeout_at(deadline, looking).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => addresses,
        _ => return Err(no_address(url)),
    };
    Ok(held_to(url, &addresses))
}

/// The URL of a name, with each of its addresses in place of the name; `None` if one of them is not private.
fn held_to(url: &Url, addresses: &[IpAddr]) -> Option<Vec<Place>> {
    let host = HeaderValue::from_str(&authority(url)).ok();
    let at = |address: &IpAddr| {
        let mut url = url.clone();
        url.set_ip_host(*address).ok()?;
        Some(Place { url, host: host.clone() })
    };
    let private = addresses.iter().all(|address| is_private(*address));
    private.then(|| addresses.iter().filter_map(at).collect())
}

/// Host and port as a `Host` header has them: the scheme's own port is left out.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn no_address(url: &Url) -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Dns,
        format!("the name in `{}` has no address", host_and_port(url)),
        "check the host name and the DNS",
    )
}

fn another(url: &Url) -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Protocol,
        format!("`{}` is not this server", host_and_port(url)),
        "look for the server again, or check the address",
    )
}

fn leaves_the_network(url: &Url) -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Connect,
        format!(
            "`{}` is not in a private network: no token goes there in clear",
            host_and_port(url)
        ),
        "use `https://`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(url: &str, addresses: &[&str]) -> Option<Vec<(String, String)>> {
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let places = held_to(&Url::parse(url).unwrap(), &addresses)?;
        let place =
            |Place { url, host }: Place| (url.into(), host.unwrap().to_str().unwrap().to_owned());
        Some(places.into_iter().map(place).collect())
    }

    #[test]
    fn a_token_goes_in_clear_to_names_that_have_private_addresses_only() {
        let one = |url: &str, host: &str| (url.to_owned(), host.to_owned());
        let nas = "http://nas:32400/plex";
        assert_eq!(
            held(nas, &["192.168.1.5", "fd00::5"]).unwrap(),
            [
                one("http://192.168.1.5:32400/plex", "nas:32400"),
                one("http://[fd00::5]:32400/plex", "nas:32400"),
            ]
        );
        assert_eq!(held("http://nas", &["10.0.0.1"]).unwrap(), [one("http://10.0.0.1/", "nas")]);
        assert_eq!(held(nas, &["203.0.113.5"]), None);
        assert_eq!(held(nas, &["192.168.1.5", "203.0.113.5"]), None, "it could be that one");
        assert_eq!(held(nas, &["192.168.1.5", "169.254.169.254"]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_need_no_name_and_https_needs_no_address() {
        let places = async |url: &str| {
            private_places(&Url::parse(url).unwrap(), Instant::now()).await.unwrap().is_some()
        };
        for (url, expected) in [
            ("https://plex.example.com", true),
            ("https://203.0.113.5:32400", true),
            ("http://192.168.1.5:32400", true),
            ("http://100.64.0.5:32400", true),
            ("http://[::1]:32400", true),
            ("http://203.0.113.5:32400", false),
            ("http://[2001:db8::1]:32400", false),
        ] {
            assert_eq!(places(url).await, expected, "{url}");
        }
    }
}
