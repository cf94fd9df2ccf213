//! Where one server may be reached: which of its connections are tried, and which are better than others.

use std::net::IpAddr;

use url::{Host, Url};

use super::resources::{Connection, Server};
use crate::http::resolver::plex_direct::plex_direct_address;

/// One way to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Base URL.
    pub url: Url,
    /// How it leads to the server.
    pub by: By,
}

/// How a connection leads to its server; the best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Within the server's own network.
    Local,
    /// From outside.
    Remote,
    /// By way of Plex's relay.
    Relay,
}

impl Candidate {
    /// Whether what it carries is encrypted.
    pub(super) fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// The candidates of a server, each once, in plex.tv's order.
pub(super) fn of(server: &Server) -> Vec<Candidate> {
    let trusted = server.owned || server.public_address_matches;
    let mut candidates: Vec<Candidate> = Vec::new();
    for connection in &server.connections {
        // Local addresses of somebody else's network may be anything in this one.
        if connection.local && !trusted {
            continue;
        }
        for url in [base(&connection.uri), plain(server, connection)].into_iter().flatten() {
            let by = match (connection.relay, connection.local) {
                (true, _) => By::Relay,
                (false, true) => By::Local,
                (false, false) => By::Remote,
            };
            let candidate = Candidate { url, by };
            let is_known = candidates.iter().any(|known| known.url == candidate.url);
            if !is_known && is_tried(&candidate, connection) {
                candidates.push(candidate);
            }
        }
    }
    candidates
}

/// A base URL; `None` for what no request can go to.
pub(super) fn base(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let bare = url.username().is_empty() && url.password().is_none();
    let bare = bare && url.query().is_none() && url.fragment().is_none();
    (bare && url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// Beside a local connection the same without TLS, where the server takes that: its plex.direct name may be blocked, or
/// its certificate be missing.
fn plain(server: &Server, connection: &Connection) -> Option<Url> {
    let address: IpAddr = connection.address.trim_matches(['[', ']']).parse().ok()?;
    let fits = connection.local && !server.https_required && is_of_private_network(address);
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    base(&format!("http://{host}:{}", connection.port?)).filter(|_| fits)
}

fn is_tried(candidate: &Candidate, connection: &Connection) -> bool {
    let held = address_of(&candidate.url);
    // Without the scope of `fe80::1%eth0`.
    let named = connection.address.trim_matches(['[', ']']).split('%').next();
    let named = named.and_then(|address| address.parse().ok());
    let reachable = |address: Option<IpAddr>| !address.is_some_and(is_link_local);
    // A token never crosses the internet in clear.
    let private = |address: Option<IpAddr>| address.is_none_or(is_private);
    let fits = candidate.is_secure() || (candidate.by != By::Relay && private(held));
    reachable(held) && reachable(named) && fits
}

/// The address that a URL names, if its host is one or holds one.
fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => plex_direct_address(name),
    }
}

/// Whether its certificate alone says which server it is: Plex gives one for a plex.direct name to that server only.
pub(super) fn is_proved_by_certificate(url: &Url) -> bool {
    url.scheme() == "https" && url.domain().is_some_and(|name| plex_direct_address(name).is_some())
}

/// An address of a home's network (RFC 1918, RFC 4193), or of this machine.
fn is_of_private_network(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}

/// The same, and the addresses that VPNs such as Tailscale give (RFC 6598).
pub(super) fn is_private(address: IpAddr) -> bool {
    let of_vpn = match address.to_canonical() {
        IpAddr::V4(address) => matches!(address.octets(), [100, 64..=127, ..]),
        IpAddr::V6(_) => false,
    };
    of_vpn || is_of_private_network(address)
}

fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    fn connection(uri: &str, address: &str, kind: &str) -> Connection {
        Connection {
            uri: uri.replace("HASH", HASH),
            address: address.to_owned(),
            port: Some(32400),
            local: kind == "local",
            relay: kind == "relay",
        }
    }

    fn server(connections: Vec<Connection>) -> Server {
        Server {
            name: "Box".to_owned(),
            machine_identifier: "m".to_owned(),
            owned: true,
            version: None,
            online: true,
            token: None,
            https_required: false,
            public_address_matches: false,
            connections,
        }
    }

    fn urls(server: &Server) -> Vec<String> {
        of(server).iter().map(|it| it.url.as_str().replace(HASH, "HASH")).collect()
    }

    #[test]
    fn which_connections_are_tried() {
        for (uri, address, kind, expected) in [
            (
                "https://192-168-1-5.HASH.plex.direct:32400",
                "192.168.1.5",
                "local",
                &["https://192-168-1-5.HASH.plex.direct:32400/", "http://192.168.1.5:32400/"][..],
            ),
            // A bridge of Docker looks like any other network: it is tried, and fails.
            (
                "https://172-17-0-2.HASH.plex.direct:32400",
                "172.17.0.2",
                "local",
                &["https://172-17-0-2.HASH.plex.direct:32400/", "http://172.17.0.2:32400/"],
            ),
            (
                "https://fd00-0-0-0-0-0-0-5.HASH.plex.direct:32400",
                "fd00::5",
                "local",
                &["https://fd00-0-0-0-0-0-0-5.HASH.plex.direct:32400/", "http://[fd00::5]:32400/"],
            ),
            (
                "https://2001-db8-0-0-0-0-0-5.HASH.plex.direct:32400",
                "2001:db8::5",
                "local",
                &["https://2001-db8-0-0-0-0-0-5.HASH.plex.direct:32400/"],
            ),
            ("https://169-254-3-4.HASH.plex.direct:32400", "169.254.3.4", "local", &[]),
            ("https://fe80-0-0-0-0-0-0-5.HASH.plex.direct:32400", "fe80::5", "local", &[]),
            ("https://example.org:443", "fe80::1%eth0", "local", &[]),
            ("https://0-0-0-0.HASH.plex.direct:32400", "0.0.0.0", "local", &[]),
            ("http://192.168.1.5:32400", "192.168.1.5", "local", &["http://192.168.1.5:32400/"]),
            (
                "https://example.org:443/plex",
                "example.org",
                "remote",
                &["https://example.org/plex"],
            ),
            ("http://nas:32400", "nas", "remote", &["http://nas:32400/"]),
            // In clear through the internet.
            ("http://203.0.113.5:32400", "203.0.113.5", "remote", &[]),
            ("http://203-0-113-5.HASH.plex.direct:32400", "203.0.113.5", "remote", &[]),
            (
                "http://100.101.102.103:32400",
                "100.101.102.103",
                "remote",
                &["http://100.101.102.103:32400/"],
            ),
            (
                "https://203-0-113-5.HASH.plex.direct:8443",
                "203.0.113.5",
                "relay",
                &["https://203-0-113-5.HASH.plex.direct:8443/"],
            ),
            ("http://192.168.1.5:8443", "192.168.1.5", "relay", &[]),
            ("https://user:secret@example.org", "example.org", "remote", &[]),
            ("https://user@example.org", "example.org", "remote", &[]),
            ("https://:secret@example.org", "example.org", "remote", &[]),
            ("https://example.org/#part", "example.org", "remote", &[]),
            ("https://example.org/?X-Plex-Token=x", "example.org", "remote", &[]),
            ("ftp://example.org", "example.org", "remote", &[]),
            ("nonsense", "", "remote", &[]),
        ] {
            assert_eq!(urls(&server(vec![connection(uri, address, kind)])), expected, "{uri}");
        }
    }

    #[test]
    fn plain_connections_are_made_up_only_where_the_server_takes_them() {
        let connections = || {
            vec![connection("https://192-168-1-5.HASH.plex.direct:32400", "192.168.1.5", "local")]
        };
        let secure = Server { https_required: true, ..server(connections()) };
        assert_eq!(urls(&secure).len(), 1);
        assert_eq!(urls(&server(connections())).len(), 2);
    }

    #[test]
    fn local_addresses_of_another_network_are_left_out() {
        let connections = || {
            vec![
                connection("https://192-168-1-5.HASH.plex.direct:32400", "192.168.1.5", "local"),
                connection("https://203-0-113-5.HASH.plex.direct:32400", "203.0.113.5", "remote"),
            ]
        };
        for (owned, public_address_matches, count) in
            [(true, false, 3), (true, true, 3), (false, true, 3), (false, false, 1)]
        {
            let server = Server { owned, public_address_matches, ..server(connections()) };
            assert_eq!(urls(&server).len(), count, "{owned} {public_address_matches}");
        }
    }

    #[test]
    fn a_connection_that_is_listed_twice_is_tried_once() {
        let plain = || connection("http://192.168.1.5:32400", "192.168.1.5", "local");
        assert_eq!(urls(&server(vec![plain(), plain()])).len(), 1);
    }

    #[test]
    fn a_certificate_proves_plex_direct_names_only() {
        for (url, proved) in [
            ("https://192-168-1-5.0123.plex.direct:32400", true),
            ("http://192-168-1-5.0123.plex.direct:32400", false),
            ("https://example.org", false),
            ("https://192.168.1.5:32400", false),
            ("https://192-168-1-5.0123.plex.direct.example.org", false),
        ] {
            assert_eq!(is_proved_by_certificate(&Url::parse(url).unwrap()), proved, "{url}");
        }
    }

    #[test]
    fn private_addresses() {
        for (address, private) in [
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("192.168.0.1", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("fd12::1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("8.8.8.8", false),
            ("2001:db8::1", false),
            ("169.254.1.1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }
}
