//! Whole requests against a server on loopback that does what a test tells it to.

mod limits;
mod sending;
mod server;

use plexsync_protocol::error::UnreachableKind;
use plexsync_protocol::identity::{IdentityHeaders, Origin};
use serde_json::{Value, json};

use self::server::Server;
use super::*;
use crate::secret::Secret;

const TOKEN: &str = "configured-token";

fn identity() -> Arc<Identity> {
    let headers = IdentityHeaders::new("the-device", "1.0.0");
    let path = "/data/device_id.json".to_owned();
    Arc::new(Identity::new("the-device".to_owned(), Origin::Loaded, path, headers, None))
}

fn account(url: String) -> Account {
    Account { server: Some(url), token: Ok(Some(Secret::new(TOKEN))), router: None }
}

fn call(url: String, params: Value) -> RequestCall {
    RequestCall {
        params: serde_json::from_str(&params.to_string()).unwrap(),
        identity: identity(),
        account: account(url),
        limits: Limits::normal(),
        progress: None,
    }
}

/// One request by a new worker. No message may hold the token.
async fn ask(url: String, params: Value) -> Result<Answer, PlexError> {
    ask_of(&Plex::new(Options::default()), url, params).await
}

async fn ask_of(plex: &Plex, url: String, params: Value) -> Result<Answer, PlexError> {
    let outcome = plex.request(call(url, params)).await;
    if let Err(error) = &outcome {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("token") || !text.contains(TOKEN), "{text}");
    }
    outcome
}

fn kind(outcome: Result<Answer, PlexError>) -> UnreachableKind {
    match outcome {
        Err(PlexError::Http(HttpError::Unreachable { kind, .. })) => kind,
        Err(other) => panic!("{other:?}"),
        Ok(answer) => panic!("{}", answer.status),
    }
}

fn body(answer: &Answer) -> Value {
    let text: Vec<u8> = answer.body.value.pieces().flatten().copied().collect();
    serde_json::from_slice(&text).unwrap()
}

/// A whole answer with a JSON body.
fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    http("200 OK", "", body)
}

#[test]
fn calls_can_travel_between_threads() {
    fn check<T: Send + 'static>(_: &T) {}
    let plex = Plex::new(Options::default());
    let request = plex.request(call("http://h".to_owned(), json!({"path": "/"})));
    check(&request);
}

#[tokio::test]
async fn tokens_are_remembered() {
    let secrets = Secrets::default();
    let plex = Plex::new(Options { secrets: secrets.clone(), ..Options::default() });
    let server = Server::start([]);
    let _ = plex
        .request(call(server.url(), json!({"path": "/", "token": "own-token", "retries": 0})))
        .await;
    let _ = plex.request(call(server.url(), json!({"path": "/", "retries": 0}))).await;
    let text = format!("{TOKEN} own-token");
    assert_eq!(secrets.redact(&text), "REDACTED REDACTED");
}
