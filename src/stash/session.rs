//! The session with the parent Stash: one cookie, renewed by every successful response.

use std::sync::{Mutex, PoisonError};

use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};
use plexsync_protocol::stash::SessionCookie;

use crate::secret::{Secret, Secrets};

/// Stash's name for its cookie (`pkg/session/session.go`), if it sent none.
const DEFAULT_NAME: &str = "session";

/// The cookie that authenticates the worker. Sending the newest one keeps a long task's session alive, and lets Stash
/// recognise hooks that trigger each other.
pub(super) struct Session {
    name: String,
    value: Mutex<Option<Secret>>,
    secrets: Secrets,
}

impl Session {
    pub(super) fn new(cookie: Option<&SessionCookie>, secrets: Secrets) -> Self {
        let name = cookie.map_or(DEFAULT_NAME, |cookie| cookie.name.as_str()).to_owned();
        let session = Self { name, value: Mutex::default(), secrets };
        if let Some(cookie) = cookie {
            session.keep(&cookie.value);
        }
        session
    }

    /// The `Cookie` header, unless there is no cookie or it is not valid in a header.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = format!("{}={}", self.name, value.as_ref()?.expose());
        let mut header = HeaderValue::from_str(&pair).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Takes the renewed cookie of a 200 response (that of a 401 belongs to no session).
    pub(super) fn renew(&self, headers: &HeaderMap) {
        let renewed = headers.get_all(SET_COOKIE).iter().filter_map(|header| {
            let pair = header.to_str().ok()?.split(';').next()?;
            let (name, value) = pair.split_once('=')?;
            (name.trim() == self.name).then_some(value.trim())
        });
        if let Some(value) = renewed.last() {
            self.keep(value);
        }
    }

    fn keep(&self, value: &str) {
        if value.is_empty() {
            return;
        }
        let secret = Secret::new(value);
        self.secrets.remember(&secret);
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(value: &str) -> Session {
        let cookie = SessionCookie { name: "session".to_owned(), value: value.to_owned() };
        Session::new(Some(&cookie), Secrets::default())
    }

    #[test]
    fn the_newest_cookie_is_sent() {
        let cases = [
            (&["session=b; Path=/; Max-Age=3600; HttpOnly"][..], "session=b"),
            (&["session=b", "session=c"], "session=c"),
            (&["other=b"], "session=a"),
            (&["session=; Max-Age=0"], "session=a"),
            (&["session"], "session=a"),
            (&["session=MTc5=|x-_=="], "session=MTc5=|x-_=="),
            (&[], "session=a"),
        ];
        for (answers, expected) in cases {
            let session = session("a");
            let mut headers = HeaderMap::new();
            for answer in answers {
                headers.append(SET_COOKIE, HeaderValue::from_static(answer));
            }
            session.renew(&headers);
            assert_eq!(session.header().unwrap().to_str().unwrap(), expected);
        }
    }

    #[test]
    fn without_a_cookie_none_is_sent() {
        assert!(Session::new(None, Secrets::default()).header().is_none());
        assert!(session("").header().is_none());
        assert!(session("a\r\nApiKey: x").header().is_none());
    }

    #[test]
    fn each_cookie_is_a_secret() {
        let cookie = SessionCookie { name: "session".to_owned(), value: "first".to_owned() };
        let secrets = Secrets::default();
        let session = Session::new(Some(&cookie), secrets.clone());
        let renewed = HeaderValue::from_static("session=second");
        session.renew(&HeaderMap::from_iter([(SET_COOKIE, renewed)]));
        assert_eq!(secrets.redact("second first"), "REDACTED REDACTED");
    }
}
