//! Why there is no TLS connection, as a reason and a hint. rustls' own words are Rust's debug output.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use crate::http::resolver::plex_direct::plex_direct_name;
use crate::http::tls::certificate::{about, is_self_signed, issuer};
use crate::http::tls::verifier::Refused;

const GOOD_KEYS: &str = "make one with an RSA, P-256, P-384 or Ed25519 key, signed by such a key";
const WHOLE_CHAIN: &str = "let the server send the whole chain (`fullchain.pem`, not `cert.pem`)";

/// Reason and hint of a failed handshake with the server that is named `` `host:port` ``.
pub(crate) fn explain(error: &Error, name: &str) -> (String, String) {
    let (reason, hint) = match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            return match other.0.downcast_ref::<Refused>() {
                Some(refused) => certificate(refused, name),
                None => unknown(error, name),
            };
        }
        Error::InvalidMessage(_) => ("does not speak TLS", "perhaps it expects `http://`"),
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::ServerDoesNotSupportTls12Or13,
        ) => ("speaks no TLS version that is still safe", "it needs TLS 1.2 or 1.3"),
        Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ) => (
            "and this worker have no way of encryption in common",
            "it needs TLS 1.2 or 1.3, and a certificate with an RSA, P-256, P-384 or Ed25519 key",
        ),
        Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) => ("wants a client certificate", "this worker has none: turn that off for it"),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            ("does not know this host name", "use the name that its certificate is for")
        }
        other => return unknown(other, name),
    };
    (format!("{name} {reason}"), hint.to_owned())
}

fn unknown(error: &Error, name: &str) -> (String, String) {
    tracing::debug!(%error, "TLS failed");
    (format!("no TLS connection to {name}"), "check the TLS settings of the server".to_owned())
}

/// What is wrong with a certificate, with what it says of itself.
fn certificate(refused: &Refused, name: &str) -> (String, String) {
    let Refused { error, chain } = refused;
    let Error::InvalidCertificate(why) = error else { return unknown(error, name) };
    let (what, hint) = match why {
        CertificateError::UnknownIssuer => issuer_unknown(chain),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("has expired".to_owned(), "check the clock, then restart Plex to renew it".to_owned())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet".to_owned(), "check the clock".to_owned())
        }
        CertificateError::NotValidForNameContext { presented, .. } => wrong_name(presented, name),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            ("is signed with an algorithm that is not supported".to_owned(), GOOD_KEYS.to_owned())
        }
        CertificateError::BadSignature => {
            ("was not signed by the key that it names".to_owned(), WHOLE_CHAIN.to_owned())
        }
        CertificateError::Revoked => ("was revoked".to_owned(), "get another one".to_owned()),
        CertificateError::InvalidPurposeContext { .. } => (
            "is not meant for servers".to_owned(),
            "make one with `extendedKeyUsage=serverAuth`".to_owned(),
        ),
        CertificateError::ApplicationVerificationFailure => (
            "is another one than the one that is known".to_owned(),
            "check who answers there".to_owned(),
        ),
        CertificateError::Other(other) => odd(other.0.downcast_ref::<webpki::Error>()),
        _ => odd(None),
    };
    (format!("the certificate of {name} {what} ({})", about(chain)), hint)
}

fn odd(error: Option<&webpki::Error>) -> (String, String) {
    let (what, hint) = match error {
        // What `openssl req -x509` makes where nobody asks for something else.
        Some(webpki::Error::CaUsedAsEndEntity) => (
            "is an authority's, which can't be a server's",
            "make another one with `basicConstraints=CA:FALSE`",
        ),
        Some(webpki::Error::UnsupportedCertVersion) => (
            "is of X.509 version 1, which has no host names",
            "make one of version 3, with a `subjectAltName` for the host",
        ),
        _ => ("can't be read or is put together wrongly", "make another one"),
    };
    (what.to_owned(), hint.to_owned())
}

fn issuer_unknown(chain: &[CertificateDer<'_>]) -> (String, String) {
    if is_self_signed(chain) {
        return (
            "is self-signed".to_owned(),
            "use the server's `plex.direct` name, or trust this certificate with `--plex-ca`"
                .to_owned(),
        );
    }
    let issuer = issuer(chain).map(|issuer| format!(" `{issuer}`")).unwrap_or_default();
    let own = "if the authority is your own, add its root with `--plex-ca`";
    match chain {
        [_] => (
            format!(
                "came without that of its issuer{issuer}, and no known authority vouches for it"
            ),
            format!("{WHOLE_CHAIN}; {own}"),
        ),
        _ => (
            format!(
                "came with a chain up to the issuer{issuer}, and no known authority vouches for it"
            ),
            format!(
                "update this machine's CA certificates, or {WHOLE_CHAIN} up to a cross-signed root; {own}"
            ),
        ),
    }
}

/// Plex's certificates are for `*.<hash>.plex.direct`, never for an address: the name that fits can be told.
fn wrong_name(presented: &[String], name: &str) -> (String, String) {
    let (host, port) = name.trim_matches('`').rsplit_once(':').unwrap_or((name, "32400"));
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match (presented.iter().find_map(|name| plex_direct_hash(name)), address) {
        _ if presented.is_empty() => (
            "names no host: a common name (CN) does not count".to_owned(),
            format!("make one with a `subjectAltName` for `{host}`"),
        ),
        (Some(hash), Ok(address)) => (
            "is for another name".to_owned(),
            format!("use `https://{}:{port}`", plex_direct_name(address, hash)),
        ),
        (Some(hash), Err(_)) => (
            format!("is for `*.{hash}.plex.direct`"),
            "use the server's `plex.direct` name".to_owned(),
        ),
        (None, _) => ("is for another name".to_owned(), "use the one that it is for".to_owned()),
    }
}

/// The hash in a presented name; rustls spells it as `DnsName("*.<hash>.plex.direct")`.
fn plex_direct_hash(presented: &str) -> Option<&str> {
    let (front, _) = presented.split_once(".plex.direct")?;
    let hash = front.rsplit('.').next()?;
    hash.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_tells_the_right_one() {
        let hash = "0123456789abcdef0123456789abcdef";
        let plex = format!("DnsName(\"*.{hash}.plex.direct\")");
        for (name, expected) in [
            ("`192.168.1.5:32400`", format!("`https://192-168-1-5.{hash}.plex.direct:32400`")),
            ("`192.168.1.5:443`", format!("`https://192-168-1-5.{hash}.plex.direct:443`")),
            (
                "`[2001:db8::1]:32400`",
                format!(
                    "`https://2001-0db8-0000-0000-0000-0000-0000-0001.{hash}.plex.direct:32400`"
                ),
            ),
            (
                "`[::1]:32400`",
                format!(
                    "`https://0000-0000-0000-0000-0000-0000-0000-0001.{hash}.plex.direct:32400`"
                ),
            ),
            ("`nas:32400`", format!("`*.{hash}.plex.direct`")),
        ] {
            let (reason, hint) = wrong_name(&["DnsName(\"other\")".to_owned(), plex.clone()], name);
            assert!(format!("{reason}; {hint}").contains(&expected), "{reason}; {hint}");
        }
        let (_, hint) = wrong_name(&["DnsName(\"nas\")".to_owned()], "`192.168.1.5:32400`");
        assert!(!hint.contains("plex.direct"));
    }
}
