//! What a server's certificate says of itself, and who vouches for it.
//!
//! The TLS library reports a certificate's names and its end only if it refuses them, so it is asked what it must
//! refuse. That spares a second reader of certificates.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use webpki::EndEntityCert;

use crate::http::tls;

/// Most names that are shown.
const NAMES: usize = 4;

/// Names and end of the server's own certificate.
pub(crate) fn about(chain: &[CertificateDer<'_>]) -> String {
    let names = names(chain);
    let shown = match names.len() {
        0 => "for no name".to_owned(),
        count if count > NAMES => {
            format!("for `{}` and {} more", names[..NAMES].join("`, `"), count - NAMES)
        }
        _ => format!("for `{}`", names.join("`, `")),
    };
    let end = end(chain).map(|end| format!(", valid until {end}")).unwrap_or_default();
    format!("{shown}{end}")
}

/// The library's own spelling: `DnsName("nas")`, `IpAddress(10.0.0.1)`, and `IpAddress(0::1)` for `::1`.
fn names(chain: &[CertificateDer<'_>]) -> Vec<String> {
    let Some(certificate) = parsed(chain) else { return Vec::new() };
    let Ok(nobody) = ServerName::try_from("nobody.invalid") else { return Vec::new() };
    match verify_server_name(&certificate, &nobody) {
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        })) => presented.iter().filter_map(|name| within_brackets(name)).collect(),
        _ => Vec::new(),
    }
}

fn within_brackets(name: &str) -> Option<String> {
    let (_, name) = name.split_once('(')?;
    let name = name.strip_suffix(')')?.trim_matches('"');
    let address = name.parse::<IpAddr>().map(|address| address.to_string());
    Some(address.unwrap_or_else(|_| name.to_owned()))
}

/// The common name of who signed the last certificate.
pub(super) fn issuer(chain: &[CertificateDer<'_>]) -> Option<String> {
    /// The object identifier 2.5.4.3 in DER, in front of a string's tag, its length and its bytes.
    const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let certificate = EndEntityCert::try_from(chain.last()?).ok()?;
    let issuer = certificate.issuer();
    let place = memchr::memmem::find(issuer, &COMMON_NAME)? + COMMON_NAME.len();
    let (&length, text) = issuer.get(place + 1..)?.split_first()?;
    Some(String::from_utf8_lossy(text.get(..length.into())?).into_owned())
}

fn end(chain: &[CertificateDer<'_>]) -> Option<String> {
    let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    match signed_by(&RootCertStore::empty(), chain, never) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            day(not_after.as_secs())
        }
        _ => None,
    }
}

/// `01 Jan 2027`, out of HTTP's form of a date, which ends with the year 9999.
fn day(seconds: u64) -> Option<String> {
    const YEAR_10000: u64 = 253_402_300_800;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    let date = (seconds < YEAR_10000).then(|| httpdate::fmt_http_date(time))?;
    date.get(5..16).map(str::to_owned)
}

/// Whether only itself vouches for it.
pub(crate) fn is_self_signed(chain: &[CertificateDer<'_>]) -> bool {
    let mut itself = RootCertStore::empty();
    chain.first().is_some_and(|own| itself.add(own.clone().into_owned()).is_ok())
        && signed_by(&itself, chain, UnixTime::now()).is_ok()
}

/// Whose roots vouch for a chain that was accepted. Reads files.
pub(crate) fn trusted_by(chain: &[CertificateDer<'_>], has_file: bool) -> &'static str {
    let system = tls::roots(None);
    match system.is_ok_and(|roots| signed_by(&roots, chain, UnixTime::now()).is_ok()) {
        true => "the system",
        false if has_file => "`--plex-ca`",
        false => "nobody",
    }
}

fn parsed<'a>(chain: &'a [CertificateDer<'_>]) -> Option<ParsedCertificate<'a>> {
    ParsedCertificate::try_from(chain.first()?).ok()
}

fn signed_by(
    roots: &RootCertStore,
    chain: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<(), Error> {
    let bad = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let certificate = parsed(chain).ok_or_else(bad)?;
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    verify_server_cert_signed_by_trust_anchor(&certificate, roots, &chain[1..], now, algorithms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(names: &[&str]) -> Vec<CertificateDer<'static>> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        vec![rcgen::generate_simple_self_signed(names).unwrap().cert.der().clone()]
    }

    #[test]
    fn names_and_end_are_told() {
        for (names, told) in [
            (&["nas"][..], "for `nas`, valid until 01 Jan 4096"),
            (&["*.x.plex.direct", "10.0.0.1"], "for `*.x.plex.direct`, `10.0.0.1`, valid"),
            (&["::1"], "for `::1`, valid"),
            (&[], "for no name, valid until"),
            (&["a", "b", "c", "d", "e", "f"], "for `a`, `b`, `c`, `d` and 2 more, valid"),
        ] {
            assert!(about(&chain(names)).contains(told), "{}", about(&chain(names)));
            assert_eq!(issuer(&chain(names)).as_deref(), Some("rcgen self signed cert"));
        }
        assert_eq!(about(&[]), "for no name");
        assert_eq!(about(&[CertificateDer::from(vec![1, 2, 3])]), "for no name");
    }

    #[test]
    fn days_end_with_the_year_9999() {
        assert_eq!(day(0).as_deref(), Some("01 Jan 1970"));
        assert_eq!(day(253_402_300_799).as_deref(), Some("31 Dec 9999"));
        assert_eq!(day(253_402_300_800), None);
        assert_eq!(day(u64::MAX), None);
    }

    #[test]
    fn who_vouches_for_it() {
        let own = chain(&["nas"]);
        assert!(is_self_signed(&own));
        assert_eq!(trusted_by(&own, false), "nobody");
        let (key, authority_s) =
            (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let params = rcgen::CertificateParams::new(vec!["nas".to_owned()]).unwrap();
        let mut authority = rcgen::CertificateParams::default();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "an authority");
        let authority = rcgen::CertifiedIssuer::self_signed(authority, authority_s).unwrap();
        let signed = params.signed_by(&key, &authority).unwrap();
        assert!(!is_self_signed(&[signed.der().clone()]));
        assert!(!is_self_signed(&[]));
    }
}
