//! Connectivity probe for `doctor`: name, connection, TLS. No request is made: nothing is sent but a TLS handshake, so
//! no device is seen.

use std::net::IpAddr;
use std::time::Duration;

use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};
use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;
use url::Url;

use crate::http::client::Clients;
use crate::http::error::{HttpError, Peer};
use crate::http::resolver::{lookup, plex_direct};
use crate::http::stream::Io;
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
    let peer = Peer::of(url);
    let name = look_up(url).await;
    let found = name.is_ok();
    steps.push((Step::Name, name));
    if !found {
        return steps;
    }
    let connecting = timeout(STEP_LIMIT, clients.connector.tcp(url, &peer)).await;
    match connecting.unwrap_or_else(|_| Err(peer.connect_timeout())) {
        Err(error) => steps.push((Step::Connection, Err(error))),
        Ok(io) => {
            let address = io.tcp().peer_addr().map(|address| format!("`{address}`"));
            let address = address.unwrap_or_else(|_| peer.name());
            steps.push((Step::Connection, Ok(format!("{address} accepts connections"))));
            if url.scheme() == "https" {
                steps.push((Step::Tls, shake_hands(clients, url, io).await));
            }
        }
    }
    steps
}

async fn look_up(url: &Url) -> Found {
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if name.parse::<IpAddr>().is_ok() {
        return Ok(format!("`{name}` is an address: no name to look up"));
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
            Ok(format!("`{name}` is {}{how}", quoted.join(", ")))
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

/// Shakes hands and hangs up. What it saw: the protocol, the certificate, and who vouches for it.
async fn shake_hands(clients: &Clients, url: &Url, io: Box<dyn Io>) -> Found {
    let peer = Peer::of(url);
    // That this machine takes its time to read its roots is not the server's fault.
    clients.connector.trusting().await?;
    let shaking = clients.connector.tls(io, url, &peer);
    let Ok(shaken) = timeout(STEP_LIMIT, shaking).await else {
        let seconds = STEP_LIMIT.as_secs();
        let reason = format!("{} did not finish the TLS handshake within {seconds} s", peer.name());
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
    let shown = format!("{version}, certificate {}", about(&chain));
    let has_file = clients.ca_file().is_some();
    let by = tokio::task::spawn_blocking(move || trusted_by(&chain, has_file)).await;
    Ok(format!("{shown}, trusted by {}", by.unwrap_or("nobody")))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::path::PathBuf;

    use tokio::net::TcpStream;

    use super::*;
    use crate::http::proxy::ProxySettings;
    use crate::http::tls::Trust;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn clients(trust: Trust) -> Clients {
        Clients::new(trust, ProxySettings::default(), |_| ())
    }

    #[tokio::test]
    async fn the_walk_ends_where_it_breaks() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let there = walk(&clients(Trust::All), &url(&format!("http://127.0.0.1:{port}"))).await;
        let (step, found) = there.last().unwrap();
        assert_eq!((there.len(), *step), (2, Step::Connection));
        assert_eq!(found, &Ok(format!("`127.0.0.1:{port}` accepts connections")));
        drop(listener);
        let gone = walk(&clients(Trust::All), &url(&format!("https://127.0.0.1:{port}"))).await;
        let (step, found) = gone.last().unwrap();
        assert_eq!((gone.len(), *step), (2, Step::Connection));
        assert!(found.as_ref().unwrap_err().to_string().contains("refused the connection"));
    }

    #[tokio::test]
    async fn an_address_is_not_looked_up_and_a_plex_direct_name_needs_no_dns() {
        let look_up = async |text: &str| look_up(&url(text)).await;
        let found = look_up("http://[::1]:32400").await.unwrap();
        assert!(found.starts_with("`::1` is an address"), "{found}");
        let found = look_up("https://10-0-0-7.abc.plex.direct").await.unwrap();
        assert!(found.contains("`10.0.0.7`"), "{found}");
        let found = look_up("http://localhost").await.unwrap();
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
        let clients = clients(Trust::Roots(Some(ca_file)));
        let shaken = shake_hands(&clients, &url("https://nas:32400"), Box::new(socket)).await;
        let error = shaken.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
        assert!(error.to_string().starts_with("`nas:32400` did not finish"), "{error}");
    }
}
