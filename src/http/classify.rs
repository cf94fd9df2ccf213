//! What a failure of the HTTP library means. Its own texts hold whole URLs, so none of them is ever passed on.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter;
use std::net::IpAddr;
use std::time::Duration;

use plexsync_protocol::error::{TimeoutPhase, UnreachableKind};
use reqwest::Url;
use rustls::CertificateError;

use crate::http::connect::ConnectTimedOut;
use crate::http::error::PlexError;
use crate::http::resolver::plex_direct as dns;
use crate::plex::request::url::peer;

/// Where a request went: what messages may say of it.
pub(crate) struct Peer {
    /// `host:port`.
    pub(crate) name: String,
    secure: bool,
    proxied: bool,
}

impl Peer {
    /// The server of this URL, perhaps behind a proxy.
    pub(crate) fn of(url: &Url, proxied: bool) -> Self {
        let secure = url.scheme() == "https";
        Self { name: peer(url), secure, proxied: proxied && secure }
    }

    /// Whether a proxy makes the connection.
    pub(crate) fn proxied(&self) -> bool {
        self.proxied
    }

    fn hint(&self) -> &'static str {
        match self.proxied {
            true => " (an https proxy is set in the environment)",
            false => "",
        }
    }
}

/// The meaning of a failure that came before the head of an answer, or in its body.
pub(crate) fn classify(error: &reqwest::Error, peer: &Peer) -> PlexError {
    let name = &peer.name;
    if find::<ConnectTimedOut>(error).is_some() || (error.is_connect() && error.is_timeout()) {
        return connect_timeout(peer);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return self::tls(tls, peer);
    }
    if error.is_dns() {
        let message = format!(
            "the name in `{name}` has no address; check the host name and the DNS{}",
            peer.hint()
        );
        return PlexError::unreachable(UnreachableKind::Dns, message);
    }
    if error.is_connect() {
        return connect(innermost_io(error), peer);
    }
    if error.is_builder() {
        return PlexError::invalid("/path", "makes a URL that HTTP can't carry");
    }
    let kind = match find::<hyper::Error>(error) {
        Some(hyper) => hyper_kind(hyper),
        None if error.is_decode() => return broken_compression(name),
        None => io_kind(innermost_io(error)),
    };
    transfer(kind, peer)
}

/// A TLS handshake failed.
pub(crate) fn tls(error: &rustls::Error, peer: &Peer) -> PlexError {
    PlexError::unreachable(UnreachableKind::Tls, tls_message(error, peer))
}

/// A TLS handshake took longer than `limit`.
pub(crate) fn handshake_timeout(peer: &Peer, limit: Duration) -> PlexError {
    let message = format!(
        "`{}` did not finish the TLS handshake within {} s; check that it speaks `https`",
        peer.name,
        limit.as_secs()
    );
    PlexError::Timeout { phase: TimeoutPhase::Connect, message }
}

/// A certificate that only itself vouches for.
pub(crate) fn self_signed(peer: &Peer) -> PlexError {
    let message = format!(
        "the certificate of `{}` is self-signed; use the server's `plex.direct` name, or trust this certificate with `--plex-ca`",
        peer.name
    );
    PlexError::unreachable(UnreachableKind::Tls, message)
}

/// A connection took longer than it may.
pub(crate) fn connect_timeout(peer: &Peer) -> PlexError {
    let message = format!(
        "`{}` did not accept a connection in time; check that Plex runs there{}",
        peer.name,
        peer.hint()
    );
    PlexError::Timeout { phase: TimeoutPhase::Connect, message }
}

fn transfer(kind: UnreachableKind, peer: &Peer) -> PlexError {
    let name = &peer.name;
    let message = match (kind, peer.secure) {
        (UnreachableKind::Closed, false) => format!(
            "`{name}` closed the connection before the answer was whole; if Plex requires secure connections, use `https://`"
        ),
        (UnreachableKind::Closed, true) => {
            format!("`{name}` closed the connection before the answer was whole")
        }
        _ => format!("`{name}` does not answer in HTTP; check the port"),
    };
    PlexError::unreachable(kind, message)
}

fn broken_compression(name: &str) -> PlexError {
    let message = format!("the body from `{name}` is not compressed the way its head says");
    PlexError::unreachable(UnreachableKind::Protocol, message)
}

/// No connection, or one that ended before it could be used.
pub(crate) fn connect(error: Option<&io::Error>, peer: &Peer) -> PlexError {
    let name = &peer.name;
    let hint = peer.hint();
    let kind = error.map_or(ErrorKind::Other, io::Error::kind);
    match kind {
        // A connection that is closed while the first bytes are on their way tells so in any of these words.
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
            if peer.secure =>
        {
            let message = format!(
                "`{name}` closed the connection during the TLS handshake; check that it speaks `https`{hint}"
            );
            PlexError::unreachable(UnreachableKind::Tls, message)
        }
        ErrorKind::ConnectionRefused => {
            let message =
                format!("`{name}` refused the connection; check that Plex runs there{hint}");
            PlexError::unreachable(UnreachableKind::Connect, message)
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut => {
            let message = format!("no way leads to `{name}`; check the network{hint}");
            PlexError::unreachable(UnreachableKind::Connect, message)
        }
        _ => {
            let message =
                format!("`{name}` can't be reached; check the address and the network{hint}");
            PlexError::unreachable(UnreachableKind::Connect, message)
        }
    }
}

fn hyper_kind(error: &hyper::Error) -> UnreachableKind {
    if error.is_parse() || error.is_user() {
        return UnreachableKind::Protocol;
    }
    match innermost_io(error) {
        Some(io) => io_kind(Some(io)),
        None => UnreachableKind::Closed,
    }
}

/// hyper tells a bad chunk as `InvalidInput` or `InvalidData`; everything else that reading brings is a lost connection.
fn io_kind(error: Option<&io::Error>) -> UnreachableKind {
    match error.map(io::Error::kind) {
        Some(ErrorKind::InvalidInput | ErrorKind::InvalidData) => UnreachableKind::Protocol,
        _ => UnreachableKind::Closed,
    }
}

fn tls_message(error: &rustls::Error, peer: &Peer) -> String {
    let name = &peer.name;
    match error {
        rustls::Error::InvalidCertificate(reason) => certificate_message(reason, peer),
        rustls::Error::InvalidMessage(_) => {
            format!("`{name}` does not speak TLS; perhaps it expects `http://`")
        }
        rustls::Error::AlertReceived(alert) => {
            format!("`{name}` refused the TLS connection ({alert:?})")
        }
        other => format!("no TLS connection to `{name}`: {other}"),
    }
}

fn certificate_message(reason: &CertificateError, peer: &Peer) -> String {
    let name = &peer.name;
    match reason {
        CertificateError::UnknownIssuer => format!(
            "no known authority vouches for the certificate of `{name}`; if it is your own, add its root with `--plex-ca`"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!(
                "the certificate of `{name}` has expired; check the clock, then restart Plex to renew it"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of `{name}` is not valid yet; check the clock")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            wrong_name_message(presented, peer)
        }
        // What `openssl req -x509` makes where nobody asks for something else. webpki's words are its variants' names.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            format!(
                "the certificate of `{name}` is an authority's, which can't be a server's; make another one with `basicConstraints=CA:FALSE`"
            )
        }
        other => format!("the certificate of `{name}` can't be trusted: {other}"),
    }
}

/// Plex's certificates are for `*.<hash>.plex.direct`, never for an address: the name that fits can be told.
fn wrong_name_message(presented: &[String], peer: &Peer) -> String {
    let name = &peer.name;
    let hash = presented.iter().find_map(|name| plex_direct_hash(name));
    let (host, port) = name.rsplit_once(':').unwrap_or((name, "32400"));
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match (hash, address) {
        (Some(hash), Ok(address)) => {
            let host = dns::plex_direct_name(address, hash);
            format!("the certificate of `{name}` is for another name; use `https://{host}:{port}`")
        }
        (Some(hash), Err(_)) => {
            format!(
                "the certificate of `{name}` is for `*.{hash}.plex.direct`; use the server's `plex.direct` name"
            )
        }
        (None, _) => {
            format!("the certificate of `{name}` is for another name; use the one that it is for")
        }
    }
}

/// The hash in a presented name; rustls spells it as `DnsName("*.<hash>.plex.direct")`.
fn plex_direct_hash(presented: &str) -> Option<&str> {
    let (front, _) = presented.split_once(".plex.direct")?;
    let hash = front.rsplit('.').next()?;
    hash.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(hash)
}

/// The first cause of this type.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    iter::successors(Some(error), |error| cause(*error)).find_map(|error| error.downcast_ref())
}

/// What the system said: the innermost `io::Error`, as libraries wrap theirs in one of kind `Other`.
fn innermost_io<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    iter::successors(Some(error), |error| cause(*error))
        .filter_map(|error| error.downcast_ref())
        .last()
}

/// The next cause. An `io::Error`'s own `source` skips the error that it wraps.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(url: &str, presented: &[&str]) -> String {
        let presented: Vec<_> = presented.iter().map(|name| (*name).to_owned()).collect();
        let peer = Peer::of(&Url::parse(url).unwrap(), false);
        wrong_name_message(&presented, &peer)
    }

    #[test]
    fn a_wrong_name_tells_the_right_one() {
        let hash = "0123456789abcdef0123456789abcdef";
        let plex = format!("DnsName(\"*.{hash}.plex.direct\")");
        for (url, expected) in [
            (
                "https://192.168.1.5:32400",
                format!("`https://192-168-1-5.{hash}.plex.direct:32400`"),
            ),
            ("https://192.168.1.5", format!("`https://192-168-1-5.{hash}.plex.direct:443`")),
            (
                "https://[2001:db8::1]:32400",
                format!("`https://2001-db8--1.{hash}.plex.direct:32400`"),
            ),
            ("https://nas:32400", format!("`*.{hash}.plex.direct`")),
        ] {
            let message = message(url, &["DnsName(\"other\")", &plex]);
            assert!(message.contains(&expected), "{message}");
        }
        assert!(!message("https://192.168.1.5", &["DnsName(\"nas\")"]).contains("plex.direct"));
    }
}
