//! Whom to trust: the one place where TLS is set up. Roots are read at the first https request and not before.

pub(crate) mod certificate;
pub(crate) mod refusal;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plexsync_protocol::error::UnreachableKind;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::http::error::HttpError;
use crate::http::tls::verifier::Verifier;

/// Whose certificates are good.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Those that the system's roots vouch for, or the roots in this PEM file.
    Roots(Option<PathBuf>),
    /// Exactly the one in this PEM file, whatever name it is for; without such a file, those that the system's roots
    /// vouch for.
    Exactly(PathBuf),
    /// All: for loopback only, which can't be intercepted.
    All,
}

/// The TLS settings. Reads files: not for the runtime's own threads.
///
/// Without roots of the system a PEM file will do; a file that can't be read is an error.
pub(crate) fn config(trust: &Trust) -> Result<ClientConfig, HttpError> {
    // Passed by hand: a process-wide default would be a global, and a second one a panic.
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(trust, &provider)?;
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| no_tls(&error))?;
    let verified = versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = verified.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Verifier, HttpError> {
    let ca_file = match trust {
        Trust::All => return Ok(Verifier::all(provider)),
        Trust::Exactly(file) => match CertificateDer::from_pem_file(file) {
            Ok(certificate) => return Ok(Verifier::only(certificate, provider)),
            Err(_) => None,
        },
        Trust::Roots(ca_file) => ca_file.as_deref(),
    };
    let roots = Arc::new(roots(ca_file)?);
    Verifier::by_roots(roots, provider).map_err(|error| no_tls(&error))
}

fn no_tls(error: &dyn std::error::Error) -> HttpError {
    let reason = format!("no TLS here: {error}");
    HttpError::unreachable(UnreachableKind::Tls, reason, "use `http://`")
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

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), HttpError> {
    let failed = |what: &str| {
        let reason = format!("`{}` {what}", path.display());
        let hint = "`--plex-ca` expects a file with PEM certificates";
        HttpError::unreachable(UnreachableKind::Tls, reason, hint)
    };
    if path.is_dir() {
        return Err(failed("is a folder"));
    }
    let pem = std::fs::read(path).map_err(|error| failed(&format!("can't be read: {error}")))?;
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

#[cfg(test)]
mod tests {
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConnection, Error, ServerConfig, ServerConnection};

    use super::*;

    fn trusting(path: PathBuf) -> Result<ClientConfig, HttpError> {
        config(&Trust::Roots(Some(path)))
    }

    #[test]
    fn a_bad_ca_file_is_named_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("missing", None),
            ("is a folder", None),
            ("empty", Some("")),
            ("text", Some("no certificate")),
            ("torn", Some("-----BEGIN CERTIFICATE-----\nAAAA")),
            ("junk", Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        ] {
            let path = folder.path().join(name);
            if name == "is a folder" {
                std::fs::create_dir(&path).unwrap();
            }
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            match trusting(path) {
                Err(HttpError::Unreachable { kind: UnreachableKind::Tls, reason, hint }) => {
                    assert!(reason.contains(name) && hint.contains("--plex-ca"), "{reason}");
                }
                other => panic!("{name}: {}", other.is_ok()),
            }
        }
    }

    /// Shakes hands in memory with a server whose certificate is self-signed.
    fn shake_hands(trust: &Trust, server: &Arc<ServerConfig>) -> Result<(), Error> {
        let name = ServerName::try_from("stash.invalid").unwrap();
        let mut client = ClientConnection::new(Arc::new(config(trust).unwrap()), name)?;
        let mut server = ServerConnection::new(Arc::clone(server))?;
        while client.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut bytes = Vec::new();
            server.write_tls(&mut bytes).unwrap();
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok(())
    }

    fn server() -> (Arc<ServerConfig>, String) {
        let own = rcgen::generate_simple_self_signed(["nas".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key);
        (Arc::new(config.unwrap()), own.cert.pem())
    }

    #[test]
    fn one_certificate_can_be_trusted_or_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stash.crt");
        let ((known, pem), (stranger, _)) = (server(), server());
        std::fs::write(&file, pem).unwrap();
        for server in [&known, &stranger] {
            assert_eq!(shake_hands(&Trust::All, server), Ok(()));
        }
        assert_eq!(shake_hands(&Trust::Exactly(file), &known), Ok(()));
        let missing = Trust::Exactly(folder.path().join("none"));
        let file = folder.path().join("stash.crt");
        for (trust, server) in [
            (Trust::Exactly(file.clone()), &stranger),
            (missing, &known),
            (Trust::Roots(None), &known),
            // As a root it vouches for itself, but not under this name.
            (Trust::Roots(Some(file)), &known),
        ] {
            let refused = shake_hands(&trust, server).unwrap_err();
            assert!(matches!(refused, Error::InvalidCertificate(_)), "{trust:?}: {refused}");
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
        assert!(trusting(path).is_ok());
    }
}
