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
        // Of the handshake, not of the certificate: an RSA key under 2048 bits ends here, too.
        Error::InvalidCertificate(CertificateError::BadSignature) => (
            "signs with a key that is too short, or is not its certificate's",
            "give it the key of its certificate: RSA of 2048 bits or more, P-256, P-384 or Ed25519",
        ),
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
    use CertificateError as Why;
    let Refused { error, chain } = refused;
    let Error::InvalidCertificate(why) = error else { return unknown(error, name) };
    let (what, hint) = match why {
        Why::UnknownIssuer => issuer_unknown(chain),
        Why::NotValidForNameContext { presented, .. } => wrong_name(presented, name),
        why => {
            let (what, hint) = plain(why);
            (what.to_owned(), hint.to_owned())
        }
    };
    (format!("the certificate of {name} {what} ({})", about(chain)), hint)
}

fn plain(why: &CertificateError) -> (&'static str, &'static str) {
    use CertificateError as Why;
    let odd = match why {
        Why::Other(other) => other.0.downcast_ref::<webpki::Error>(),
        _ => None,
    };
    match (why, odd) {
        (Why::Expired | Why::ExpiredContext { .. }, _) => {
            ("has expired", "check the clock, then restart Plex to renew it")
        }
        (Why::NotValidYet | Why::NotValidYetContext { .. }, _) => {
            ("is not valid yet", "check the clock")
        }
        (
            Why::UnsupportedSignatureAlgorithmContext { .. }
            | Why::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
            _,
        ) => ("is signed with an algorithm that is not supported", GOOD_KEYS),
        (Why::BadSignature, _) => ("was not signed by the key that it names", WHOLE_CHAIN),
        (Why::InvalidPurposeContext { .. }, _) => {
            ("is not meant for servers", "make one with `extendedKeyUsage=serverAuth`")
        }
        (Why::ApplicationVerificationFailure, _) => {
            ("is another one than the one that is known", "check who answers there")
        }
        // What `openssl req -x509` makes by default.
        (_, Some(webpki::Error::CaUsedAsEndEntity)) => (
            "is an authority's, which can't be a server's",
            "make another one with `basicConstraints=CA:FALSE`",
        ),
        (_, Some(webpki::Error::UnsupportedCertVersion)) => (
            "is of X.509 version 1, which has no host names",
            "make one of version 3, with a `subjectAltName` for the host",
        ),
        _ => ("can't be read or is put together wrongly", "make another one"),
    }
}

fn issuer_unknown(chain: &[CertificateDer<'_>]) -> (String, String) {
    if is_self_signed(chain) {
        let hint =
            "use the server's `plex.direct` name, or trust this certificate with `--plex-ca`";
        return ("is self-signed".to_owned(), hint.to_owned());
    }
    let issuer = issuer(chain).map(|issuer| format!(" `{issuer}`")).unwrap_or_default();
    let own = "if the authority is your own, add its root with `--plex-ca`";
    let (came, hint) = match chain {
        [_] => ("without that of its", format!("{WHOLE_CHAIN}; {own}")),
        _ => (
            "with a chain up to the",
            format!(
                "update this machine's CA certificates, or {WHOLE_CHAIN} up to a cross-signed root; {own}"
            ),
        ),
    };
    (format!("came {came} issuer{issuer}, and no known authority vouches for it"), hint)
}

/// Plex's certificates are for `*.<hash>.plex.direct`, never for an address: the name that fits can be named.
fn wrong_name(presented: &[String], name: &str) -> (String, String) {
    let (host, port) = name.trim_matches('`').rsplit_once(':').unwrap_or((name, "32400"));
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let (what, hint) = match (presented.iter().find_map(|name| plex_direct_hash(name)), address) {
        _ if presented.is_empty() => (
            "names no host: a common name (CN) does not count",
            format!("make one with a `subjectAltName` for `{host}`"),
        ),
        (Some(hash), Ok(address)) => (
            "is for another name",
            format!("use `https://{}:{port}`", plex_direct_name(address, hash)),
        ),
        (Some(_), Err(_)) => {
            ("is for another name", "use the server's `plex.direct` name".to_owned())
        }
        (None, _) => {
            let right = presented.iter().find_map(|name| dns_name(name));
            let right = right.map(|name| format!(": `https://{name}:{port}`")).unwrap_or_default();
            ("is for another name", format!("use the one that it is for{right}"))
        }
    };
    (what.to_owned(), hint)
}

/// A presented name that a URL can hold.
fn dns_name(presented: &str) -> Option<&str> {
    let name = presented.strip_prefix("DnsName(\"")?.strip_suffix("\")")?;
    (!name.contains('*')).then_some(name)
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
            ("`nas:32400`", "the server's `plex.direct` name".to_owned()),
        ] {
            let (reason, hint) = wrong_name(&["DnsName(\"other\")".to_owned(), plex.clone()], name);
            assert!(format!("{reason}; {hint}").contains(&expected), "{reason}; {hint}");
        }
        for (presented, expected) in [
            ("DnsName(\"nas\")", "use the one that it is for: `https://nas:32400`"),
            ("DnsName(\"*.example.com\")", "use the one that it is for"),
            ("IpAddress(10.0.0.7)", "use the one that it is for"),
        ] {
            let (_, hint) = wrong_name(&[presented.to_owned()], "`192.168.1.5:32400`");
            assert_eq!(hint, expected);
        }
    }
}
