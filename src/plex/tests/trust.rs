//! TLS, `plex.direct` and proxies.

use plexsync_protocol::error::TimeoutPhase;

use super::server::Reply::Keep;
use super::server::{connections, silent};
use super::*;

const HASH: &str = "0123456789abcdef0123456789abcdef";

fn message(outcome: Result<Answer, PlexError>) -> String {
    match outcome {
        Err(PlexError::Http(error @ HttpError::Unreachable { kind: UnreachableKind::Tls, .. })) => {
            error.to_string()
        }
        Err(other) => panic!("{other:?}"),
        Ok(answer) => panic!("{}", answer.status),
    }
}

fn trusting(folder: &tempfile::TempDir, pem: &str) -> Plex {
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, pem).unwrap();
    Plex::new(Options { ca_file: Some(path), ..Options::default() })
}

#[tokio::test]
async fn plex_direct_is_reached_by_the_address_in_its_name() {
    let name = format!("*.{HASH}.plex.direct");
    let (server, ca) = Server::start_tls([Keep(ok("1")), Keep(ok("2"))], &[&name]);
    let folder = tempfile::tempdir().unwrap();
    let plex = trusting(&folder, &ca);
    let port = server.address.port();
    let url = format!("https://127-0-0-1.{HASH}.plex.direct:{port}");
    let answer = ask_of(&plex, url.clone(), json!({"path": "/"})).await.unwrap();
    assert_eq!((answer.status, answer.url.as_str()), (200, format!("{url}/").as_str()));
    let answer = ask_of(&plex, url.clone(), json!({"path": "/", "method": "POST"})).await.unwrap();
    assert_eq!(body(&answer), json!(2));

    let outcome = ask_of(&plex, format!("https://127.0.0.1:{port}"), json!({"path": "/"})).await;
    assert!(message(outcome).contains(&format!("`{url}`")));
    let outcome = ask_of(&plex, format!("https://localhost:{port}"), json!({"path": "/"})).await;
    assert!(message(outcome).contains(&format!("*.{HASH}.plex.direct")));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn strangers_are_not_trusted() {
    let (server, _) = Server::start_tls([], &["localhost"]);
    let (_, other) = Server::start_tls([], &["elsewhere"]);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("https://localhost:{}", server.address.port());
    let outcome = ask_of(&trusting(&folder, &other), url, json!({"path": "/"})).await;
    assert!(message(outcome).contains("--plex-ca"));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_missing_ca_file_is_looked_for_again() {
    let (server, ca) = Server::start_tls([Keep(ok("1"))], &["localhost"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let plex = Plex::new(Options { ca_file: Some(path.clone()), ..Options::default() });
    let url = format!("https://localhost:{}", server.address.port());
    let outcome = ask_of(&plex, url.clone(), json!({"path": "/"})).await;
    assert!(message(outcome).contains("ca.pem"));
    std::fs::write(&path, ca).unwrap();
    assert_eq!(ask_of(&plex, url, json!({"path": "/"})).await.unwrap().status, 200);
}

#[tokio::test]
async fn no_tls_there() {
    let (_, ca) = Server::start_tls([], &["localhost"]);
    let folder = tempfile::tempdir().unwrap();
    let plex = trusting(&folder, &ca);
    // A TLS hello never ends with an empty line, so a server of HTTP would wait: this one speaks first.
    let (listener, address) = silent();
    std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let outcome = ask_of(&plex, format!("https://{address}"), json!({"path": "/"})).await;
    assert!(message(outcome).contains("http://"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_a_connection_that_does_not() {
    let (server, ca) = Server::start_tls([Keep(ok("1"))], &["localhost"]);
    let folder = tempfile::tempdir().unwrap();
    let plex = trusting(&folder, &ca);
    // A client is there now: what takes its time from here on is the handshake.
    let here = format!("https://localhost:{}", server.address.port());
    assert!(ask_of(&plex, here, json!({"path": "/"})).await.is_ok());
    let (_listener, address) = silent();
    let outcome =
        ask_of(&plex, format!("https://{address}"), json!({"path": "/", "timeout_ms": 500})).await;
    assert!(matches!(
        outcome,
        Err(PlexError::Http(HttpError::Timeout { phase: TimeoutPhase::Connect, .. }))
    ));
}

#[tokio::test]
async fn a_proxy_never_sees_plain_requests_nor_the_token() {
    let (proxy, proxy_address) = silent();
    let settings = ProxySettings { https: Some(format!("http://{proxy_address}")), no_proxy: None };
    let plex = Plex::new(Options { proxy: settings.clone(), ..Options::default() });
    let server = Server::start([Keep(ok("1"))]);
    assert_eq!(ask_of(&plex, server.url(), json!({"path": "/"})).await.unwrap().status, 200);
    assert!(connections(&proxy).is_empty());

    let proxy = Server::start([Keep(http("403 No", "", ""))]);
    let (_, ca) = Server::start_tls([], &["localhost"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, ca).unwrap();
    let settings = ProxySettings { https: Some(proxy.url()), no_proxy: None };
    let options = Options { proxy: settings, ca_file: Some(path.clone()), ..Options::default() };
    let plex = Plex::new(options);
    let params = json!({"path": "/", "retries": 0});
    let outcome = ask_of(&plex, "https://plex.example".to_owned(), params).await;
    assert_eq!(kind(outcome), UnreachableKind::Connect);
    let seen = proxy.seen();
    assert_eq!(seen[0].first_line(), "CONNECT plex.example:443 HTTP/1.1");
    assert!(!seen[0].text.contains(TOKEN) && !seen[0].text.contains("the-device"));

    let (server, ca) = Server::start_tls([Keep(ok("1"))], &["localhost"]);
    std::fs::write(&path, ca).unwrap();
    let settings =
        ProxySettings { https: Some(proxy.url()), no_proxy: Some("localhost".to_owned()) };
    let options = Options { proxy: settings, ca_file: Some(path), ..Options::default() };
    let url = format!("https://localhost:{}", server.address.port());
    let answer = ask_of(&Plex::new(options), url, json!({"path": "/"})).await.unwrap();
    assert_eq!((answer.status, proxy.seen().len()), (200, 1));
}
