//! The account's servers, as plex.tv lists them (`GET /api/v2/resources`). Types of members drift there: a boolean may
//! come as a number or a string, so each is read for what it means.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::account::answers::shown;
use crate::secret::{LONGEST, Secret, Secrets};

/// One of the account's servers.
#[derive(Debug, Clone)]
pub struct Server {
    /// The name that its owner gave it, without control characters.
    pub name: String,
    /// Its identifier.
    pub machine_identifier: String,
    /// Whether the account owns it; else it is shared with it.
    pub owned: bool,
    /// Its version, where plex.tv knows it.
    pub version: Option<String>,
    /// Whether plex.tv sees it online.
    pub online: bool,
    /// This account's token for this server; a shared one has another than the account's.
    pub token: Option<Secret>,
    /// It closes plain connections.
    pub(super) https_required: bool,
    /// It has the same public address as this machine: both are most likely in one network.
    pub(super) public_address_matches: bool,
    /// Where it may be reached, in plex.tv's order.
    pub connections: Vec<Connection>,
}

/// Where a server may be reached.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The base URL.
    pub uri: String,
    /// Host name or address.
    pub address: String,
    /// The port.
    pub port: Option<u16>,
    /// In the server's own network.
    pub local: bool,
    /// By way of Plex's relay, which is slow.
    pub relay: bool,
}

/// Reads plex.tv's list; `None` if it is not one. What is no server is left out, and so is an entry that makes no sense.
pub(in crate::account) fn read(body: &[u8], secrets: &Secrets) -> Option<Vec<Server>> {
    let Value::Array(devices) = serde_json::from_slice(body).ok()? else { return None };
    // Before a name is shown, which may hold the token of any of them.
    devices.iter().filter_map(token).for_each(|token| secrets.remember(&token));
    let mut servers = BTreeMap::new();
    for (place, server) in devices.iter().filter_map(|device| server(device, secrets)).enumerate() {
        servers.entry(server.machine_identifier.clone()).or_insert((place, server));
    }
    let mut servers: Vec<_> = servers.into_values().collect();
    servers.sort_by_key(|(place, _)| *place);
    Some(servers.into_iter().map(|(_, server)| server).collect())
}

fn server(device: &Value, secrets: &Secrets) -> Option<Server> {
    let shown = |name: &str| shown(text(device, name), secrets);
    if !text(device, "provides").split(',').any(|what| what.trim() == "server") {
        return None;
    }
    let machine_identifier = text(device, "clientIdentifier");
    let is_usable = !machine_identifier.is_empty()
        && machine_identifier.bytes().all(|byte| byte.is_ascii_graphic());
    let connections = device["connections"].as_array();
    is_usable.then(|| Server {
        name: shown("name"),
        machine_identifier: machine_identifier.to_owned(),
        owned: is_true(device, "owned"),
        version: Some(shown("productVersion")).filter(|text| !text.is_empty()),
        online: is_true(device, "presence"),
        token: token(device),
        https_required: is_true(device, "httpsRequired"),
        public_address_matches: is_true(device, "publicAddressMatches"),
        connections: connections.into_iter().flatten().filter_map(connection).collect(),
    })
}

fn token(device: &Value) -> Option<Secret> {
    Some(text(device, "accessToken")).filter(|text| is_token(text)).map(Secret::new)
}

fn connection(value: &Value) -> Option<Connection> {
    let uri = text(value, "uri").trim_end_matches('/');
    let port = match &value["port"] {
        Value::Number(port) => port.as_u64().and_then(|port| port.try_into().ok()),
        Value::String(port) => port.parse().ok(),
        _ => None,
    };
    (!uri.is_empty()).then(|| Connection {
        uri: uri.to_owned(),
        address: text(value, "address").to_owned(),
        port,
        local: is_true(value, "local"),
        relay: is_true(value, "relay"),
    })
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn is_true(value: &Value, name: &str) -> bool {
    match &value[name] {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => text == "1" || text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn is_token(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(device: &Value) -> Option<Server> {
        read(json!([device]).to_string().as_bytes(), &Secrets::default())
            .unwrap()
            .into_iter()
            .next()
    }

    #[test]
    fn what_provides_a_server_is_one() {
        for (provides, is_one) in [
            (json!("server"), true),
            (json!("client,server"), true),
            (json!("client, server ,player"), true),
            (json!("client,player"), false),
            (json!("pubsub-server"), false),
            (json!(""), false),
            (json!(null), false),
        ] {
            let device = json!({"provides": provides, "clientIdentifier": "m", "name": "Box"});
            assert_eq!(one(&device).is_some(), is_one, "{provides}");
        }
        assert!(one(&json!({"provides": "server"})).is_none(), "without an identifier");
    }

    #[test]
    fn flags_and_ports_are_read_in_every_spelling() {
        for (written, meant) in [
            (json!(true), true),
            (json!(1), true),
            (json!("1"), true),
            (json!("true"), true),
            (json!(false), false),
            (json!(0), false),
            (json!("0"), false),
            (json!(null), false),
        ] {
            let connection =
                json!({"uri": "https://h:1/", "port": "1", "local": written, "relay": written});
            let device = json!({"provides": "server", "clientIdentifier": "m", "owned": written,
                "presence": written, "httpsRequired": written, "connections": [connection, {}, 5]});
            let server = one(&device).unwrap();
            let connection = &server.connections[0];
            let flags = [server.owned, server.online, server.https_required];
            assert_eq!(flags, [meant; 3], "{written}");
            assert_eq!([connection.local, connection.relay], [meant; 2]);
            assert_eq!((connection.uri.as_str(), connection.port), ("https://h:1", Some(1)));
            assert_eq!(server.connections.len(), 1);
        }
    }

    #[test]
    fn a_name_controls_no_terminal_and_a_strange_token_is_none() {
        let device = json!({"provides": "server", "clientIdentifier": "m",
            "name": "B\u{1b}[31mox\n", "accessToken": "a\r\nX: y", "productVersion": 5});
        let server = one(&device).unwrap();
        assert_eq!(server.name, "B[31mox");
        assert!(server.token.is_none() && server.version.is_none());
        assert!(
            one(&json!({"provides": "server", "clientIdentifier": "m", "accessToken": "t"}))
                .unwrap()
                .token
                .is_some()
        );
    }

    #[test]
    fn what_is_no_list_is_none_and_a_server_counts_once() {
        for body in ["", "{}", "null", "<html>", "\"x\""] {
            assert!(read(body.as_bytes(), &Secrets::default()).is_none(), "{body}");
        }
        let twice = json!([
            {"provides": "server", "clientIdentifier": "b", "name": "first"},
            {"provides": "server", "clientIdentifier": "a"},
            {"provides": "server", "clientIdentifier": "b", "name": "second"},
        ]);
        let servers = read(twice.to_string().as_bytes(), &Secrets::default()).unwrap();
        let names: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
        assert_eq!(names, ["first", ""]);
    }
}
