//! The environment's proxy, for https targets only: plain http never goes through one, the token would be readable there.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use plexsync_protocol::error::UnreachableKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::{Host, Url};

use crate::http::error::{HttpError, host_and_port};
use crate::http::stream::Io;

/// Longest head of a proxy's answer, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// A proxy for https targets, as the environment names it (`HTTPS_PROXY`, `NO_PROXY`).
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    /// URL of the proxy, perhaps with a user name and password.
    pub https: Option<String>,
    /// Hosts that are reached without it, as a list with commas.
    pub no_proxy: Option<String>,
}

impl ProxySettings {
    /// The proxy for this target, if it has one.
    ///
    /// # Errors
    /// The environment names a proxy that can't be used.
    pub(crate) fn for_target(&self, target: &Url) -> Result<Option<Url>, HttpError> {
        let Some(text) = self.https.as_deref().map(str::trim).filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        if target.scheme() != "https" || self.is_exempt(target) {
            return Ok(None);
        }
        let url = match text.contains("://") {
            true => Url::parse(text),
            false => Url::parse(&format!("http://{text}")),
        };
        match url {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
            Ok(url) if url.has_host() => Err(unusable(format!("is a `{}` one", url.scheme()))),
            _ => Err(unusable("is not a URL".to_owned())),
        }
    }

    /// Names match themselves and their subdomains; addresses, networks (`10.0.0.0/8`) and a port are compared, as curl
    /// and Go do; `*` is everything.
    fn is_exempt(&self, target: &Url) -> bool {
        let list = self.no_proxy.as_deref().unwrap_or_default();
        list.split(',').map(str::trim).any(|entry| is_match(entry, target))
    }
}

fn is_match(entry: &str, target: &Url) -> bool {
    let (entry, port) = match entry.rsplit_once(':') {
        // Not the last group of an IPv6 address without brackets.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (entry, None),
    };
    let fits = port.is_none_or(|port| port.parse().ok() == target.port_or_known_default());
    fits && match target.host() {
        _ if entry == "*" => true,
        Some(Host::Ipv4(address)) => is_in(entry, address.into()),
        Some(Host::Ipv6(address)) => is_in(entry, address.into()),
        Some(Host::Domain(name)) => {
            let entry = entry.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            let front = name.trim_end_matches('.').strip_suffix(&entry);
            !entry.is_empty() && front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
        }
        None => false,
    }
}

/// Whether an address is this one, or in this network.
fn is_in(entry: &str, address: IpAddr) -> bool {
    let (network, length) = match entry.split_once('/') {
        Some((network, length)) => (network, length.parse::<u32>().ok()),
        None => (entry.trim_matches(['[', ']']), Some(128)),
    };
    let (Ok(network), Some(length)) = (network.parse::<IpAddr>(), length) else { return false };
    let bits = |address| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    };
    let differ = bits(network) ^ bits(address);
    network.is_ipv4() == address.is_ipv4() && differ.leading_zeros() >= length.min(128)
}

fn unusable(what: String) -> HttpError {
    let reason = format!("the proxy in `HTTPS_PROXY` {what}");
    let hint =
        "expected `http://host:port` or `https://host:port`; other proxies are not supported";
    HttpError::unreachable(UnreachableKind::Connect, reason, hint)
}

/// Asks the proxy at the other end for a connection to `target`.
pub(crate) async fn tunnel(
    io: &mut Box<dyn Io>,
    proxy: &Url,
    target: &Url,
) -> Result<(), HttpError> {
    let authority = host_and_port(target);
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if !proxy.username().is_empty() {
        let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
        let user = [
            decoded(proxy.username()),
            b":".to_vec(),
            decoded(proxy.password().unwrap_or_default()),
        ];
        let user = STANDARD.encode(user.concat());
        request.push_str(&format!("Proxy-Authorization: Basic {user}\r\n"));
    }
    request.push_str("\r\n");
    let mut head = Vec::new();
    let asking = async {
        io.write_all(request.as_bytes()).await?;
        io.flush().await?;
        // Byte by byte: what follows the head is the target's.
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
            head.push(io.read_u8().await?);
        }
        std::io::Result::Ok(())
    };
    let _ended_early = asking.await;
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse::<u16>().ok());
    match status.filter(|_| head.ends_with("\r\n\r\n")) {
        Some(200..=299) => Ok(()),
        status => Err(refused(proxy, &authority, status)),
    }
}

fn refused(proxy: &Url, target: &str, status: Option<u16>) -> HttpError {
    let proxy = host_and_port(proxy);
    let exempt = "or name the host in `NO_PROXY`";
    let (what, hint) = match status {
        Some(407) => (
            "asks for a user name and a password (status `407`)".to_owned(),
            "write `http://user:password@host:port` into `HTTPS_PROXY`".to_owned(),
        ),
        Some(status) => {
            let what = format!("refused to connect to `{target}` (status `{status}`)");
            (what, format!("allow it there, {exempt}"))
        }
        None => {
            ("did not answer as a proxy does".to_owned(), format!("check `HTTPS_PROXY`, {exempt}"))
        }
    };
    let reason = format!("the https proxy `{proxy}` {what}");
    HttpError::unreachable(UnreachableKind::Connect, reason, hint)
}
