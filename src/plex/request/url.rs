//! Where a request goes: a server's base URL, and a path below it. No other destination can be built here.

use plexsync_protocol::error::Missing;
use url::Url;

use crate::plex::error::PlexError;

/// A server's base URL: scheme, host, port and perhaps a path in front of Plex's own (`https://host/plex/`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    url: Url,
}

impl Base {
    /// Reads a base URL. White space around it is a paste's and falls away.
    ///
    /// The reason of a refusal never holds the text: it may hold a password or a token.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_ascii();
        if text.chars().any(|character| character.is_control() || character == '\\') {
            return Err("holds a control character or a backslash");
        }
        if !has_web_scheme(text) {
            return Err("does not start with `http://` or `https://`; expected `http://host:port`");
        }
        if text.matches("://").count() > 1 {
            return Err("has two schemes (`://`); expected `http://host:port`");
        }
        let url = Url::parse(text).map_err(|_| no_url(text))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or a password; expected `http://host:port`");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("holds a query or a fragment; expected `http://host:port`");
        }
        Ok(Self { url })
    }

    /// In place of a server that is not known yet.
    pub(crate) fn unknown() -> Self {
        #[expect(clippy::unwrap_used, reason = "a constant")]
        let url = Url::parse("http://server.invalid").unwrap();
        Self { url }
    }

    /// Whether both have scheme, host and port in common (RFC 6454, section 5).
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// The URL of `path`, which may hold a query, below this base.
    pub(crate) fn join(&self, path: &str) -> Result<Url, &'static str> {
        check_path(path)?;
        let (path, query) =
            path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let prefix = self.url.path().trim_end_matches('/');
        let mut url = self.url.clone();
        url.set_path(&format!("{prefix}{path}"));
        url.set_query(query);
        match url.path().strip_prefix(prefix) {
            Some(rest) if rest.starts_with('/') => Ok(url),
            _ => Err("leaves the server's base URL"),
        }
    }
}

/// A base URL that the user has configured can't be used, for this reason.
pub(crate) fn not_configured(reason: &str) -> PlexError {
    PlexError::not_configured(Missing::Server, format!("the configured `plex_url` {reason}"))
}

/// Addresses of IPv6 are the URLs that people write wrongly.
fn no_url(text: &str) -> &'static str {
    let host = text.split('/').nth(2).unwrap_or_default();
    match (host.starts_with('['), host.contains('%'), host.matches(':').count()) {
        (true, true, _) => {
            "holds an IPv6 address with a scope (`%eth0`), which no URL can carry; use a name or another address"
        }
        (false, _, 2..) => {
            "holds an IPv6 address without brackets; expected `http://[address]:port`"
        }
        _ => "is not a URL; expected `http://host:port`",
    }
}

fn has_web_scheme(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') || path.starts_with("//") {
        return Err("expected a path that starts with one `/`; the host belongs into `server`");
    }
    if path.chars().any(|character| character.is_control() || character == '\\') {
        return Err("holds a control character or a backslash; percent-encode it");
    }
    if path.contains('#') {
        return Err("holds a fragment; a `#` that is meant is written `%23`");
    }
    let mut escapes = path.split('%').skip(1).map(|rest| rest.as_bytes().iter().take(2));
    if !escapes.all(|mut digits| digits.len() == 2 && digits.all(u8::is_ascii_hexdigit)) {
        return Err(
            "holds a `%` without two hexadecimal digits behind it; one that is meant is written `%25`",
        );
    }
    Ok(())
}

/// What two spellings of one base URL have in common: its origin and its path.
///
/// # Errors
/// As [`origin_of`].
pub fn server_key(url: &str) -> Result<String, &'static str> {
    Base::parse(url).map(|base| base.url.as_str().trim_end_matches('/').to_owned())
}

/// Scheme, host and port of a base URL.
///
/// # Errors
/// What is wrong with the URL, as the end of a sentence that begins with it; never its text.
pub fn origin_of(url: &str) -> Result<String, &'static str> {
    Base::parse(url).map(|base| base.url.origin().ascii_serialization())
}

/// A configured base URL.
///
/// # Errors
/// It can't be used.
pub fn base_url(url: &str) -> Result<Url, PlexError> {
    Base::parse(url).map(|base| base.url).map_err(not_configured)
}

/// Whether two base URLs have the same origin (RFC 6454): scheme, host and port. URLs that can't be used have none.
pub fn same_origin(one: &str, other: &str) -> bool {
    match (Base::parse(one), Base::parse(other)) {
        (Ok(one), Ok(other)) => one.same_origin(&other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn join(base: &str, path: &str) -> Result<String, &'static str> {
        Base::parse(base).unwrap().join(path).map(|url| url.to_string())
    }

    #[test]
    fn bases() {
        for good in [
            "http://host",
            "HTTPS://Host:32400/",
            " http://[::1]:32400\n",
            "http://h/plex",
            "https://1-2-3-4.0123456789abcdef0123456789abcdef.plex.direct:32400",
        ] {
            assert!(Base::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "host:32400",
            "//host",
            "ftp://host",
            "file:///etc/passwd",
            "http:host",
            "http://",
            "http://user@host",
            "http://:secret@host",
            "http://host/?",
            "http://host?X-Plex-Token=secret",
            "http://host/#",
            "http://host\\evil",
            "http://ho\tst",
            "http://ho st",
            "http://host%2Fevil",
            "http://host:99999",
            "https://http://host",
        ] {
            let reason = Base::parse(bad).unwrap_err();
            assert!(!reason.contains("secret"), "{bad}: {reason}");
        }
        for (bad, told) in [
            ("http://fe80::1:32400", "without brackets"),
            ("http://[fe80::1%eth0]:32400", "with a scope"),
            ("http://host:99999", "is not a URL"),
            ("http://[fe80::1%eth0", "with a scope"),
            ("http://[::x]", "is not a URL"),
        ] {
            assert!(Base::parse(bad).unwrap_err().contains(told), "{bad}");
        }
        let (key, origin) = (Ok("http://h:32400/b".to_owned()), Ok("http://h:32400".to_owned()));
        assert_eq!(
            (server_key("http://H:32400/b/"), origin_of("http://H:32400/b/")),
            (key, origin)
        );
    }

    #[test]
    fn origins() {
        let base = Base::parse("http://host:80/plex").unwrap();
        for (other, same) in [
            ("http://HOST", true),
            ("http://host/else/", true),
            ("https://host:80", false),
            ("http://host:81", false),
            ("http://host.", false),
            ("http://host.evil", false),
        ] {
            assert_eq!(base.same_origin(&Base::parse(other).unwrap()), same, "{other}");
            assert_eq!(super::same_origin("http://host:80/plex", other), same, "{other}");
        }
        assert!(!super::same_origin("no url", "no url"));
    }

    #[test]
    fn joins() {
        for (base, path, url) in [
            ("http://h:32400", "/", "http://h:32400/"),
            ("http://h:32400/", "/library/sections", "http://h:32400/library/sections"),
            ("http://h/plex", "/identity", "http://h/plex/identity"),
            ("http://h/plex/", "/identity?a=b%20c", "http://h/plex/identity?a=b%20c"),
            ("http://h", "/a b ", "http://h/a%20b%20"),
            ("http://h", "/a?b=c d", "http://h/a?b=c%20d"),
            ("http://h", "/ü", "http://h/%C3%BC"),
            ("http://h", "/a/../b", "http://h/b"),
            ("http://h", "/../b", "http://h/b"),
            ("http://h", "/@evil", "http://h/@evil"),
            ("http://h", "/a//b", "http://h/a//b"),
            ("http://h", "/:/prefs?x=1", "http://h/:/prefs?x=1"),
            ("http://h/plex", "/a/../../plex/b", "http://h/plex/b"),
            ("http://h", "/a%2fb?c=%C3%bc%25", "http://h/a%2fb?c=%C3%bc%25"),
        ] {
            assert_eq!(join(base, path).unwrap(), url, "{base} {path}");
        }
        for (base, path) in [
            ("http://h", ""),
            ("http://h", "identity"),
            ("http://h", "//evil/identity"),
            ("http://h", "/\\evil"),
            ("http://h", "\\\\evil"),
            ("http://h", "/a\r\nHost: evil"),
            ("http://h", "/a#b"),
            ("http://h", "/a?path=/data/100% a"),
            ("http://h", "/100%"),
            ("http://h", "/100%2"),
            ("http://h", "/100%ä"),
            ("http://h", "/100%+1"),
            ("http://h", "http://evil/"),
            ("http://h", "@evil/"),
            ("http://h/plex", "/../admin"),
            ("http://h/plex", "/%2e%2E/admin"),
            ("http://h/plex", "/../plexus"),
        ] {
            assert!(join(base, path).is_err(), "{base} {path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_server(path in "/?[ -~ü\\\\/.%#?@:\t]{0,40}", prefix in "(/[a-z]{1,5}){0,2}/?") {
            let base = Base::parse(&format!("http://host:32400{prefix}")).unwrap();
            if let Ok(url) = base.join(&path) {
                prop_assert_eq!(url.origin(), base.url.origin());
                prop_assert!(url.path().starts_with(prefix.trim_end_matches('/')));
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert_eq!(url.fragment(), None);
                prop_assert!(url.as_str().parse::<hyper::Uri>().is_ok(), "{}", url);
            }
        }
    }
}
