//! Names to addresses. A `plex.direct` name holds its address, so that it resolves where the router's protection
//! against DNS rebinding, or no DNS at all, prevents it. The certificate is checked against the name in any case.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec::IntoIter;

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::http::resolver::{NoAddress, lookup};

/// How long the system may take for a name that holds its address.
const PATIENCE: Duration = Duration::from_secs(1);

/// The resolver of all connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names;

impl Service<Name> for Names {
    type Response = IntoIter<SocketAddr>;
    type Error = NoAddress;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NoAddress>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let found = addresses(name.as_str(), lookup(name.as_str())).await;
            let found = found.ok().filter(|found| !found.is_empty()).ok_or(NoAddress)?;
            // Port 0 means the URL's port.
            let found: Vec<_> = found.into_iter().map(|found| SocketAddr::new(found, 0)).collect();
            Ok(found.into_iter())
        })
    }
}

/// What `lookup` says, and for a `plex.direct` name the address that it holds, behind the others.
pub(crate) async fn addresses(
    name: &str,
    lookup: impl Future<Output = io::Result<Vec<IpAddr>>>,
) -> io::Result<Vec<IpAddr>> {
    let Some(held) = plex_direct_address(name) else { return lookup.await };
    let mut found = match tokio::time::timeout(PATIENCE, lookup).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    // Some routers block with 0.0.0.0, which would reach this machine.
    found.retain(|address| !address.is_unspecified() && *address != held);
    found.push(held);
    Ok(found)
}

/// The address in `1-2-3-4.<hash>.plex.direct` or `2001-db8--1.<hash>.plex.direct`.
pub(crate) fn plex_direct_address(name: &str) -> Option<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let (label, hash) = name.strip_suffix(".plex.direct")?.split_once('.')?;
    if hash.is_empty() || !hash.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let v4 = label.replace('-', ".").parse::<Ipv4Addr>().map(IpAddr::from);
    v4.or_else(|_| label.replace('-', ":").parse::<Ipv6Addr>().map(IpAddr::from)).ok()
}

/// The `plex.direct` name of an address, for the server with this hash. All eight groups of an IPv6 address are written,
/// as Plex does: the short form of `::1` would make a label that begins with a hyphen, which DNS does not know.
pub(crate) fn plex_direct_name(address: IpAddr, hash: &str) -> String {
    let label = match address {
        IpAddr::V4(address) => address.to_string().replace('.', "-"),
        IpAddr::V6(address) => address.segments().map(|group| format!("{group:04x}")).join("-"),
    };
    format!("{label}.{hash}.plex.direct")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn names_that_hold_an_address() {
        for (label, address) in [
            ("192-168-1-5", Some("192.168.1.5")),
            ("2001-db8--1", Some("2001:db8::1")),
            ("2001-0db8-0000-0000-0000-0000-0000-0001", Some("2001:db8::1")),
            ("--1", Some("::1")),
            ("192-168-1", None),
            ("192-168-1-256", None),
            ("www", None),
            ("", None),
        ] {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(
                plex_direct_address(&format!("{label}.{HASH}.plex.direct")),
                expected,
                "{label}"
            );
            assert_eq!(plex_direct_address(&format!("{label}.{HASH}.PLEX.direct.")), expected);
            assert_eq!(plex_direct_address(&format!("{label}.{HASH}.plex.direct.evil")), None);
            assert_eq!(plex_direct_address(&format!("{label}.{HASH}.xplex.direct")), None);
            assert_eq!(plex_direct_address(&format!("{label}.plex.direct")), None);
            assert_eq!(plex_direct_address(&format!("{label}.a.{HASH}.plex.direct")), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_held_address_stands_behind_what_dns_says() {
        let held = "10-0-0-7.abc.plex.direct";
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let ok = |list: &[&str]| Ok(list.iter().map(|text| ip(text)).collect::<Vec<_>>());
        let failed = || Err(io::Error::other("no such host"));

        assert_eq!(addresses(held, async { failed() }).await.unwrap(), [ip("10.0.0.7")]);
        assert_eq!(addresses(held, async { ok(&[]) }).await.unwrap(), [ip("10.0.0.7")]);
        assert_eq!(addresses(held, async { ok(&["0.0.0.0"]) }).await.unwrap(), [ip("10.0.0.7")]);
        assert_eq!(addresses(held, async { ok(&["10.0.0.7"]) }).await.unwrap(), [ip("10.0.0.7")]);
        assert_eq!(
            addresses(held, async { ok(&["127.0.0.1"]) }).await.unwrap(),
            [ip("127.0.0.1"), ip("10.0.0.7")]
        );
        assert_eq!(addresses(held, std::future::pending()).await.unwrap(), [ip("10.0.0.7")]);
        assert!(addresses("nas", async { failed() }).await.is_err());
        assert_eq!(addresses("nas", async { ok(&["10.0.0.1"]) }).await.unwrap(), [ip("10.0.0.1")]);
    }

    proptest! {
        #[test]
        fn every_address_has_a_name_that_holds_it(v4: u32, v6: u128) {
            for address in [IpAddr::from(Ipv4Addr::from(v4)), IpAddr::from(Ipv6Addr::from(v6))] {
                let name = plex_direct_name(address, HASH);
                prop_assert_eq!(plex_direct_address(&name), Some(address));
            }
        }

        #[test]
        fn any_name_is_read_without_harm(name in "\\PC{0,60}") {
            let _ = plex_direct_address(&name);
            let _ = plex_direct_address(&format!("{name}.{HASH}.plex.direct"));
        }
    }
}
