//! The OpenRPC document, made from the types (<https://spec.open-rpc.org>, version 1.3.2). Built for tests only: the
//! result is committed as `openrpc.json`, and a stale one fails.

mod auth;
mod device;
mod find;
mod methods;
mod schemas;
mod server;
mod tests;

pub(crate) use schemas::{Body, Id, QueryValue, RunParams};

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Code;
use crate::message::{self, CancelParams, Progress, method};
use schemas::Schemas;

/// The whole document. Members that begin with `x-` are not OpenRPC's.
#[derive(Serialize)]
struct Document {
    openrpc: &'static str,
    info: Value,
    methods: Vec<Method>,
    #[serde(rename = "x-notifications")]
    notifications: Vec<Notification>,
    #[serde(rename = "x-errors")]
    errors: Vec<ErrorEntry>,
    #[serde(rename = "x-limits")]
    limits: Value,
    components: Value,
}

/// A Method Object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    name: &'static str,
    summary: &'static str,
    description: &'static str,
    param_structure: &'static str,
    params: Vec<Value>,
    result: Value,
    errors: Vec<Value>,
    examples: Vec<Value>,
}

/// A message that is not answered.
#[derive(Serialize)]
struct Notification {
    name: &'static str,
    from: &'static str,
    summary: &'static str,
    params: Value,
}

/// An error with the schema of its data, which OpenRPC's Error Object can't hold.
#[derive(Serialize)]
struct ErrorEntry {
    code: i64,
    name: String,
    hint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

/// The text of `openrpc.json`.
fn text() -> String {
    let mut schemas = Schemas::default();
    let methods = methods::all(&mut schemas);
    let notifications = notifications(&mut schemas);
    let errors: Vec<_> = Code::ALL.into_iter().map(|code| entry(code, &mut schemas)).collect();
    let document = Document {
        openrpc: "1.3.2",
        info: json!({
            "title": "plexsync-worker",
            "version": crate::CONTRACT_VERSION,
            "description": "Talks to Plex as one device, permanently. JSON-RPC 2.0 on stdin and stdout, one JSON \
                value a line or Content-Length header blocks.",
            "license": {"name": "MIT OR Apache-2.0"},
        }),
        methods,
        notifications,
        errors,
        limits: limits(),
        components: json!({"errors": error_objects(), "schemas": schemas.definitions()}),
    };
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

fn limits() -> Value {
    json!({
        "max_message_bytes": message::MAX_MESSAGE,
        "max_batch": message::MAX_BATCH,
        "max_running": message::MAX_RUNNING,
        "max_waiting": message::MAX_WAITING,
        "drain_ms": message::DRAIN.as_millis() as u64,
        "drain_on_signal_ms": message::DRAIN_ON_SIGNAL.as_millis() as u64,
    })
}

fn notifications(schemas: &mut Schemas) -> Vec<Notification> {
    vec![
        Notification {
            name: method::CANCEL,
            from: "host",
            summary: "Stops a call, which is then answered with -32800.",
            params: schemas.of::<CancelParams>(),
        },
        Notification {
            name: method::PROGRESS,
            from: "worker",
            summary: "The progress of a call that gave a `progress_token`.",
            params: schemas.of::<Progress>(),
        },
    ]
}

fn entry(code: Code, schemas: &mut Schemas) -> ErrorEntry {
    ErrorEntry {
        code: code.number(),
        name: format!("{code:?}"),
        hint: hint(code),
        data: schemas.of_data(code),
    }
}

/// What the host should do.
fn hint(code: Code) -> &'static str {
    match code {
        Code::ParseError | Code::InvalidRequest | Code::MethodNotFound => "fix the request",
        Code::InvalidParams => "fix the request: data.pointer says where, data.reason why",
        Code::InternalError => "report it: the worker has a bug",
        Code::Overloaded => "wait, then retry",
        Code::IdentityUnavailable => {
            "show data.path and data.reason to the user; nothing was sent to Plex, nothing was written"
        }
        Code::IdentityChanged => "decide again with data.device_id",
        Code::PlexUnreachable => {
            "data.kind says what failed: retry later, or correct the configuration"
        }
        Code::PlexTimeout => {
            "data.phase says what it was waiting for: retry later, or raise timeout_ms"
        }
        Code::AnswerTooLarge => "raise max_bytes or ask for less",
        Code::RefusedByPlex => {
            "show data.message to the user; data.status 401: sign in again or correct the token"
        }
        Code::SignInIncomplete => "begin again with auth.start",
        Code::NotConfigured => "configure what data.missing names, or send it with the call",
        Code::Cancelled => "nothing: the call was cancelled or the worker stopped",
    }
}

fn error_objects() -> BTreeMap<String, Value> {
    let object = |code: Code| json!({"code": code.number(), "message": message(code)});
    Code::ALL.into_iter().map(|code| (format!("{code:?}"), object(code))).collect()
}

/// A short description; the worker's own messages are longer.
fn message(code: Code) -> &'static str {
    match code {
        Code::ParseError => "invalid JSON",
        Code::InvalidRequest => "invalid request",
        Code::MethodNotFound => "method not found",
        Code::InvalidParams => "invalid params",
        Code::InternalError => "internal error",
        Code::Overloaded => "overloaded",
        Code::IdentityUnavailable => "identity unavailable",
        Code::IdentityChanged => "identity changed",
        Code::PlexUnreachable => "plex unreachable",
        Code::PlexTimeout => "plex timeout",
        Code::AnswerTooLarge => "answer too large",
        Code::RefusedByPlex => "refused by plex",
        Code::SignInIncomplete => "sign-in not completed",
        Code::NotConfigured => "not configured",
        Code::Cancelled => "cancelled",
    }
}
