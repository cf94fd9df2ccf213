//! Names to addresses: the one place that asks the system, or replaces it.

pub(crate) mod plex_direct;

#[cfg(not(feature = "static-dns"))]
mod system;
#[cfg(feature = "static-dns")]
mod own;

#[cfg(feature = "static-dns")]
pub(crate) use own::lookup;
#[cfg(not(feature = "static-dns"))]
pub(crate) use system::lookup;

/// A name has no address, or no DNS server answered.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(crate) struct NoAddress;

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
