//! By way of the C library.

use std::io;
use std::net::IpAddr;

/// Every address of a host name, as the system knows it: hosts file, DNS, mDNS, whatever it is set up for.
///
/// # Errors
/// The name has no address, or no DNS server answered.
pub(crate) async fn lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}
