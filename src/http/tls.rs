//! Trust: the system's roots and the user's own, read at the first https request and not before.

use std::path::Path;
use std::sync::Arc;

use plexsync_protocol::error::UnreachableKind;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, Error, RootCertStore, WantsVerifier};

use crate::http::error::HttpError;

/// A configuration that trusts the system's roots and those in `ca_file`. Reads files: not for the event loop.
///
/// A machine without roots is no reason to fail as long as there is a `ca_file`; a `ca_file` that can't be read is.
pub(crate) fn trusting(ca_file: Option<&Path>) -> Result<ClientConfig, HttpError> {
    config(roots(ca_file)?)
}

/// The system's roots and those in `ca_file`; at least one.
pub(crate) fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, HttpError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(system.certs);
    tracing::debug!(
        roots = roots.len(),
        unusable,
        errors = system.errors.len(),
        "system roots read"
    );
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(HttpError::unreachable(
            UnreachableKind::Tls,
            "this machine has no CA certificates, so no certificate can be checked",
            "install `ca-certificates` or give `--plex-ca`",
        ));
    }
    Ok(roots)
}

/// A configuration that trusts nobody, for the client that speaks plain HTTP: nothing is read for it.
pub(crate) fn trusting_nobody() -> Result<ClientConfig, HttpError> {
    config(RootCertStore::empty())
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), HttpError> {
    let failed = |what: &str| {
        let reason = format!("`{}` {what}", path.display());
        let hint = "`--plex-ca` expects a file with PEM certificates";
        HttpError::unreachable(UnreachableKind::Tls, reason, hint)
    };
    let pem = std::fs::read(path)
        .map_err(|error| failed(&format!("can't be read ({})", error.kind())))?;
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| failed("holds broken PEM"))?;
        roots.add(certificate).map_err(|_| failed("holds a broken certificate"))?;
        found = true;
    }
    match found {
        true => Ok(()),
        false => Err(failed("holds no certificate")),
    }
}

/// ring is passed by hand: a process-wide default would be a global, and a second one a panic.
fn config(roots: RootCertStore) -> Result<ClientConfig, HttpError> {
    let versions = versions().map_err(|error| {
        let reason = format!("no TLS here: {error}");
        HttpError::unreachable(UnreachableKind::Tls, reason, "use `http://`")
    })?;
    Ok(over_http(versions.with_root_certificates(roots).with_no_client_auth()))
}

/// The same with `check` in the place of the usual one, which it has to carry out itself.
pub(crate) fn watched_by(check: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Error> {
    let config = versions()?.dangerous().with_custom_certificate_verifier(check);
    Ok(over_http(config.with_no_client_auth()))
}

fn versions() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn over_http(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_ca_file_is_named_with_its_cure() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("missing", None),
            ("empty", Some("")),
            ("text", Some("no certificate")),
            ("torn", Some("-----BEGIN CERTIFICATE-----\nAAAA")),
            ("junk", Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        ] {
            let path = folder.path().join(name);
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            match trusting(Some(&path)) {
                Err(HttpError::Unreachable { kind: UnreachableKind::Tls, reason, hint }) => {
                    assert!(reason.contains(name) && hint.contains("--plex-ca"), "{reason}");
                }
                other => panic!("{name}: {}", other.is_ok()),
            }
        }
    }

    #[test]
    fn a_good_ca_file_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let key = rcgen::generate_simple_self_signed(["nas".to_owned()]).unwrap();
        std::fs::write(&path, key.cert.pem()).unwrap();
        let mut roots = RootCertStore::empty();
        add_file(&mut roots, &path).unwrap();
        assert_eq!(roots.len(), 1);
        assert!(trusting(Some(&path)).is_ok());
    }
}
