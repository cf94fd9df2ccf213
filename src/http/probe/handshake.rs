//! A TLS handshake that tells what it saw: the protocol, the certificate, and who vouches for it.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion,
    RootCertStore, SignatureScheme,
};

use crate::http::classify::{self, Peer};
use crate::http::error::HttpError;
use crate::http::probe::certificate::{about, is_self_signed, trusted_by};
use crate::http::tls;

/// Shakes hands with the server at the other end of `socket`, and hangs up. What it saw, or why it was refused.
pub(crate) fn look(
    socket: &mut TcpStream,
    host: &str,
    peer: &Peer,
    ca_file: Option<&Path>,
    limit: Duration,
) -> Result<String, HttpError> {
    let roots = Arc::new(tls::roots(ca_file)?);
    let witness = Arc::new(Witness::new(roots).map_err(|error| classify::tls(&error, peer))?);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| classify::tls(&Error::UnsupportedNameType, peer))?;
    let mut tls = tls::watched_by(witness.clone())
        .and_then(|config| ClientConnection::new(Arc::new(config), name))
        .map_err(|error| classify::tls(&error, peer))?;
    let shaken = shake_hands(&mut tls, socket, Instant::now() + limit);
    let chain = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shaken {
        Ok(()) => {
            let by = trusted_by(&chain, ca_file);
            Ok(format!("{}, certificate {}, trusted by {by}", version(&tls), about(&chain)))
        }
        Err(Broken::Tls(error)) => Err(refused(&error, peer, &chain)),
        Err(Broken::Io(error)) if is_timeout(&error) => {
            Err(classify::handshake_timeout(peer, limit))
        }
        Err(Broken::Io(error)) => Err(classify::connect(Some(&error), peer)),
    }
}

enum Broken {
    Io(io::Error),
    Tls(Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

fn shake_hands(
    tls: &mut ClientConnection,
    socket: &mut TcpStream,
    end: Instant,
) -> Result<(), Broken> {
    while tls.is_handshaking() {
        flush(tls, socket)?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(ErrorKind::TimedOut).into());
        }
        socket.set_read_timeout(Some(left))?;
        if tls.read_tls(socket)? == 0 {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        if let Err(error) = tls.process_new_packets() {
            // The server may still read why; what it does with that is its own affair.
            let _ = flush(tls, socket);
            return Err(Broken::Tls(error));
        }
    }
    tls.send_close_notify();
    let _ = flush(tls, socket);
    Ok(())
}

fn flush(tls: &mut ClientConnection, socket: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(socket)?;
    }
    Ok(())
}

fn version(tls: &ClientConnection) -> &'static str {
    match tls.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
}

/// The reason with what the certificate says of itself, and the hint.
fn refused(error: &Error, peer: &Peer, chain: &[CertificateDer<'_>]) -> HttpError {
    let unknown = matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer));
    let told = match unknown && is_self_signed(chain) {
        true => classify::self_signed(peer),
        false => classify::tls(error, peer),
    };
    match told {
        HttpError::Unreachable { kind, reason, hint } if !chain.is_empty() => {
            HttpError::unreachable(kind, format!("{reason} ({})", about(chain)), hint)
        }
        told => told,
    }
}

/// The usual check of certificates, which keeps those that it was shown.
#[derive(Debug)]
struct Witness {
    check: Arc<WebPkiServerVerifier>,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl Witness {
    fn new(roots: Arc<RootCertStore>) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let check = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { check, seen: Mutex::default() })
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(own).chain(others).map(|one| one.clone().into_owned());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = chain.collect();
        self.check.verify_server_cert(own, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.check.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.pem");
        let own = rcgen::generate_simple_self_signed(["nas".to_owned()]).unwrap();
        std::fs::write(&ca_file, own.cert.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let peer = Peer::of(&"https://nas:32400".parse().unwrap(), false);
        let limit = Duration::from_millis(20);
        let error = look(&mut socket, "nas", &peer, Some(&ca_file), limit).unwrap_err();
        assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
        assert!(error.to_string().starts_with("`nas:32400` did not finish"), "{error}");
    }
}
