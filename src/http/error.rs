//! What can go wrong between a request and its answer, by what the receiver does next.
//!
//! Libraries' own texts hold whole URLs and Rust's debug output, so none of them is ever passed on.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter;

use plexsync_protocol::error::TimeoutPhase;
use plexsync_protocol::error::UnreachableKind::{self, Closed, Connect, Dns, Protocol, Tls};
use url::Url;

use crate::http::resolver::NoAddress;
use crate::http::tls::refusal;

/// Why a request has no answer. Neither `reason` nor `hint` holds a token, a query or a value of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection, or it broke, or what came is not HTTP.
    #[error("{reason}; {hint}")]
    Unreachable {
        /// What failed.
        kind: UnreachableKind,
        /// What happened, with its subject in backticks.
        reason: String,
        /// What the user can do about it.
        hint: String,
    },
    /// The call's time, or that of one connection, is over.
    #[error("{reason}; {hint}")]
    Timeout {
        /// What was being waited for.
        phase: TimeoutPhase,
        /// What happened, with its subject in backticks.
        reason: String,
        /// What the user can do about it.
        hint: String,
    },
    /// The decoded body is larger than the caller allows.
    #[error("the answer is larger than `{max_bytes}` bytes; raise `max_bytes` or ask for less")]
    TooLarge {
        /// The limit, in bytes.
        max_bytes: u64,
    },
}

impl HttpError {
    /// No answer, for `reason`.
    pub(crate) fn unreachable(
        kind: UnreachableKind,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Unreachable { kind, reason: reason.into(), hint: hint.into() }
    }

    /// The same, where a connection that was not made in time was not given the whole time of the call.
    #[must_use]
    pub(crate) fn not_in_time_is_unreachable(self) -> Self {
        match self {
            Self::Timeout { phase: TimeoutPhase::Connect, reason, hint } => {
                Self::Unreachable { kind: Connect, reason, hint }
            }
            other => other,
        }
    }

    /// No answer in time, for `reason`.
    pub(crate) fn timeout(
        phase: TimeoutPhase,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Timeout { phase, reason: reason.into(), hint: hint.into() }
    }
}

/// Where a request went: what errors say of it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    url: Url,
    is_proxy: bool,
}

impl Peer {
    /// The server of this URL.
    pub(crate) fn of(url: &Url) -> Self {
        Self { url: url.clone(), is_proxy: false }
    }

    /// The https proxy at this URL.
    pub(crate) fn proxy(url: &Url) -> Self {
        Self { url: url.clone(), is_proxy: true }
    }

    /// `host:port` in backticks.
    pub(crate) fn name(&self) -> String {
        let kind = if self.is_proxy { "the https proxy " } else { "" };
        format!("{kind}`{}`", host_and_port(&self.url))
    }

    fn is_secure(&self) -> bool {
        self.url.scheme() == "https" && !self.is_proxy
    }

    /// The URL names no port: then its writer may have forgotten Plex's.
    fn is_portless(&self) -> bool {
        self.url.port().is_none() && !self.is_proxy && !self.url.domain().is_some_and(is_plex_tv)
    }

    fn unreachable(&self, kind: UnreachableKind, reason: String, hint: &str) -> HttpError {
        HttpError::unreachable(kind, reason, self.hint(hint))
    }

    fn hint(&self, hint: &str) -> String {
        match self.is_portless() {
            true => format!("{hint} (the URL names no port; a Plex server's own is 32400)"),
            false => hint.to_owned(),
        }
    }

    /// A connection took longer than it may.
    pub(crate) fn connect_timeout(&self) -> HttpError {
        let reason = format!("{} did not accept a connection in time", self.name());
        HttpError::timeout(TimeoutPhase::Connect, reason, self.hint("check that it runs there"))
    }

    /// The head of an answer took too long.
    pub(crate) fn response_timeout(&self) -> HttpError {
        let reason = format!("{} did not answer in time", self.name());
        HttpError::timeout(TimeoutPhase::Response, reason, "raise `timeout_ms`")
    }

    /// The body of an answer took too long.
    pub(crate) fn body_timeout(&self) -> HttpError {
        let reason = format!("the body from {} did not end in time", self.name());
        let hint = "raise `timeout_ms` or ask for less";
        HttpError::timeout(TimeoutPhase::Body, reason, hint)
    }

    /// HTTP can't carry the URL.
    pub(crate) fn unsendable(&self) -> HttpError {
        let reason = format!("the URL at {} can't be sent", self.name());
        HttpError::unreachable(Protocol, reason, "check the host name and the path")
    }

    /// No TCP connection.
    pub(crate) fn no_connection(&self, error: &(dyn Error + 'static)) -> HttpError {
        let name = self.name();
        if find::<NoAddress>(error).is_some() {
            let reason = format!("the name in {name} has no address");
            return HttpError::unreachable(Dns, reason, "check the host name and the DNS");
        }
        let (reason, hint) = match innermost_io(error).map(io::Error::kind) {
            Some(ErrorKind::TimedOut) => return self.connect_timeout(),
            Some(ErrorKind::ConnectionRefused) => {
                (format!("{name} refused the connection"), "check that it runs there")
            }
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
                (format!("no route to {name}"), "check the network")
            }
            _ => (format!("{name} can't be reached"), "check the address and the network"),
        };
        self.unreachable(Connect, reason, hint)
    }

    /// A TLS handshake failed.
    pub(crate) fn no_tls(&self, error: &io::Error) -> HttpError {
        match find::<rustls::Error>(error) {
            Some(error) => self.refused(error),
            None if error.kind() == ErrorKind::TimedOut => self.connect_timeout(),
            None => {
                let reason =
                    format!("{} closed the connection during the TLS handshake", self.name());
                self.unreachable(Tls, reason, "check that it speaks `https`")
            }
        }
    }

    fn refused(&self, error: &rustls::Error) -> HttpError {
        let (reason, hint) = refusal::explain(error, &self.name());
        HttpError::unreachable(Tls, reason, hint)
    }

    /// A request over a connection, or its answer, broke.
    pub(crate) fn broken(&self, error: &(dyn Error + 'static)) -> HttpError {
        if let Some(error) = find::<HttpError>(error) {
            return error.clone();
        }
        // In TLS 1.3 a server looks at the client's certificate after the client has ended the handshake.
        if let Some(error) = find::<rustls::Error>(error) {
            return self.refused(error);
        }
        let name = self.name();
        if is_lost(error) {
            let reason = format!("{name} closed the connection before the answer was whole");
            let hint = match self.is_secure() {
                true => "look into the server's own log",
                false => "if Plex requires secure connections, use `https://`",
            };
            return self.unreachable(Closed, reason, hint);
        }
        self.unreachable(Protocol, format!("the response of {name} is not HTTP"), "check the port")
    }
}

fn is_plex_tv(name: &str) -> bool {
    name == "plex.tv" || name.ends_with(".plex.tv")
}

/// `host:port`, for messages and proxies.
pub(crate) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether the connection was lost, rather than that what it carried is invalid. hyper reports a bad chunk, and we a
/// flood, as `InvalidInput` or `InvalidData`; everything else that reading brings is a lost connection.
fn is_lost(error: &(dyn Error + 'static)) -> bool {
    let nonsense = find::<hyper::Error>(error).is_some_and(|it| it.is_parse() || it.is_user());
    let kind = innermost_io(error).map(io::Error::kind);
    !nonsense && !matches!(kind, Some(ErrorKind::InvalidInput | ErrorKind::InvalidData))
}

/// The first cause of this type.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    iter::successors(Some(error), |error| cause(*error)).find_map(|error| error.downcast_ref())
}

/// What the system said: the innermost `io::Error`, as libraries wrap theirs in one of kind `Other`.
fn innermost_io<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    iter::successors(Some(error), |error| cause(*error))
        .filter_map(|error| error.downcast_ref())
        .last()
}

/// The next cause. An `io::Error`'s own `source` skips the error that it wraps.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_named_with_their_port_and_a_forgotten_one_is_hinted_at() {
        for (url, name, hinted) in [
            ("http://host/a?b", "`host:80`", true),
            ("https://[::1]:32400/", "`[::1]:32400`", false),
            ("https://plex.example.com", "`plex.example.com:443`", true),
            ("https://plex.tv/api", "`plex.tv:443`", false),
            ("https://clients.plex.tv/api", "`clients.plex.tv:443`", false),
        ] {
            let peer = Peer::of(&Url::parse(url).unwrap());
            assert_eq!(peer.name(), name);
            let refused = peer.no_connection(&io::Error::from(ErrorKind::ConnectionRefused));
            assert_eq!(refused.to_string().ends_with("own is 32400)"), hinted, "{refused}");
        }
    }
}
