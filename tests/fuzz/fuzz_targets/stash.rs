//! A Stash that says anything: no panic; each message becomes one call or one answer that Stash understands; no answer
//! tells the cookie; and the cookie would go to the host and the port that Stash has named, or to this machine.
//! Settings of any kind are read or refused, and no error tells the token.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::{FromStash, from_stash, graphql, settings};
use serde_json::{Map, Value, json};

const COOKIE: &str = "c4nary-of-the-cookie";
const TOKEN: &str = "c4nary-of-the-token";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    raw: bool,
    in_array: bool,
    scheme: &'a str,
    host: &'a str,
    port: u16,
    /// In place of the whole connection.
    connection: Option<&'a str>,
    method: Option<&'a str>,
    params: &'a str,
    hook: &'a str,
    /// In place of the text, or behind it.
    bytes: &'a [u8],
    whole: bool,
    plex_url: &'a str,
    path_map: &'a str,
    token_in_map: bool,
    path: &'a str,
}

fuzz_target!(|input: Input| {
    said(&input);
    saved(&input);
});

fn said(input: &Input) {
    let cookie = json!({"Name": "session", "Value": COOKIE});
    let connection = match input.connection {
        Some(text) => any(text),
        None => json!({"Scheme": input.scheme, "Host": input.host, "Port": input.port, "SessionCookie": cookie}),
    };
    let args = json!({"method": input.method, "params": any(input.params), "hookContext": any(input.hook)});
    let text = json!({"server_connection": connection, "args": args});
    let text = match (input.raw, input.in_array) {
        (true, _) => text,
        (false, true) => json!({"method": "RPCRunner.Run", "params": [text], "id": 0}),
        (false, false) => json!({"method": "RPCRunner.Run", "params": text, "id": 0}),
    };
    let text = if input.whole { String::new() } else { text.to_string() };
    let bytes = [text.as_bytes(), input.bytes].concat();
    for item in from_stash(&bytes) {
        match item {
            FromStash::Call(method, connection) => {
                assert!(!method.is_empty());
                let Some(url) = graphql(&connection) else { continue };
                assert!(matches!(url.scheme(), "http" | "https"));
                assert!(url.username().is_empty() && url.password().is_none());
                assert_eq!(url.path(), "/graphql");
                assert_eq!(url.port_or_known_default(), Some(connection.port));
                let host = url.host_str().expect("a host");
                let named = connection.host.trim().trim_matches(['[', ']']);
                let named = format!("http://{}/", if named.contains(':') { format!("[{named}]") } else { named.to_owned() });
                let named = url::Url::parse(&named).ok();
                let is_named = named.is_some_and(|named| named.host_str() == Some(host));
                assert!(is_named || ["127.0.0.1", "[::1]"].contains(&host), "{url}");
            }
            FromStash::Answer(answer) => {
                serde_json::from_slice::<Value>(&answer).expect("JSON");
                let answer = String::from_utf8_lossy(&answer).into_owned();
                let is_quoted = String::from_utf8_lossy(input.bytes).contains(COOKIE);
                assert!(is_quoted || !answer.contains(COOKIE), "{answer}");
            }
        }
    }
}

fn saved(input: &Input) {
    let mut saved = Map::new();
    let map = if input.token_in_map { format!("{}{TOKEN}", input.path_map) } else { input.path_map.to_owned() };
    for (name, value) in [("plex_url", any(input.plex_url)), ("plex_token", json!(TOKEN)), ("path_map", any(&map))] {
        saved.insert(name.to_owned(), value);
    }
    if let Err(error) = settings(&saved, input.path) {
        assert!(!error.contains(TOKEN), "{error}");
    }
}

/// Text that is JSON as that, else as a string.
fn any(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
