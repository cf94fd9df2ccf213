//! TLS: who is trusted, what a refusal says, and that a worker without roots still works.

use plexsync_harness::http::HttpServer;
use plexsync_harness::{FakePlex, Host, RpcError, TlsSetup};
use serde_json::{Value, json};

use crate::host;

const SECTIONS: &str = "/library/sections";

fn request(host: &mut Host, params: Value) -> Result<Value, RpcError> {
    let mut params = params;
    params["retries"] = json!(0);
    params["path"] = json!(SECTIONS);
    host.call("plex.request", params)
}

fn refusal(setup: TlsSetup) -> RpcError {
    let plex = FakePlex::start_tls(setup);
    let mut host = host().plex(&plex).start();
    let error = request(&mut host, json!({})).unwrap_err();
    assert!(plex.requests().is_empty(), "{setup:?}: nothing is sent before the check");
    host.call("identity.get", json!({})).unwrap();
    error
}

#[test]
fn the_right_names_are_trusted_with_the_users_own_authority() {
    for setup in [TlsSetup::RightName, TlsSetup::PlexDirect] {
        let plex = FakePlex::start_tls(setup);
        let mut host = host().plex(&plex).start();
        for _ in 0..2 {
            assert_eq!(request(&mut host, json!({})).unwrap()["status"], 200, "{setup:?}");
        }
        let seen = plex.requests();
        assert_eq!(seen[0].header("X-Plex-Token"), Some(plex.token().as_str()));
        assert_eq!(seen[0].connection, seen[1].connection, "a connection is used again");
    }
}

#[test]
fn wrong_certificates_are_refused_with_a_hint() {
    for (setup, word) in [
        (TlsSetup::WrongName, "another name"),
        (TlsSetup::Expired, "expired"),
        (TlsSetup::SelfSigned, "--plex-ca"),
        (TlsSetup::Authority, "CA:FALSE"),
        (TlsSetup::ClientCertificate, "wants a client certificate"),
        (TlsSetup::PlainHttp, "http://"),
        (TlsSetup::CloseAtOnce, "handshake"),
    ] {
        let error = refusal(setup);
        let kind = error.datum("kind");
        assert_eq!((error.code, kind.as_str()), (-32010, Some("tls")), "{setup:?}: {error:?}");
        assert!(error.message.contains(word), "{setup:?}: {}", error.message);
    }
}

#[test]
fn an_unknown_authority_is_refused() {
    let plex = FakePlex::start_tls(TlsSetup::RightName);
    let mut host = host().env("PLEX_URL", plex.url()).token("t").start();
    let error = request(&mut host, json!({})).unwrap_err();
    assert_eq!(error.datum("kind"), "tls");
    assert!(error.message.contains("--plex-ca"), "{}", error.message);
}

#[test]
fn an_address_in_the_url_gets_the_name_to_use() {
    let plex = FakePlex::start_tls(TlsSetup::PlexDirect);
    let mut host = host().plex(&plex).start();
    let by_address = format!("https://127.0.0.1:{}", plex.port());
    let error = request(&mut host, json!({"server": by_address, "token": "t"})).unwrap_err();
    assert_eq!(error.datum("kind"), "tls");
    assert!(error.message.contains(&format!("`{}`", plex.url())), "{}", error.message);
    assert!(plex.requests().is_empty());
    assert_eq!(request(&mut host, json!({})).unwrap()["status"], 200, "and that name works");
}

#[test]
fn plain_http_where_tls_is_required_names_https() {
    let plex = FakePlex::start_tls(TlsSetup::RightName);
    let mut host = host().start();
    let plain = format!("http://127.0.0.1:{}", plex.port());
    let error = request(&mut host, json!({"server": plain, "token": "t"})).unwrap_err();
    assert_eq!(error.datum("kind"), "closed");
    assert!(error.message.contains("https://"), "{}", error.message);
}

#[test]
fn no_roots_at_all_fail_the_call_and_not_the_worker() {
    let (plex, plain) = (FakePlex::start_tls(TlsSetup::RightName), FakePlex::start());
    let nothing = tempfile::tempdir().unwrap();
    let mut host = host()
        .env("SSL_CERT_FILE", nothing.path().join("none.pem"))
        .env("SSL_CERT_DIR", nothing.path())
        .start();
    let error = request(&mut host, json!({"server": plex.url(), "token": "t"})).unwrap_err();
    assert_eq!(error.datum("kind"), "tls");
    assert!(error.message.contains("--plex-ca"), "{}", error.message);
    let params = json!({"server": plain.url(), "token": plain.token()});
    assert_eq!(request(&mut host, params).unwrap()["status"], 200);
}

#[test]
fn a_bad_ca_file_is_named_at_the_first_https_request() {
    let plain = FakePlex::start();
    let mut host = host().plex(&plain).arg("--plex-ca").arg("/nowhere/ca.pem").start();
    assert_eq!(request(&mut host, json!({})).unwrap()["status"], 200);
    let error =
        request(&mut host, json!({"server": "https://127.0.0.1:1", "token": ""})).unwrap_err();
    assert!(error.message.contains("/nowhere/ca.pem"), "{}", error.message);
}

#[test]
fn proxies_serve_https_only_and_never_see_the_token() {
    let proxy = HttpServer::start(|_| plexsync_harness::http::Response::new(502));
    let (plex, secure) = (FakePlex::start(), FakePlex::start_tls(TlsSetup::RightName));
    let mut builder = host().plex(&plex);
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "HTTPS_PROXY"] {
        builder = builder.env(name, proxy.url());
    }
    let mut host = builder.start();
    assert_eq!(request(&mut host, json!({})).unwrap()["status"], 200, "http goes straight");
    let params = json!({"server": secure.url(), "token": secure.token()});
    let error = request(&mut host, params).unwrap_err();
    assert_eq!(error.code, -32010, "{}", error.message);
    assert!(error.message.contains("proxy"), "{}", error.message);
    assert!(secure.requests().is_empty());
}
