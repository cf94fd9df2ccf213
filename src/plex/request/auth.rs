//! Which server a call goes to, and which token may go there.

use plexsync_protocol::error::Missing;

use crate::plex::error::PlexError;
use crate::plex::request::url::{Base, same_origin};
use crate::secret::Secret;

/// Longest token, in bytes.
const MAX_TOKEN: usize = 4096;

/// The server that is configured, and the token that belongs to the origin of its URL.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Base URL of the server.
    pub server: Option<String>,
    /// The token for that server, and for no other.
    pub token: Option<Secret>,
}

impl Account {
    /// The same, completed with a server and the token that belongs to it: never with that token beside another server.
    pub fn completed(self, server: Option<&str>, token: Option<&Secret>) -> Self {
        let fits = match (&self.server, server) {
            (Some(own), Some(of_token)) => same_origin(own, of_token),
            _ => true,
        };
        Self {
            token: self.token.or_else(|| token.filter(|_| fits).cloned()),
            server: self.server.or_else(|| server.map(str::to_owned)),
        }
    }
}

/// A server, and the token that it gets.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) base: Base,
    pub(crate) token: Option<Secret>,
}

/// Chooses server and token: the call's own before the configured ones, and never a configured token for a server of
/// another origin.
pub(crate) fn choose(
    server: Option<&str>,
    token: Option<&str>,
    account: &Account,
) -> Result<Target, PlexError> {
    let token = token.map(own_token).transpose()?;
    let base = match server {
        Some(server) => {
            Base::parse(server).map_err(|reason| PlexError::invalid("/server", reason))?
        }
        None => configured(account)?,
    };
    let token = match token {
        Some(token) => token,
        None if server.is_none_or(|_| is_configured(&base, account)) => configured_token(account)?,
        None => return Err(foreign()),
    };
    Ok(Target { base, token })
}

fn configured(account: &Account) -> Result<Base, PlexError> {
    let server = account.server.as_deref().ok_or_else(|| {
        PlexError::not_configured(
            Missing::Server,
            "no Plex server is configured; give `server` in the call, or `--plex-url`, `PLEX_URL` or the plugin setting `plex_url`",
        )
    })?;
    Base::parse(server).map_err(|reason| {
        let message = format!("the configured Plex URL can't be used: it {reason}");
        PlexError::not_configured(Missing::Server, message)
    })
}

fn is_configured(base: &Base, account: &Account) -> bool {
    let configured = account.server.as_deref().and_then(|server| Base::parse(server).ok());
    configured.is_some_and(|configured| configured.same_origin(base))
}

/// Without a token at all the request is sent without one: `/identity` needs none.
fn configured_token(account: &Account) -> Result<Option<Secret>, PlexError> {
    match &account.token {
        Some(token) if token.expose().is_empty() => Ok(None),
        Some(token) if !is_token(token.expose()) => Err(PlexError::not_configured(
            Missing::Token,
            "the configured Plex token can't be used: it holds a space or another character that no token has",
        )),
        token => Ok(token.clone()),
    }
}

fn own_token(text: &str) -> Result<Option<Secret>, PlexError> {
    match text {
        "" => Ok(None),
        text if is_token(text) => Ok(Some(Secret::new(text))),
        _ => Err(PlexError::invalid(
            "/token",
            "expected at most 4096 visible ASCII characters, or an empty string for none",
        )),
    }
}

fn foreign() -> PlexError {
    PlexError::not_configured(
        Missing::Token,
        "`server` is not the configured one, and the configured token belongs to that; give a `token`, or an empty one to send none",
    )
}

fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: &str = "http://plex:32400/base";

    fn account(server: Option<&str>, token: Option<&str>) -> Account {
        Account { server: server.map(str::to_owned), token: token.map(Secret::new) }
    }

    #[test]
    fn a_token_of_the_settings_goes_to_their_server_only() {
        let (here, same, other) = ("http://plex:32400", "http://PLEX:32400/", "http://else:32400");
        for (url, own, saved_url, saved, expected_url, expected) in [
            (None, None, Some(here), Some("saved"), Some(here), Some("saved")),
            (Some(here), None, None, Some("saved"), Some(here), Some("saved")),
            (Some(here), None, Some(same), Some("saved"), Some(here), Some("saved")),
            (Some(here), None, Some(other), Some("saved"), Some(here), None),
            (Some(here), Some("own"), Some(other), Some("saved"), Some(here), Some("own")),
            (None, Some("own"), Some(here), Some("saved"), Some(here), Some("own")),
            (None, None, None, None, None, None),
        ] {
            let account = Account { server: url.map(str::to_owned), token: own.map(Secret::new) };
            let completed = account.completed(saved_url, saved.map(Secret::new).as_ref());
            assert_eq!(completed.server.as_deref(), expected_url);
            assert_eq!(completed.token.as_ref().map(Secret::expose), expected);
        }
    }

    #[test]
    fn who_gets_which_token() {
        let own = account(Some(CONFIGURED), Some("configured"));
        let bare = account(Some(CONFIGURED), None);
        let empty = account(Some(CONFIGURED), Some(""));
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
            (&empty, None, None, Ok(None)),
            (&none, None, None, Err(Missing::Server)),
            (&none, other, None, Err(Missing::Token)),
            (&none, other, Some("own"), Ok(Some("own"))),
            (&orphan, other, None, Err(Missing::Token)),
            (&bad, None, None, Err(Missing::Server)),
            (&bad, other, None, Err(Missing::Token)),
            (&bad, other, Some("own"), Ok(Some("own"))),
        ] {
            match (choose(server, token, account), expected) {
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
    fn tokens() {
        let account = account(Some(CONFIGURED), None);
        let longest = "x".repeat(MAX_TOKEN);
        assert!(choose(None, Some(&longest), &account).is_ok());
        for bad in ["a b", "a\r\nX: y", "ü", "\t", " ", &"x".repeat(MAX_TOKEN + 1)] {
            match choose(None, Some(bad), &account) {
                Err(PlexError::Invalid { pointer, reason }) => {
                    assert_eq!(pointer, "/token");
                    assert!(bad.trim().is_empty() || !reason.contains(bad));
                }
                other => panic!("{bad}: {other:?}"),
            }
            let account = self::account(Some(CONFIGURED), Some(bad));
            assert!(matches!(
                choose(None, None, &account),
                Err(PlexError::NotConfigured { missing: Missing::Token, .. })
            ));
        }
    }
}
