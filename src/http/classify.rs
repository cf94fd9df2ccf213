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
use crate::http::error::HttpError;
use crate::http::resolver::plex_direct as dns;

/// Where a request went: what messages may say of it.
pub(crate) struct Peer {
    /// `host:port`.
    pub(crate) name: String,
    secure: bool,
    proxied: bool,
    /// The URL names no port, so it is not a Plex server's own one.
    default_port: bool,
}

impl Peer {
    /// The server of this URL, perhaps behind a proxy.
    pub(crate) fn of(url: &Url, proxied: bool) -> Self {
        let secure = url.scheme() == "https";
        let proxied = proxied && secure;
        Self { name: host_and_port(url), secure, proxied, default_port: url.port().is_none() }
    }

    /// Whether a proxy makes the connection.
    pub(crate) fn proxied(&self) -> bool {
        self.proxied
    }

    fn hint(&self) -> &'static str {
        match (self.proxied, self.default_port) {
            (true, _) => " (an https proxy is set in the environment)",
            (false, true) => " (the URL names no port; a Plex server's own is 32400)",
            (false, false) => "",
        }
    }
}

/// The meaning of a failure that came before the head of an answer, or in its body.
pub(crate) fn classify(error: &reqwest::Error, peer: &Peer) -> HttpError {
    let name = &peer.name;
    if find::<ConnectTimedOut>(error).is_some() || (error.is_connect() && error.is_timeout()) {
        return connect_timeout(peer);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return self::tls(tls, peer);
    }
    if error.is_dns() {
        let hint = format!("check the host name and the DNS{}", peer.hint());
        let reason = format!("the name in `{name}` has no address");
        return HttpError::unreachable(UnreachableKind::Dns, reason, hint);
    }
    if error.is_connect() {
        return connect(innermost_io(error), peer);
    }
    let kind = match find::<hyper::Error>(error) {
        Some(hyper) => hyper_kind(hyper),
        None if error.is_decode() => return broken_compression(name),
        None => io_kind(innermost_io(error)),
    };
    transfer(kind, peer)
}

/// A TLS handshake failed.
pub(crate) fn tls(error: &rustls::Error, peer: &Peer) -> HttpError {
    let (reason, hint) = tls_message(error, peer);
    HttpError::unreachable(UnreachableKind::Tls, reason, hint)
}

/// A TLS handshake took longer than `limit`.
pub(crate) fn handshake_timeout(peer: &Peer, limit: Duration) -> HttpError {
    let seconds = limit.as_secs();
    let reason = format!("`{}` did not finish the TLS handshake within {seconds} s", peer.name);
    HttpError::timeout(TimeoutPhase::Connect, reason, "check that it speaks `https`")
}

/// A certificate that only itself vouches for.
pub(crate) fn self_signed(peer: &Peer) -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Tls,
        format!("the certificate of `{}` is self-signed", peer.name),
        "use the server's `plex.direct` name, or trust this certificate with `--plex-ca`",
    )
}

/// A connection took longer than it may.
pub(crate) fn connect_timeout(peer: &Peer) -> HttpError {
    let reason = format!("`{}` did not accept a connection in time", peer.name);
    let hint = format!("check that Plex runs there{}", peer.hint());
    HttpError::timeout(TimeoutPhase::Connect, reason, hint)
}

fn transfer(kind: UnreachableKind, peer: &Peer) -> HttpError {
    let name = &peer.name;
    let closed = format!("`{name}` closed the connection before the answer was whole");
    let (reason, hint) = match (kind, peer.secure) {
        (UnreachableKind::Closed, false) => {
            (closed, "if Plex requires secure connections, use `https://`")
        }
        (UnreachableKind::Closed, true) => (closed, "look into the server's own log"),
        _ => (format!("the response of `{name}` is not HTTP"), "check the port"),
    };
    HttpError::unreachable(kind, reason, format!("{hint}{}", peer.hint()))
}

fn broken_compression(name: &str) -> HttpError {
    HttpError::unreachable(
        UnreachableKind::Protocol,
        format!("the body from `{name}` is not compressed the way its head says"),
        "ask for it with the header `Accept-Encoding: identity`",
    )
}

/// No connection, or one that ended before it could be used.
pub(crate) fn connect(error: Option<&io::Error>, peer: &Peer) -> HttpError {
    let name = &peer.name;
    let kind = error.map_or(ErrorKind::Other, io::Error::kind);
    let (kind, reason, hint) = match kind {
        // A connection that is closed while the first bytes are on their way tells so in any of these words.
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
            if peer.secure =>
        {
            let reason = format!("`{name}` closed the connection during the TLS handshake");
            (UnreachableKind::Tls, reason, "check that it speaks `https`")
        }
        ErrorKind::ConnectionRefused => {
            let reason = format!("`{name}` refused the connection");
            (UnreachableKind::Connect, reason, "check that Plex runs there")
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut => {
            (UnreachableKind::Connect, format!("no route to `{name}`"), "check the network")
        }
        _ => {
            let reason = format!("`{name}` can't be reached");
            (UnreachableKind::Connect, reason, "check the address and the network")
        }
    };
    HttpError::unreachable(kind, reason, format!("{hint}{}", peer.hint()))
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

fn tls_message(error: &rustls::Error, peer: &Peer) -> (String, String) {
    let name = &peer.name;
    let (reason, hint) = match error {
        rustls::Error::InvalidCertificate(reason) => return certificate_message(reason, peer),
        rustls::Error::InvalidMessage(_) => {
            (format!("`{name}` does not speak TLS"), "perhaps it expects `http://`")
        }
        rustls::Error::AlertReceived(alert) => {
            (format!("`{name}` refused the TLS connection ({alert:?})"), "check its TLS settings")
        }
        other => (format!("no TLS connection to `{name}`: {other}"), "check its TLS settings"),
    };
    (reason, hint.to_owned())
}

fn certificate_message(reason: &CertificateError, peer: &Peer) -> (String, String) {
    let name = &peer.name;
    let (reason, hint) = match reason {
        CertificateError::UnknownIssuer => (
            format!("no known authority vouches for the certificate of `{name}`"),
            "if it is your own, add its root with `--plex-ca`",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of `{name}` has expired"),
            "check the clock, then restart Plex to renew it",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (format!("the certificate of `{name}` is not valid yet"), "check the clock")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            return wrong_name_message(presented, peer);
        }
        // What `openssl req -x509` makes where nobody asks for something else. webpki's words are its variants' names.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            format!("the certificate of `{name}` is an authority's, which can't be a server's"),
            "make another one with `basicConstraints=CA:FALSE`",
        ),
        other => (
            format!("the certificate of `{name}` can't be trusted: {other}"),
            "use another certificate",
        ),
    };
    (reason, hint.to_owned())
}

/// Plex's certificates are for `*.<hash>.plex.direct`, never for an address: the name that fits can be told.
fn wrong_name_message(presented: &[String], peer: &Peer) -> (String, String) {
    let name = &peer.name;
    let hash = presented.iter().find_map(|name| plex_direct_hash(name));
    let (host, port) = name.rsplit_once(':').unwrap_or((name, "32400"));
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let other = format!("the certificate of `{name}` is for another name");
    match (hash, address) {
        (Some(hash), Ok(address)) => {
            let host = dns::plex_direct_name(address, hash);
            (other, format!("use `https://{host}:{port}`"))
        }
        (Some(hash), Err(_)) => (
            format!("the certificate of `{name}` is for `*.{hash}.plex.direct`"),
            "use the server's `plex.direct` name".to_owned(),
        ),
        (None, _) => (other, "use the one that it is for".to_owned()),
    }
}

/// The hash in a presented name; rustls spells it as `DnsName("*.<hash>.plex.direct")`.
fn plex_direct_hash(presented: &str) -> Option<&str> {
    let (front, _) = presented.split_once(".plex.direct")?;
    let hash = front.rsplit('.').next()?;
    hash.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(hash)
}

/// `host:port`, for messages.
fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
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
        let (reason, hint) = wrong_name_message(&presented, &peer);
        format!("{reason}; {hint}")
    }

    #[test]
    fn messages_name_the_peer() {
        for (url, expected) in
            [("http://host/a?b", "host:80"), ("https://[::1]:32400/", "[::1]:32400")]
        {
            assert_eq!(host_and_port(&Url::parse(url).unwrap()), expected);
        }
    }

    #[test]
    fn a_url_without_a_port_is_told_plex_s_own() {
        for (url, told) in
            [("http://nas", true), ("https://nas/plex", true), ("http://nas:32400", false)]
        {
            let peer = Peer::of(&Url::parse(url).unwrap(), false);
            for error in [connect_timeout(&peer), connect(None, &peer)] {
                assert_eq!(error.to_string().contains("32400)"), told, "{error}");
            }
        }
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
