//! Redirects: followed within the same origin only, so that no token and no identity ever leaves it.

use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use hyper::{Method, StatusCode};
use url::Url;

use crate::http::{Head, Request, is_sendable};

/// Removes from a server's URL what may not be in it.
pub(crate) type Clean = fn(&mut Url);

/// The request that a redirect asks for, or `None` where it is the answer itself: no redirect, to elsewhere, or to where
/// no request can go.
///
/// All headers travel along, because the origin is the same: scheme, host and port.
pub(crate) fn next(sent: &Request, answer: &Head, clean: Clean) -> Option<Request> {
    let status = answer.status;
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut url = target(&sent.url, &answer.header(LOCATION)?)?;
    clean(&mut url);
    if !is_sendable(&url) {
        return None;
    }
    let mut next = Request { url, ..sent.clone() };
    if becomes_get(&sent.method, status) {
        next.method = Method::GET;
        next.body = None;
        for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH] {
            next.headers.remove(name);
        }
    }
    Some(next)
}

/// RFC 9110, section 15.4: 303 means "look there", and everyone turns a POST into a GET at 301 and 302.
fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::SEE_OTHER => !matches!(*method, Method::GET | Method::HEAD),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

fn target(from: &Url, location: &str) -> Option<Url> {
    let mut url = from.join(location).ok()?;
    let same = url.origin() == from.origin();
    if !same || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderMap;

    use super::*;

    #[test]
    fn targets() {
        let from = Url::parse("http://host:32400/a/b?c").unwrap();
        for (location, expected) in [
            ("/web", Some("http://host:32400/web")),
            ("d#e", Some("http://host:32400/a/d")),
            ("?x=1", Some("http://host:32400/a/b?x=1")),
            ("http://HOST:32400/", Some("http://host:32400/")),
            ("//host:32400/x", Some("http://host:32400/x")),
            ("http://host:32401/", None),
            ("http://host/", None),
            ("https://host:32400/", None),
            ("http://other:32400/", None),
            ("//other/x", None),
            ("\\\\other\\x", None),
            ("http://user:pass@host:32400/", None),
            ("http://user@host:32400/", None),
            ("http://:pass@host:32400/", None),
            ("http://host:32400@other/", None),
            ("http://host.:32400/", None),
            ("http://", None),
            ("javascript:1", None),
        ] {
            let url = target(&from, location);
            assert_eq!(url.as_ref().map(Url::as_str), expected, "{location}");
        }
    }

    #[test]
    fn where_no_request_can_go_is_not_followed() {
        let sent = Request {
            method: Method::GET,
            url: Url::parse("http://host/").unwrap(),
            headers: HeaderMap::new(),
            body: None,
        };
        for (length, followed) in [(60_000, true), (70_000, false)] {
            let location = format!("/{}", "a".repeat(length)).parse().unwrap();
            let answer = Head {
                status: StatusCode::FOUND,
                headers: HeaderMap::from_iter([(LOCATION, location)]),
                url: sent.url.clone(),
            };
            assert_eq!(next(&sent, &answer, |_| ()).is_some(), followed, "{length}");
        }
    }

    #[test]
    fn methods() {
        for (method, status, expected) in [
            ("GET", 301, Some("GET")),
            ("HEAD", 303, Some("HEAD")),
            ("POST", 301, Some("GET")),
            ("POST", 302, Some("GET")),
            ("POST", 303, Some("GET")),
            ("POST", 307, Some("POST")),
            ("POST", 308, Some("POST")),
            ("PUT", 302, Some("PUT")),
            ("PUT", 303, Some("GET")),
            ("DELETE", 303, Some("GET")),
            ("GET", 200, None),
            ("GET", 300, None),
            ("GET", 304, None),
        ] {
            let sent = Request {
                method: method.parse().unwrap(),
                url: Url::parse("http://host/").unwrap(),
                headers: HeaderMap::from_iter([
                    (CONTENT_TYPE, "text/plain".parse().unwrap()),
                    ("x-own".parse().unwrap(), "t".parse().unwrap()),
                ]),
                body: Some("body".into()),
            };
            let answer = Head {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::from_iter([(LOCATION, "/x".parse().unwrap())]),
                url: sent.url.clone(),
            };
            let next = next(&sent, &answer, |url| url.set_query(Some("clean")));
            assert_eq!(
                next.as_ref().map(|next| next.method.as_str()),
                expected,
                "{method} {status}"
            );
            if let Some(next) = next {
                let kept = next.method == sent.method;
                assert_eq!(next.body.is_some(), kept, "{method} {status}");
                assert_eq!(next.headers.contains_key(CONTENT_TYPE), kept);
                assert_eq!(next.headers["x-own"], "t");
                assert_eq!(next.url.as_str(), "http://host/x?clean");
            }
        }
    }
}
