//! The check of a server's certificates. The error holds the refused chain: only the chain shows why.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

/// A chain that was refused.
#[derive(Debug, thiserror::Error)]
#[error("the certificate was refused")]
pub(super) struct Refused {
    pub(super) error: Error,
    /// As the server sent it, its own certificate first.
    pub(super) chain: Vec<CertificateDer<'static>>,
}

#[derive(Debug)]
enum Rule {
    Roots(Arc<WebPkiServerVerifier>),
    Only(CertificateDer<'static>),
    All,
}

/// Checks chains by one rule; that the server holds the key of its certificate is checked in any case.
#[derive(Debug)]
pub(super) struct Verifier {
    rule: Rule,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// The usual check.
    pub(super) fn by_roots(
        roots: Arc<RootCertStore>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let usual = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
        Ok(Self { rule: Rule::Roots(usual.build()?), provider: Arc::clone(provider) })
    }

    /// One certificate is good.
    pub(super) fn only(
        certificate: CertificateDer<'static>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        Self { rule: Rule::Only(certificate), provider: Arc::clone(provider) }
    }

    /// All are.
    pub(super) fn all(provider: &Arc<CryptoProvider>) -> Self {
        Self { rule: Rule::All, provider: Arc::clone(provider) }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let outcome = match &self.rule {
            Rule::Roots(usual) => usual.verify_server_cert(own, others, name, ocsp, now),
            Rule::Only(expected) if expected != own => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Rule::Only(_) | Rule::All => Ok(ServerCertVerified::assertion()),
        };
        outcome.map_err(|error| {
            let chain = std::iter::once(own).chain(others).map(|one| one.clone().into_owned());
            let refused = Refused { error, chain: chain.collect() };
            CertificateError::Other(OtherError(Arc::new(refused))).into()
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, own, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, own, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
