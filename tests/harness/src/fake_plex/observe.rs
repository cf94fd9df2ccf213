//! `/__fake/...`: what the fake has seen, for programs in other languages.

use serde_json::{Value, json};

use super::Inner;
use crate::http::{Request, Response};

/// Answers `requests`, `devices`, `events`, `scans` as JSON arrays, and `POST forget/ID`, `POST clear`.
pub(super) fn answer(inner: &Inner, request: &Request, path: &str) -> Response {
    let mut state = inner.state();
    let seen = match (request.method.as_str(), path) {
        ("GET", "requests") => state.requests.iter().map(told).collect(),
        ("GET", "devices") => json!(state.registry.devices()),
        ("GET", "events") => json!(state.registry.events()),
        ("GET", "scans") => json!(state.library.scans),
        ("POST", "clear") => {
            state.clear();
            Value::Null
        }
        ("POST", path) if path.starts_with("forget/") => {
            json!(state.registry.forget(&path["forget/".len()..]))
        }
        _ => return Response::new(404),
    };
    Response::json(200, &seen)
}

fn told(request: &Request) -> Value {
    json!({
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.body_text(),
        "connection": request.connection,
    })
}
