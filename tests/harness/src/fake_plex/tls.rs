//! Certificates, good and bad, from an authority of our own.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;

use crate::http::Listen;

/// The part of a plex.direct name that stands for one server.
const HASH: &str = "0123456789abcdef0123456789abcdef";

/// What a client of an `https` URL meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsSetup {
    /// A certificate for 127.0.0.1 and localhost.
    RightName,
    /// A certificate for another name, as when a server is asked by its address.
    WrongName,
    /// A certificate that was good until 2020.
    Expired,
    /// A certificate that no authority signed.
    SelfSigned,
    /// A certificate that no authority signed and that says it is one, as `openssl req -x509` makes it.
    Authority,
    /// A certificate for `*.HASH.plex.direct`; the URL is `https://127-0-0-1.HASH.plex.direct:PORT`.
    PlexDirect,
    /// A certificate for 127.0.0.1 and localhost, shown to clients that have one of this authority, too.
    ClientCertificate,
    /// Plain HTTP where the client expects TLS.
    PlainHttp,
    /// Every connection is closed without a byte.
    CloseAtOnce,
}

/// The URL that goes with a setup.
pub(super) fn url(setup: TlsSetup, port: u16) -> String {
    match setup {
        TlsSetup::PlexDirect => format!("https://127-0-0-1.{HASH}.plex.direct:{port}"),
        _ => format!("https://127.0.0.1:{port}"),
    }
}

/// How to take connections, and the authority's certificate in PEM.
pub(super) fn listen(setup: TlsSetup) -> (Listen, String) {
    let authority = authority();
    let listen = match setup {
        TlsSetup::PlainHttp => Listen::Plain,
        TlsSetup::CloseAtOnce => Listen::CloseAtOnce,
        _ => Listen::Tls(Arc::new(config(setup, &authority))),
    };
    (listen, authority.pem())
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "plexsync-harness authority");
    let key = KeyPair::generate().expect("a key pair");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

fn config(setup: TlsSetup, authority: &CertifiedIssuer<'static, KeyPair>) -> rustls::ServerConfig {
    let names: &[&str] = match setup {
        TlsSetup::WrongName => &["plex.example"],
        TlsSetup::PlexDirect => &["*.0123456789abcdef0123456789abcdef.plex.direct"],
        _ => &["127.0.0.1", "localhost"],
    };
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that a certificate can hold");
    if setup == TlsSetup::Expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    if setup == TlsSetup::Authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().expect("a key pair");
    let certificate = match setup {
        TlsSetup::SelfSigned | TlsSetup::Authority => params.self_signed(&key),
        _ => params.signed_by(&key, authority),
    };
    let chain = vec![certificate.expect("a certificate").der().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring does TLS 1.2 and 1.3");
    let builder = match setup {
        TlsSetup::ClientCertificate => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
        _ => builder.with_no_client_auth(),
    };
    builder.with_single_cert(chain, key).expect("a key that fits its certificate")
}
