//! Any bytes as plex.tv's list of servers: no panic; a server is known by an identifier that a header can carry, once; its
//! name holds no control character and not its token; and a token goes neither over plain http to a public address, nor
//! to one of a link, nor to a URL with a user, a query or a fragment.
#![no_main]

use std::collections::BTreeSet;
use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::servers;
use url::{Host, Url};

fuzz_target!(|body: &[u8]| {
    let Some(servers) = servers(body) else { return };
    let mut seen = BTreeSet::new();
    for server in servers {
        assert!(!server.machine_identifier.is_empty());
        assert!(server.machine_identifier.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(!server.name.chars().any(char::is_control), "{:?}", server.name);
        if let Some(token) = &server.token {
            assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{token}");
            // What is shorter is no token of plex.tv's; `REDACTED` stands where one was.
            let is_shown = token.len() >= 4 && server.name.replace("REDACTED", " ").contains(token);
            assert!(!is_shown, "{server:?}");
        }
        assert!(server.urls.iter().all(is_fine), "{server:?}");
        assert!(seen.insert(server.machine_identifier));
    }
});

fn is_fine(url: &Url) -> bool {
    let is_bare = url.username().is_empty() && url.password().is_none();
    let is_bare = is_bare && url.query().is_none() && url.fragment().is_none();
    let address: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        Some(Host::Domain(_)) => None,
        None => return false,
    };
    let fits = match (url.scheme(), address.map(|address| address.to_canonical())) {
        ("https", Some(IpAddr::V4(address))) => !address.is_link_local(),
        ("https", Some(IpAddr::V6(address))) => !address.is_unicast_link_local(),
        ("http", Some(IpAddr::V4(address))) => {
            let of_vpn = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_private() || address.is_loopback() || of_vpn
        }
        ("http", Some(IpAddr::V6(address))) => address.is_unique_local() || address.is_loopback(),
        ("https" | "http", None) => true,
        _ => false,
    };
    is_bare && fits
}
