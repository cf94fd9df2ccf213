//! Without the C library, for a static program: that one would load plugins (NSS) made for another C library's version.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver};

/// Every address of a host name: from the hosts file if it is there, else from the DNS servers of `/etc/resolv.conf`,
/// and without that file from one on this machine (resolv.conf(5)).
///
/// Nothing is kept between two questions, so that a network that changes under a long-lived worker is seen.
///
/// # Errors
/// The name has no address, or no DNS server answered.
pub(crate) async fn lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    let listed = hosts_file(name);
    if !listed.is_empty() {
        return Ok(listed);
    }
    let resolver = resolver().map_err(io::Error::other)?;
    let found = resolver.lookup_ip(name).await.map_err(failure)?;
    Ok(found.iter().collect())
}

/// The resolver's own words for an unknown name are a dump of the question.
fn failure(error: NetError) -> io::Error {
    match error.is_no_records_found() {
        true => io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
        false => io::Error::other(error),
    }
}

/// Asked apart from the resolver: that one would ask DNS for a name's IPv6 address although the file has its IPv4 one,
/// and a network that is down would hold up names that need none.
fn hosts_file(name: &str) -> Vec<IpAddr> {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_utf8(name)) else {
        return Vec::new();
    };
    let mut addresses = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        if let Some(found) = hosts.lookup_static_host(&Query::query(name.clone(), kind)) {
            addresses.extend(found.answers().iter().filter_map(|record| record.data.ip_addr()));
        }
    }
    addresses
}

fn resolver() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|_| {
        let here = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![here]);
        TokioResolver::builder_with_config(config, Default::default())
    });
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.use_hosts_file = ResolveHosts::Never;
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_hosts_file_lacks_is_not_there() {
        assert_eq!(hosts_file("no-such-host.invalid"), Vec::<IpAddr>::new());
        assert_eq!(hosts_file(&"x".repeat(300)), Vec::<IpAddr>::new());
    }
}
