//! Where the parent Stash listens.

use std::net::IpAddr;

use plexsync_protocol::stash::ServerConnection;
use url::Url;

/// Address of the parent Stash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl Address {
    /// Whether a URL made of it names this host: `name@elsewhere:80/` would name another.
    fn is_one(&self) -> bool {
        let of_a_name =
            |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
        self.host.parse::<IpAddr>().is_ok() || self.host.chars().all(of_a_name)
    }

    /// The address to connect to. Stash gives the one it listens on: "every interface" becomes this machine's
    /// loopback. `localhost` is Go's first choice for that name, so that no resolver can redirect it.
    pub(super) fn of(connection: &ServerConnection) -> Self {
        let host = match connection.host.trim().trim_matches(['[', ']']) {
            "" | "0.0.0.0" => "127.0.0.1".to_owned(),
            "::" => "::1".to_owned(),
            name if name.eq_ignore_ascii_case("localhost") => "127.0.0.1".to_owned(),
            other => other.to_owned(),
        };
        let scheme = match connection.scheme.eq_ignore_ascii_case("https") {
            true => "https",
            false => "http",
        };
        Self { scheme, host, port: connection.port }
    }

    /// Whether only this machine can answer there.
    pub(super) fn is_loopback(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// Where GraphQL is served; `None` if the host is neither a host name nor an address: the cookie could be sent
    /// elsewhere.
    pub(super) fn graphql(&self) -> Option<Url> {
        self.is_one().then(|| Url::parse(&format!("{self}/graphql")).ok()).flatten()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, host, port } = self;
        match host.contains(':') {
            true => write!(formatter, "{scheme}://[{host}]:{port}"),
            false => write!(formatter, "{scheme}://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_else() {
        let address = |host: &str| {
            let host = host.to_owned();
            Address::of(&ServerConnection { host, ..ServerConnection::default() })
        };
        for good in ["", "stash", "stash.local", "my_stash", "müller.local", "192.168.1.2", "::1"]
        {
            assert!(address(good).is_one(), "{good}");
        }
        for bad in [
            "127.0.0.1@127.0.0.1:1234/",
            "user:pass@stash",
            "stash:80",
            "stash/x",
            "stash?x",
            "stash#x",
            "st ash",
            "a\\b",
            "%73tash",
            "fe80::1%eth0",
        ] {
            assert!(!address(bad).is_one(), "{bad}");
        }
    }

    #[test]
    fn any_interface_means_this_machine() {
        let cases = [
            ("http", "0.0.0.0", "http://127.0.0.1:9999", true),
            ("http", "", "http://127.0.0.1:9999", true),
            ("", "::", "http://[::1]:9999", true),
            ("HTTPS", "[::]", "https://[::1]:9999", true),
            ("https", "Localhost", "https://127.0.0.1:9999", true),
            ("https", "::ffff:127.0.0.1", "https://[::ffff:127.0.0.1]:9999", true),
            ("https", "127.9.9.9", "https://127.9.9.9:9999", true),
            ("https", "192.168.1.2", "https://192.168.1.2:9999", false),
            ("http", "fd00::1", "http://[fd00::1]:9999", false),
            ("https", "127.0.0.1.example", "https://127.0.0.1.example:9999", false),
            ("https", "stash", "https://stash:9999", false),
        ];
        for (scheme, host, expected, loopback) in cases {
            let connection = ServerConnection {
                scheme: scheme.to_owned(),
                host: host.to_owned(),
                port: 9999,
                ..ServerConnection::default()
            };
            let address = Address::of(&connection);
            assert_eq!(address.to_string(), expected);
            assert_eq!(address.is_loopback(), loopback, "{host}");
            let url = address.graphql().unwrap();
            assert_eq!(
                (url.scheme() == "https", url.port()),
                (expected.starts_with("https"), Some(9999))
            );
        }
    }
}
