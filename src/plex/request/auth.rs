//! Which server a call goes to, and which token may go there.

use plexsync_protocol::error::Missing;

use std::sync::Arc;

use crate::http::Request;
use crate::http::headers::TOKEN;
use crate::plex::error::PlexError;
use crate::plex::request::cache::Cache;
use crate::plex::request::url::{Base, not_configured};
use crate::plex::route::Router;
use crate::secret::{LONGEST, Secret};

/// The hint to a call that names a server without a token.
pub(crate) const TOKEN_OF_CALL: &str = "give a `token`, or an empty one to send none";
/// Where the user finds a token.
pub const TOKEN_HINT: &str =
    "Plex's support article \"Finding an authentication token\" shows where to find it";

/// The server that is configured, and the token that belongs to the origin of its URL.
#[derive(Debug, Clone)]
pub struct Account {
    /// Base URL of the server.
    pub server: Option<String>,
    /// The token for that server, and for no other; or why the one that is configured can't be used, and what to do.
    pub token: Result<Option<Secret>, String>,
    /// Finds what is missing when a request is sent: the server, or its token.
    pub router: Option<Arc<dyn Router>>,
}

impl Default for Account {
    fn default() -> Self {
        Self { server: None, token: Ok(None), router: None }
    }
}

/// A server, and the token that it gets.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) base: Base,
    pub(crate) token: Option<Secret>,
    /// Finds the server; then `base` only stands for it.
    pub(crate) router: Option<Arc<dyn Router>>,
    /// Whether the router's token is sent.
    pub(crate) takes_token: bool,
}

/// Chooses server and token: the call's own before the configured ones, and never a configured token for a server of
/// another origin.
pub(crate) fn choose(
    server: Option<&str>,
    token: Option<&str>,
    account: &Account,
    cache: &Cache,
) -> Result<Target, PlexError> {
    let own = token.map(own_token).transpose()?;
    let has_own = own.is_some();
    let base = match server {
        Some(server) => {
            cache.base(server).map_err(|reason| PlexError::invalid("/server", reason))?
        }
        None if account.server.is_none() && account.router.is_some() => Base::unknown(),
        None => configured(account, cache)?,
    };
    let token = match own {
        Some(token) => token,
        None if server.is_none_or(|_| is_configured(&base, account)) => configured_token(account)?,
        None => return Err(foreign(account)),
    };
    let takes_token = !has_own && token.is_none();
    let needs_router = server.is_none() && (account.server.is_none() || takes_token);
    let router = account.router.clone().filter(|_| needs_router);
    Ok(Target { base, token, router, takes_token })
}

fn configured(account: &Account, cache: &Cache) -> Result<Base, PlexError> {
    let server = account.server.as_deref().ok_or_else(|| {
        PlexError::not_configured(
            Missing::Server,
            "no Plex server is configured; sign in with `auth.start` (by hand with `plexsync-worker login`), give `server` in the call, or start the worker with `--plex-url` or `PLEX_URL`",
        )
    })?;
    cache.base(server).map_err(not_configured)
}

fn is_configured(base: &Base, account: &Account) -> bool {
    let configured = account.server.as_deref().and_then(|server| Base::parse(server).ok());
    configured.is_some_and(|configured| configured.same_origin(base))
}

/// Without a token at all the request is sent without one: `/identity` needs none. One that can't be used is not
/// left out: the answer to that, a 401, would lead astray.
fn configured_token(account: &Account) -> Result<Option<Secret>, PlexError> {
    account.token.clone().map_err(|reason| PlexError::not_configured(Missing::Token, reason))
}

fn own_token(text: &str) -> Result<Option<Secret>, PlexError> {
    match (text, refusal(text)) {
        ("", _) => Ok(None),
        (_, Some((reason, hint))) => Err(PlexError::invalid("/token", format!("{reason}; {hint}"))),
        (_, None) => Ok(Some(Secret::new(text))),
    }
}

fn foreign(account: &Account) -> PlexError {
    let reason = match account.server {
        Some(_) => "`server` is not the configured one, and the configured token belongs to that",
        None => "no token is known for `server`",
    };
    let message = format!("{reason}; {TOKEN_OF_CALL}");
    PlexError::not_configured(Missing::Token, message)
}

/// Why a text is not a token: what it is instead, and a hint. Neither holds the text.
pub fn refusal(text: &str) -> Option<(&'static str, &'static str)> {
    const ALONE: &str = "give only what is between the `=` and the next `&`";
    const PATH: &str =
        "give the token itself; the path of a file that holds it goes into `PLEX_TOKEN_FILE`";
    let lower_case = text.to_ascii_lowercase();
    let begins = |start: &[&str]| start.iter().any(|start| lower_case.starts_with(start));
    let is_windows_path = matches!(text.as_bytes(), [_, b':', b'\\' | b'/', ..]);
    Some(if text.is_empty() {
        ("is empty", TOKEN_HINT)
    } else if lower_case.contains("x-plex-token") || begins(&["plex_token=", "token="]) {
        ("is a name with a token behind it (`X-Plex-Token=...`)", ALONE)
    } else if begins(&["claim-"]) {
        ("is a claim code: it adds a server to an account, and opens nothing", TOKEN_HINT)
    } else if text.contains("://") {
        ("is a URL", TOKEN_HINT)
    } else if begins(&["/", "./", "../", "~/", "\\"]) || is_windows_path {
        ("is a path", PATH)
    } else if begins(&["$", "<", "{"]) {
        ("is a placeholder that was not filled in", TOKEN_HINT)
    } else if text.len() > LONGEST {
        ("is longer than 4096 characters, which no token is", TOKEN_HINT)
    } else if !text.bytes().all(is_of_a_token) {
        (
            "holds a character that no token has; expected letters, digits and `.` `_` `~` `-`",
            TOKEN_HINT,
        )
    } else {
        return None;
    })
}

/// What is wrong with the token of a request that a media server has answered with this status, if its look tells.
pub(crate) fn advice(request: &Request, status: u16) -> Option<String> {
    const JWT: &str =
        "the token is a JWT (`eyJ...`), which plex.tv takes and Plex Media Server does not";
    let token = request.headers.get(&TOKEN)?.as_bytes();
    let is_jwt = token.starts_with(b"eyJ") && token.split(|byte| *byte == b'.').count() == 3;
    let host = request.url.host_str().unwrap_or_default();
    let is_plex_tv = host == "plex.tv" || host.ends_with(".plex.tv");
    (status == 401 && is_jwt && !is_plex_tv).then(|| format!("{JWT}; {TOKEN_HINT}"))
}

fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: &str = "http://plex:32400/base";

    fn account(server: Option<&str>, token: Option<&str>) -> Account {
        Account {
            server: server.map(str::to_owned),
            token: Ok(token.map(Secret::new)),
            ..Account::default()
        }
    }

    #[test]
    fn who_gets_which_token() {
        let own = account(Some(CONFIGURED), Some("configured"));
        let bare = account(Some(CONFIGURED), None);
        let broken = Account { token: Err("is broken".to_owned()), ..bare.clone() };
        let none = account(None, None);
        let orphan = account(None, Some("configured"));
        let bad = account(Some("plex:32400"), Some("configured"));
        let same = Some("http://PLEX:32400");
        let other = Some("http://plex:32401");
        let secure = Some("https://plex:32400");
        for (account, server, token, expected) in [
            (&own, None, None, Ok(Some("configured"))),
            (&own, None, Some("own"), Ok(Some("own"))),
            (&own, None, Some(""), Ok(None)),
            (&own, same, None, Ok(Some("configured"))),
            (&own, other, None, Err(Missing::Token)),
            (&own, secure, None, Err(Missing::Token)),
            (&own, other, Some("own"), Ok(Some("own"))),
            (&own, other, Some(""), Ok(None)),
            (&bare, None, None, Ok(None)),
            (&bare, other, None, Err(Missing::Token)),
            (&broken, None, None, Err(Missing::Token)),
            (&broken, same, None, Err(Missing::Token)),
            (&broken, None, Some("own"), Ok(Some("own"))),
            (&broken, None, Some(""), Ok(None)),
            (&none, None, None, Err(Missing::Server)),
            (&none, other, None, Err(Missing::Token)),
            (&none, other, Some("own"), Ok(Some("own"))),
            (&orphan, other, None, Err(Missing::Token)),
            (&bad, None, None, Err(Missing::Server)),
            (&bad, other, None, Err(Missing::Token)),
            (&bad, other, Some("own"), Ok(Some("own"))),
        ] {
            match (choose(server, token, account, &Cache::default()), expected) {
                (Ok(target), Ok(token)) => {
                    assert_eq!(target.token.as_ref().map(Secret::expose), token);
                }
                (Err(PlexError::NotConfigured { missing, message }), Err(expected)) => {
                    assert_eq!(missing, expected);
                    assert!(!message.contains("32400"), "{message}");
                }
                (outcome, _) => panic!("{server:?} {token:?}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_token_is_named() {
        let account = account(Some(CONFIGURED), None);
        let (longest, too_long) = ("x".repeat(LONGEST), "x".repeat(LONGEST + 1));
        for good in ["xyzABC123_-", "a.b~c", "12345", &longest] {
            assert!(choose(None, Some(good), &account, &Cache::default()).is_ok(), "{good}");
        }
        for (bad, told) in [
            ("X-Plex-Token=abcdef", "a name with a token"),
            ("?x-plex-token=abcdef", "a name with a token"),
            ("http://plex:32400/?X-Plex-Token=abcdef", "a name with a token"),
            ("PLEX_TOKEN=abcdef", "a name with a token"),
            ("claim-abcdef", "a claim code"),
            ("https://plex.tv/abcdef", "a URL"),
            ("/run/secrets/plex_token", "a path"),
            ("./token", "a path"),
            ("C:\\token.txt", "a path"),
            ("${PLEX_TOKEN}", "a placeholder"),
            ("<token>", "a placeholder"),
            (&too_long, "4096"),
            ("a b", "a character that no token has"),
            ("a\r\nX: y", "a character that no token has"),
            ("abcü", "a character that no token has"),
            ("\"abc\"", "a character that no token has"),
            ("\t", "a character that no token has"),
        ] {
            match choose(None, Some(bad), &account, &Cache::default()) {
                Err(PlexError::Invalid { pointer, reason }) => {
                    assert_eq!(pointer, "/token");
                    assert!(reason.contains(told), "{bad}: {reason}");
                    assert!(bad.trim().is_empty() || !reason.contains(bad), "{reason}");
                }
                other => panic!("{bad}: {other:?}"),
            }
        }
    }
}
