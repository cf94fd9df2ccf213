//! Names to addresses: the one place that asks the system.

pub(crate) mod plex_direct;

use std::io;
use std::net::IpAddr;

/// A name has no address, or no DNS server answered.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(crate) struct NoAddress;

/// Every address of a host name, as the C library knows it: glibc's asks whatever the system is set up for, musl's, in
/// the static program, `/etc/hosts` and the DNS servers of `/etc/resolv.conf`.
///
/// # Errors
/// The name has no address, or no DNS server answered.
pub(crate) async fn lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    #[tokio::test]
    async fn this_machine_has_a_name() {
        let addresses = super::lookup("localhost").await.unwrap();
        assert!(
            !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback),
            "{addresses:?}"
        );
    }
}
