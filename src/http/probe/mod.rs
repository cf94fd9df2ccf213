//! Connectivity probe for `doctor`: name, connection, TLS. No request is made: nothing is sent but a TLS handshake, so
//! no device is seen.

pub(crate) mod certificate;
pub(crate) mod handshake;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use plexsync_protocol::error::UnreachableKind;
use reqwest::Url;

use crate::http::classify::{self, Peer};
use crate::http::client::Clients;
use crate::http::error::HttpError;
use crate::http::resolver::plex_direct as dns;

/// Longest time that one step takes.
const STEP_LIMIT: Duration = Duration::from_secs(5);

/// One step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The host's name to its addresses.
    Name,
    /// A connection to one of them.
    Connection,
    /// The TLS handshake, for https.
    Tls,
}

/// What a step found, or why it failed.
pub type Found = Result<String, HttpError>;

/// Walks to the server at this URL, and stops at the first step that fails. Blocks its thread.
pub(crate) async fn walk(clients: &Clients, url: &Url) -> Vec<(Step, Found)> {
    let peer = Peer::of(url, clients.has_proxy());
    if peer.proxied() {
        let found = "not looked up: the https proxy in the environment leads there";
        return vec![(Step::Name, Ok(found.to_owned()))];
    }
    let mut steps = Vec::new();
    let Some(addresses) = passed(Step::Name, look_up(url).await, &mut steps) else {
        return steps;
    };
    let connected = connect(&addresses, url.port_or_known_default().unwrap_or(0), &peer);
    let Some(mut socket) = passed(Step::Connection, connected, &mut steps) else {
        return steps;
    };
    if url.scheme() == "https" {
        let ca_file = clients.ca_file();
        let shaken = handshake::look(&mut socket, host(url), &peer, ca_file, STEP_LIMIT);
        passed(Step::Tls, shaken.map(|found| (found, ())), &mut steps);
    }
    steps
}

/// Notes what a step found; its product, where it was passed.
fn passed<T>(
    step: Step,
    outcome: Result<(String, T), HttpError>,
    steps: &mut Vec<(Step, Found)>,
) -> Option<T> {
    let (found, product) = match outcome {
        Ok((found, product)) => (Ok(found), Some(product)),
        Err(error) => (Err(error), None),
    };
    steps.push((step, found));
    product
}

/// The host without the brackets of an IPv6 address.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

async fn look_up(url: &Url) -> Result<(String, Vec<IpAddr>), HttpError> {
    let name = host(url);
    if let Ok(address) = name.parse() {
        return Ok((format!("`{name}` is an address, and no name to look up"), vec![address]));
    }
    let held = dns::plex_direct_address(name);
    let mut told = Vec::new();
    let looking = dns::addresses(name, async {
        told = crate::http::resolver::lookup(name).await?;
        Ok(told.clone())
    });
    let found = tokio::time::timeout(STEP_LIMIT, looking).await;
    match (found, held) {
        (Ok(Ok(addresses)), Some(held)) if !told.contains(&held) => {
            let found = format!("`{name}` is {}, as the name itself says", list(&addresses));
            Ok((found, addresses))
        }
        (Ok(Ok(addresses)), _) if !addresses.is_empty() => {
            Ok((format!("`{name}` is {}", list(&addresses)), addresses))
        }
        (Ok(_), _) => Err(HttpError::unreachable(
            UnreachableKind::Dns,
            format!("the name `{name}` has no address"),
            "check the host name in the URL, and this machine's DNS",
        )),
        (Err(_), _) => Err(HttpError::unreachable(
            UnreachableKind::Dns,
            format!("no DNS answer for `{name}` within {} s", STEP_LIMIT.as_secs()),
            "check this machine's DNS",
        )),
    }
}

fn list(addresses: &[IpAddr]) -> String {
    let quoted: Vec<_> = addresses.iter().map(|address| format!("`{address}`")).collect();
    quoted.join(", ")
}

/// The addresses share the step's time: the first one gets half of it, the next one half of the rest.
fn connect(addresses: &[IpAddr], port: u16, peer: &Peer) -> Result<(String, TcpStream), HttpError> {
    let end = Instant::now() + STEP_LIMIT;
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for (at, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = if at + 1 == addresses.len() { left } else { left / 2 };
        let address = SocketAddr::new(*address, port);
        match TcpStream::connect_timeout(&address, share.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok((format!("`{address}` accepts connections"), socket)),
            Err(error) => last = error,
        }
    }
    Err(match last.kind() {
        ErrorKind::TimedOut => classify::connect_timeout(peer),
        _ => classify::connect(Some(&last), peer),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_first_address_that_accepts_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = Url::parse(&format!("http://nas:{port}")).unwrap();
        let peer = Peer::of(&url, false);
        let addresses = ["127.0.0.2", "127.0.0.1"].map(|address| address.parse().unwrap());
        let (found, _) = connect(&addresses, port, &peer).unwrap();
        assert_eq!(found, format!("`127.0.0.1:{port}` accepts connections"));
        let refused = connect(&addresses[..1], port, &peer).unwrap_err();
        assert!(refused.to_string().starts_with(&format!("`nas:{port}` ")), "{refused}");
        assert!(connect(&[], port, &peer).is_err());
    }

    #[tokio::test]
    async fn an_address_is_not_looked_up_and_a_plex_direct_name_needs_no_dns() {
        let look_up = async |url: &str| look_up(&Url::parse(url).unwrap()).await;
        let (found, addresses) = look_up("http://[::1]:32400").await.unwrap();
        assert!(found.starts_with("`::1` is an address"), "{found}");
        assert_eq!(addresses, ["::1".parse::<IpAddr>().unwrap()]);
        let (found, addresses) = look_up("https://10-0-0-7.abc.plex.direct").await.unwrap();
        assert!(found.contains("`10.0.0.7`"), "{found}");
        assert!(addresses.contains(&"10.0.0.7".parse().unwrap()));
        let (found, _) = look_up("http://localhost").await.unwrap();
        assert!(found.starts_with("`localhost` is `"), "{found}");
    }
}
