//! Certificates and protocols that are refused: each is a plain sentence with a hint, and nothing is sent.
//!
//! What rcgen can't make was made with OpenSSL, and its authorities' keys were thrown away.

use std::sync::Arc;

use plexsync_protocol::error::TimeoutPhase;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// What a server shows, and whom its clients trust.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    trusted: String,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn root(name: &str) -> Issuer {
    Issuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap()
}

fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params
}

/// A certificate that `issuer` signed, with these others behind it.
fn shown(
    params: CertificateParams,
    issuer: &Issuer,
    others: &[&Issuer],
    trusted: &Issuer,
) -> Shown {
    let key = KeyPair::generate().unwrap();
    let own = params.signed_by(&key, issuer).unwrap();
    let mut chain = vec![own.der().clone()];
    chain.extend(others.iter().map(|other| other.der().clone()));
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Shown { chain, key, trusted: trusted.pem() }
}

/// A certificate and its key, and the root that signed it.
fn fixture(own: &str, root: &str) -> Shown {
    Shown {
        chain: vec![CertificateDer::from_pem_slice(own.as_bytes()).unwrap()],
        key: PrivateKeyDer::from_pem_slice(own.as_bytes()).unwrap(),
        trusted: root.to_owned(),
    }
}

fn stranger_s_key() -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(KeyPair::generate().unwrap().serialize_der()).unwrap()
}

fn listen_tls(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> SocketAddr {
    // Without the checks that a server makes of its own certificate: it shall be a bad one.
    let certified = CertifiedKey::new(chain, any_supported_type(key).unwrap());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let config = Arc::new(config);
    listen(move |socket, _| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(tls, socket);
        if head_of(&mut stream).is_some() {
            answer(&mut stream, "here");
        }
    })
}

async fn ask(address: SocketAddr, host: &str, trusted: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, trusted).unwrap();
    let clients = Clients::new(Trust::Roots(Some(file)), ProxySettings::default(), |_| ());
    call(&clients, &request("GET", &format!("https://{host}:{}/", address.port())), 0).await
}

fn check(outcome: Outcome, what: &str, reason: &str, hint: &str) {
    let error = match outcome.answer {
        Err(HttpError::Unreachable { kind: UnreachableKind::Tls, reason, hint }) => (reason, hint),
        other => panic!("{what}: {other:?}"),
    };
    assert!(error.0.contains(reason) && error.1.contains(hint), "{what}: {error:?}");
    let text = format!("{}; {}", error.0, error.1);
    for of_rust in ["::", "Other(", "{ ", "Error", "Context", "Unsupported", "Unknown", "Alert"] {
        assert!(!text.contains(of_rust), "{what}: {text}");
    }
}

#[tokio::test]
async fn each_bad_certificate_has_its_sentence() {
    let (trusted, stranger) = (root("the authority"), root("a stranger"));
    let between = |root: &Issuer| {
        Issuer::signed_by(authority("the one between"), KeyPair::generate().unwrap(), root).unwrap()
    };
    let (between, between_strangers) = (between(&trusted), between(&stranger));
    let good = || leaf(&["localhost"]);
    let expired = || {
        let mut params = good();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        params
    };
    let early = || {
        let mut params = good();
        params.not_before = date_time_ymd(4000, 1, 1);
        params
    };
    let plex = "*.0123456789abcdef0123456789abcdef.plex.direct";
    let p521 = fixture(
        include_str!("certificates/p521_signed.pem"),
        include_str!("certificates/p521_root.pem"),
    );
    let version_1 = fixture(
        include_str!("certificates/version_1.pem"),
        include_str!("certificates/version_1_root.pem"),
    );
    for (what, shown, reason, hint) in [
        (
            "unknown root",
            shown(good(), &stranger, &[], &trusted),
            "issuer `a stranger`, and no",
            "--plex-ca",
        ),
        (
            "no intermediate",
            shown(good(), &between, &[], &trusted),
            "issuer `the one between`",
            "fullchain.pem",
        ),
        (
            "no cross-signed root",
            shown(good(), &between_strangers, &[&between_strangers], &trusted),
            "up to the issuer `a stranger`",
            "update this machine's CA certificates",
        ),
        (
            "no SAN",
            shown(leaf(&[]), &trusted, &[], &trusted),
            "common name (CN) does not count",
            "`subjectAltName` for `localhost`",
        ),
        ("X.509 v1", version_1, "X.509 version 1", "subjectAltName"),
        ("P-521 root", p521, "algorithm that is not supported", "P-384"),
        ("expired", shown(expired(), &trusted, &[], &trusted), "has expired", "clock"),
        ("too early", shown(early(), &trusted, &[], &trusted), "not valid yet", "clock"),
        (
            "wrong name",
            shown(leaf(&["nas"]), &trusted, &[], &trusted),
            "another name (for `nas`",
            "use the one",
        ),
        ("plex.direct", shown(leaf(&[plex]), &trusted, &[], &trusted), plex, "`plex.direct` name"),
        (
            "an authority's",
            shown(authority("localhost"), &trusted, &[], &trusted),
            "an authority's",
            "CA:FALSE",
        ),
        (
            "another's key",
            Shown { key: stranger_s_key(), ..shown(good(), &trusted, &[], &trusted) },
            "not its certificate's",
            "2048 bits",
        ),
    ] {
        let address = listen_tls(shown.chain, &shown.key);
        check(ask(address, "localhost", &shown.trusted).await, what, reason, hint);
    }
    let whole = shown(good(), &between, &[&between], &trusted);
    let address = listen_tls(whole.chain, &whole.key);
    assert_eq!(ask(address, "localhost", &whole.trusted).await.answer.unwrap().1, "here");
}

#[tokio::test]
async fn a_self_signed_certificate_is_called_so() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let address = listen_tls(vec![own.cert.der().clone()], &key);
    let outcome = ask(address, "localhost", &root("the authority").pem()).await;
    check(outcome, "self-signed", "is self-signed", "--plex-ca");
}

/// An alert as a server sends it in answer to a hello (RFC 8446, section 6), in a record of TLS 1.0.
fn alert(description: u8) -> Vec<u8> {
    vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, description]
}

#[tokio::test]
async fn a_server_that_has_no_tls_for_us_gets_a_sentence() {
    // A server hello of TLS 1.1: version, random, no session, a cipher suite, no compression.
    let old = [&[0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0xc0, 0x13, 0]].concat();
    for (what, said, reason, hint) in [
        ("TLS 1.1 only", alert(70), "no TLS version that is still safe", "TLS 1.2"),
        ("a hello of TLS 1.1", old, "no TLS version that is still safe", "TLS 1.2"),
        ("P-521 leaf", alert(40), "no way of encryption in common", "P-384"),
        ("client certificate", alert(116), "wants a client certificate", "turn that off"),
        ("strange name", alert(112), "does not know this host name", "use the name"),
        ("an odd alert", alert(80), "no TLS connection", "TLS settings"),
        ("plain HTTP", b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(), "does not speak TLS", "`http://`"),
        ("nothing", Vec::new(), "closed the connection during the TLS handshake", "`https`"),
    ] {
        let address = listen(move |mut socket, _| {
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(&said);
            let _ = socket.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut socket, &mut std::io::sink());
        });
        check(ask(address, "localhost", &root("any").pem()).await, what, reason, hint);
    }
}

#[tokio::test]
async fn roots_that_could_not_be_read_are_looked_for_again() {
    let trusted = root("the authority");
    let good = shown(leaf(&["localhost"]), &trusted, &[], &trusted);
    let address = listen_tls(good.chain, &good.key);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let trust = Trust::Roots(Some(file.clone()));
    let clients = Clients::new(trust, ProxySettings::default(), |_| ());
    let request = request("GET", &format!("https://localhost:{}/", address.port()));
    check(call(&clients, &request, 0).await, "no file", "ca.pem", "--plex-ca");
    std::fs::write(&file, good.trusted).unwrap();
    assert_eq!(call(&clients, &request, 0).await.answer.unwrap().1, "here");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_a_connection_that_does_not() {
    let address = listen(|socket, _| {
        std::thread::sleep(Duration::from_secs(60));
        drop(socket);
    });
    let clients = Clients::new(Trust::All, ProxySettings::default(), |_| ());
    let connect_limit = Duration::from_millis(50);
    let sender = Sender::new(&clients, Instant::now() + Duration::from_secs(60), connect_limit);
    let mut retry = Retry { sender, retries: 0, attempts: 0, route: None };
    let request = request("GET", &format!("https://{address}/"));
    let error = retry.send(&request, None, &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, HttpError::Timeout { phase: TimeoutPhase::Connect, .. }), "{error}");
}
