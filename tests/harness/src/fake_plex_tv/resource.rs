//! What `GET /api/v2/resources` lists.

use serde_json::{Value, json};
use url::Url;

use crate::FakePlex;

/// One device of the list; servers are what most tests want.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The name that its owner gave it.
    pub name: String,
    /// Its `machineIdentifier`.
    pub identifier: String,
    /// A comma list; a server's holds `server`.
    pub provides: String,
    /// Whether the account owns it, rather than that it is shared with it.
    pub owned: bool,
    /// The token for this server; a shared server has another one than the account's own.
    pub token: Option<String>,
    /// The server's version.
    pub version: String,
    /// Whether plex.tv thinks that it is online.
    pub presence: bool,
    /// Whether it refuses plain http.
    pub https_required: bool,
    /// Whether who asks comes from the server's own address.
    pub public_address_matches: bool,
    /// The ways to it.
    pub connections: Vec<Connection>,
}

/// One way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The URL.
    pub uri: String,
    /// Its address; that of the URL where nothing else was said.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Whether it is one of the server's own network.
    pub local: bool,
    /// Whether it goes through Plex's relay.
    pub relay: bool,
}

impl Resource {
    /// A server that the account owns, without a way to it, with the token `token`.
    pub fn server(name: &str, identifier: &str, token: &str) -> Self {
        Self {
            name: name.to_owned(),
            identifier: identifier.to_owned(),
            provides: "server".to_owned(),
            owned: true,
            token: Some(token.to_owned()),
            version: "1.41.7.9823-59f304c16".to_owned(),
            presence: true,
            https_required: false,
            public_address_matches: true,
            connections: Vec::new(),
        }
    }

    /// A fake server that the account owns, reached by its URL in the local network.
    pub fn of(plex: &FakePlex, name: &str) -> Self {
        Self::server(name, &plex.machine_identifier(), &plex.token()).local(&plex.url())
    }

    /// The same, shared with the account: with the token that a guest has there.
    #[must_use]
    pub fn shared(self, token: &str) -> Self {
        Self { owned: false, token: Some(token.to_owned()), ..self }
    }

    /// One more way, in the server's own network.
    #[must_use]
    pub fn local(self, uri: &str) -> Self {
        self.connection(Connection { local: true, ..Connection::remote(uri) })
    }

    /// One more way, from outside.
    #[must_use]
    pub fn remote(self, uri: &str) -> Self {
        self.connection(Connection::remote(uri))
    }

    /// One more way, through the relay.
    #[must_use]
    pub fn relay(self, uri: &str) -> Self {
        self.connection(Connection { relay: true, ..Connection::remote(uri) })
    }

    /// One more way.
    #[must_use]
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connections.push(connection);
        self
    }

    pub(super) fn told(&self) -> Value {
        let connections: Vec<_> = self.connections.iter().map(Connection::told).collect();
        json!({
            "name": self.name, "product": "Plex Media Server", "productVersion": self.version, "platform": "Linux",
            "platformVersion": "6.1", "device": "PC", "clientIdentifier": self.identifier,
            "createdAt": "2024-01-01T10:00:00Z", "lastSeenAt": "2026-01-01T10:00:00Z", "provides": self.provides,
            "ownerId": if self.owned { Value::Null } else { json!(77) }, "sourceTitle": null,
            "publicAddress": "192.0.2.1", "accessToken": self.token, "owned": self.owned, "home": false, "synced": false,
            "relay": self.connections.iter().any(|it| it.relay), "presence": self.presence,
            "httpsRequired": self.https_required, "publicAddressMatches": self.public_address_matches,
            "dnsRebindingProtection": false, "natLoopbackSupported": false, "connections": connections,
        })
    }
}

impl Connection {
    /// A way from outside, by this URL.
    ///
    /// # Panics
    /// When it is no URL.
    pub fn remote(uri: &str) -> Self {
        let url = Url::parse(uri).expect("a URL");
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let (label, rest) = host.split_once('.').unwrap_or((host, ""));
        let address = match rest.ends_with("plex.direct") {
            true => label.replace('-', if label.matches('-').count() == 3 { "." } else { ":" }),
            false => host.to_owned(),
        };
        let port = url.port_or_known_default().unwrap_or_default();
        Self { uri: uri.to_owned(), address, port, local: false, relay: false }
    }

    fn told(&self) -> Value {
        let protocol = self.uri.split(':').next();
        json!({
            "protocol": protocol, "address": self.address, "port": self.port, "uri": self.uri, "local": self.local,
            "relay": self.relay, "IPv6": self.address.contains(':'),
        })
    }
}
