//! Whom to trust to be the parent Stash.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::address::Address;

/// The TLS settings for `address`. The system's roots are read only where they are needed.
///
/// # Errors
/// The cryptography offers no protocol version: a build mistake.
pub(super) fn config(address: &Address) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let builder = match address.is_loopback() {
        true => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        }
        false => builder.with_root_certificates(match address.is_https() {
            true => system_roots(),
            false => RootCertStore::empty(),
        }),
    };
    Ok(builder.with_no_client_auth())
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Accepts any certificate: for loopback only, where Stash's own is self-signed and nobody else can listen in.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use plexsync_harness::fake_stash;
    use plexsync_protocol::stash::ServerConnection;
    use rustls::{ClientConnection, ServerConnection as Server};

    use super::*;

    /// Shakes hands in memory with a server whose certificate nobody signed.
    fn shake_hands(host: &str) -> Result<(), Error> {
        let address = Address::of(&ServerConnection {
            scheme: "https".to_owned(),
            host: host.to_owned(),
            ..ServerConnection::default()
        });
        let name = ServerName::try_from("stash.invalid").unwrap();
        let mut client = ClientConnection::new(Arc::new(config(&address)?), name)?;
        let mut server = Server::new(Arc::new(fake_stash::self_signed()))?;
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

    #[test]
    fn any_certificate_is_good_on_loopback_only() {
        for host in ["0.0.0.0", "::", "127.0.0.1", "localhost"] {
            assert_eq!(shake_hands(host), Ok(()), "{host}");
        }
        for host in ["192.168.1.2", "stash.invalid", "8.8.8.8", "fd00::1"] {
            let error = shake_hands(host).unwrap_err();
            assert!(matches!(error, Error::InvalidCertificate(_)), "{host}: {error}");
        }
    }
}
