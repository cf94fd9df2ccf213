//! plex.tv's endpoints: PIN login, user, resources, the account's devices.

use serde_json::{Value, json};

use super::devices::{SERVER_NAME, identifiers};
use super::{Caller, State, plex_value, xml};
use crate::http::{Request, Response};

/// PIN logins under way.
#[derive(Debug, Default)]
pub(super) struct PlexTv {
    pins: Vec<Pin>,
}

#[derive(Debug)]
struct Pin {
    number: u64,
    code: String,
    identifier: String,
    token: Option<String>,
}

impl PlexTv {
    pub(super) fn approve(&mut self, code: &str, token: &str) -> bool {
        let pin = self.pins.iter_mut().find(|pin| pin.code == code);
        pin.map(|pin| pin.token = Some(token.to_owned())).is_some()
    }
}

/// Whether a path is plex.tv's and not the media server's.
pub(super) fn owns(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/devices/") || path == "/devices.xml"
}

/// Answers one request as plex.tv does.
pub(super) fn answer(state: &mut State, request: &Request, caller: Caller) -> Response {
    let parts: Vec<&str> = request.path().split('/').filter(|part| !part.is_empty()).collect();
    let identifier = identifiers(request).into_iter().next();
    match (request.method.as_str(), parts.as_slice(), identifier) {
        ("GET", ["api", "v2", "ping"], _) => json_or_xml(request, 200, &json!({"pong": true})),
        (_, ["api", "v2", "pins" | "resources", ..], None) => {
            error(request, 400, 1000, "X-Plex-Client-Identifier is missing")
        }
        ("POST", ["api", "v2", "pins"], Some(identifier)) => new_pin(state, request, identifier),
        ("GET", ["api", "v2", "pins", number], Some(identifier)) => {
            pin(state, request, number, &identifier)
        }
        _ if caller == Caller::Nobody => {
            error(request, 401, 1001, "User could not be authenticated")
        }
        ("GET", ["api", "v2", "user"], _) => json_or_xml(
            request,
            200,
            &json!({"id": 1, "username": "owner", "title": "owner", "email": "owner@example.com"}),
        ),
        ("GET", ["api", "v2", "resources"], _) => resources(state, request),
        ("GET", ["devices.xml"], _) => devices(state),
        ("DELETE", ["devices", file], _) => delete(state, request, file),
        _ => error(request, 404, 1002, "Not found"),
    }
}

/// plex.tv gives JSON for exactly `application/json`, and XML otherwise.
fn json_or_xml(request: &Request, status: u16, body: &Value) -> Response {
    if request.header("accept") == Some("application/json") {
        return Response::text(status, "application/json; charset=utf-8", body.to_string());
    }
    let body = match body {
        Value::Array(values) => json!({"resources": {"resource": values}}),
        other => json!({"response": other}),
    };
    Response::text(status, "application/xml; charset=utf-8", xml::document(&body))
}

pub(super) fn error(request: &Request, status: u16, code: u16, message: &str) -> Response {
    let error = json!({"code": code, "message": message, "status": status});
    if request.header("accept") == Some("application/json") {
        return Response::text(
            status,
            "application/json; charset=utf-8",
            json!({"errors": [error]}).to_string(),
        );
    }
    let body = xml::document(&json!({"errors": {"error": [error]}}));
    Response::text(status, "application/xml; charset=utf-8", body)
}

fn new_pin(state: &mut State, request: &Request, identifier: String) -> Response {
    let number = 111_222_333 + state.plex_tv.pins.len() as u64;
    let pin =
        Pin { number, code: format!("C{:03}", state.plex_tv.pins.len()), identifier, token: None };
    let body = pin.told(request);
    state.plex_tv.pins.push(pin);
    json_or_xml(request, 201, &body)
}

/// A PIN is told only to the device that asked for it.
fn pin(state: &State, request: &Request, number: &str, identifier: &str) -> Response {
    let found = |pin: &&Pin| pin.number.to_string() == number && pin.identifier == identifier;
    match state.plex_tv.pins.iter().find(found) {
        Some(pin) => json_or_xml(request, 200, &pin.told(request)),
        None => error(request, 404, 1020, "Code not found or expired"),
    }
}

impl Pin {
    fn told(&self, request: &Request) -> Value {
        json!({
            "id": self.number, "code": self.code, "product": plex_value(request, "X-Plex-Product"), "trusted": false,
            "clientIdentifier": self.identifier, "expiresIn": 900, "createdAt": "2026-01-01T00:00:00Z",
            "expiresAt": "2026-01-01T00:15:00Z", "authToken": self.token, "newRegistration": null,
            "location": {"code": "GB", "country": "United Kingdom", "city": "London", "time_zone": "Europe/London"},
        })
    }
}

fn resources(state: &State, request: &Request) -> Response {
    let (provides, version) = state.registry.server_row();
    let address = state.url.split("://").nth(1).unwrap_or_default();
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "32400"));
    let connection = json!({"protocol": state.url.split(':').next(), "address": host, "port": port.parse::<u16>().ok(),
        "uri": state.url, "local": true, "relay": false, "IPv6": false});
    let server = json!({"name": SERVER_NAME, "product": "Plex Media Server", "productVersion": version,
        "provides": provides, "clientIdentifier": state.machine, "accessToken": state.tokens.owner, "owned": true,
        "presence": true, "httpsRequired": false, "connections": [connection]});
    json_or_xml(request, 200, &json!([server]))
}

fn devices(state: &State) -> Response {
    let rows: Vec<_> = state
        .registry
        .devices()
        .iter()
        .map(|device| {
            json!({"id": device.number, "name": device.name, "product": device.product,
            "productVersion": device.version, "platform": device.platform, "device": device.device,
            "provides": device.provides, "clientIdentifier": device.identifier, "token": "xxxx"})
        })
        .collect();
    let body =
        xml::document(&json!({"MediaContainer": {"publicAddress": "192.0.2.1", "Device": rows}}));
    Response::text(200, "application/xml; charset=utf-8", body)
}

/// Deleting one's own device revokes the token in use.
fn delete(state: &mut State, request: &Request, file: &str) -> Response {
    let number = file.strip_suffix(".xml").and_then(|number| number.parse().ok());
    let Some(device) = number.and_then(|number| state.registry.delete(number)) else {
        return error(request, 404, 1002, "Not found");
    };
    if device.identifier.is_some() && device.identifier == identifiers(request).into_iter().next() {
        state.tokens.revoked.extend(plex_value(request, "X-Plex-Token"));
    }
    Response::new(200)
}
