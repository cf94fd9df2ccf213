//! Connectivity probe for `doctor`: name, connection, TLS. No request is made: nothing is sent but a TLS handshake, so
//! no device is seen.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};
use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::http::client::Clients;
use crate::http::error::{HttpError, Peer};
use crate::http::resolver::{lookup, plex_direct};
use crate::http::tls::certificate::{about, trusted_by};

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

/// Walks to the server at this URL, and stops at the first step that fails.
pub(crate) async fn walk(clients: &Clients, url: &Url) -> Vec<(Step, Found)> {
    let mut steps = Vec::new();
    match clients.connector.proxy(url) {
        Ok(None) => {}
        Ok(Some(_)) => {
            let found = "not looked up: requests go through the https proxy in the environment";
            return vec![(Step::Name, Ok(found.to_owned()))];
        }
        Err(error) => return vec![(Step::Name, Err(error))],
    }
    let Some(addresses) = passed(Step::Name, look_up(url).await, &mut steps) else {
        return steps;
    };
    let port = url.port_or_known_default().unwrap_or(0);
    let connected = connect(&addresses, port, &Peer::of(url)).await;
    let Some(socket) = passed(Step::Connection, connected, &mut steps) else {
        return steps;
    };
    if url.scheme() == "https" {
        steps.push((Step::Tls, shake_hands(clients, url, socket).await));
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

async fn look_up(url: &Url) -> Result<(String, Vec<IpAddr>), HttpError> {
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if let Ok(address) = name.parse() {
        return Ok((format!("`{name}` is an address, and no name to look up"), vec![address]));
    }
    let mut known = Vec::new();
    let looking = plex_direct::addresses(name, async {
        known = lookup(name).await?;
        Ok(known.clone())
    });
    let found = timeout(STEP_LIMIT, looking).await;
    let held = plex_direct::plex_direct_address(name);
    match found {
        Ok(Ok(addresses)) if !addresses.is_empty() => {
            let by_itself = held.is_some_and(|held| !known.contains(&held));
            let how = if by_itself { ", as the name itself says" } else { "" };
            let quoted: Vec<_> = addresses.iter().map(|address| format!("`{address}`")).collect();
            Ok((format!("`{name}` is {}{how}", quoted.join(", ")), addresses))
        }
        Ok(_) => Err(HttpError::unreachable(
            UnreachableKind::Dns,
            format!("the name `{name}` has no address"),
            "check the host name in the URL, and this machine's DNS",
        )),
        Err(_) => Err(HttpError::unreachable(
            UnreachableKind::Dns,
            format!("no DNS answer for `{name}` within {} s", STEP_LIMIT.as_secs()),
            "check this machine's DNS",
        )),
    }
}

/// The addresses share the step's time: the first one gets half of it, the next one half of the rest.
async fn connect(
    addresses: &[IpAddr],
    port: u16,
    peer: &Peer,
) -> Result<(String, TcpStream), HttpError> {
    let end = Instant::now() + STEP_LIMIT;
    let mut last = peer.connect_timeout();
    for (at, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = if at + 1 == addresses.len() { left } else { left / 2 };
        let address = SocketAddr::new(*address, port);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok((format!("`{address}` accepts connections"), socket)),
            Ok(Err(error)) => last = peer.no_connection(&error),
            Err(_) => last = peer.connect_timeout(),
        }
    }
    Err(last)
}

/// Shakes hands and hangs up. What it saw: the protocol, the certificate, and who vouches for it.
async fn shake_hands(clients: &Clients, url: &Url, socket: TcpStream) -> Found {
    let peer = Peer::of(url);
    let shaking = clients.connector.tls(Box::new(socket), url, &peer);
    let Ok(shaken) = timeout_at(Instant::now() + STEP_LIMIT, shaking).await else {
        let seconds = STEP_LIMIT.as_secs();
        let reason = format!("{} did not finish the TLS handshake within {seconds} s", peer.name);
        let hint = "check that it speaks `https`";
        return Err(HttpError::timeout(TimeoutPhase::Connect, reason, hint));
    };
    let tls = shaken?;
    let session = tls.get_ref().1;
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let chain = session.peer_certificates().unwrap_or_default();
    let chain: Vec<_> = chain.iter().cloned().map(CertificateDer::into_owned).collect();
    let told = format!("{version}, certificate {}", about(&chain));
    let has_file = clients.ca_file().is_some();
    let by = tokio::task::spawn_blocking(move || trusted_by(&chain, has_file)).await;
    Ok(format!("{told}, trusted by {}", by.unwrap_or("nobody")))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::path::PathBuf;

    use super::*;
    use crate::http::proxy::ProxySettings;
    use crate::http::tls::Trust;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[tokio::test]
    async fn the_first_address_that_accepts_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = Peer::of(&url(&format!("http://nas:{port}")));
        let addresses = ["127.0.0.2", "127.0.0.1"].map(|address| address.parse().unwrap());
        let (found, _) = connect(&addresses, port, &peer).await.unwrap();
        assert_eq!(found, format!("`127.0.0.1:{port}` accepts connections"));
        let refused = connect(&addresses[..1], port, &peer).await.unwrap_err();
        assert!(refused.to_string().starts_with(&format!("`nas:{port}` ")), "{refused}");
        assert!(connect(&[], port, &peer).await.is_err());
    }

    #[tokio::test]
    async fn an_address_is_not_looked_up_and_a_plex_direct_name_needs_no_dns() {
        let look_up = async |text: &str| look_up(&url(text)).await;
        let (found, addresses) = look_up("http://[::1]:32400").await.unwrap();
        assert!(found.starts_with("`::1` is an address"), "{found}");
        assert_eq!(addresses, ["::1".parse::<IpAddr>().unwrap()]);
        let (found, addresses) = look_up("https://10-0-0-7.abc.plex.direct").await.unwrap();
        assert!(found.contains("`10.0.0.7`"), "{found}");
        assert!(addresses.contains(&"10.0.0.7".parse().unwrap()));
        let (found, _) = look_up("http://localhost").await.unwrap();
        assert!(found.starts_with("`localhost` is `"), "{found}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let ca_file: PathBuf = folder.path().join("ca.pem");
        let own = rcgen::generate_simple_self_signed(["nas".to_owned()]).unwrap();
        std::fs::write(&ca_file, own.cert.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let trust = Trust::Roots(Some(ca_file));
        let clients = Clients::new(trust, ProxySettings::default(), |_| ());
        let error = shake_hands(&clients, &url("https://nas:32400"), socket).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
        assert!(error.to_string().starts_with("`nas:32400` did not finish"), "{error}");
    }
}
