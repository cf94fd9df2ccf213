//! From params to a request that can be sent: every check is made here, before anything goes out.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod cache;
pub(crate) mod headers;
pub(crate) mod query;
pub(crate) mod url;

use std::sync::Arc;
use std::time::Duration;

use ::url::Url;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use plexsync_protocol::identity::Identity;
use plexsync_protocol::plex::{
    CONNECT_TIMEOUT_MS, HOOK_CONNECT_TIMEOUT_MS, HOOK_TIMEOUT_MS, MAX_BYTES, MAX_RETRIES,
    MAX_TIMEOUT_MS, Method, Parse, RETRIES, RequestParams, TIMEOUT_MS,
};

use self::body as send_body;
use crate::http::headers::Unsendable;
use crate::http::{Request, is_sendable};
use crate::plex::error::PlexError;
use crate::plex::request::auth::{self as target, Account};
use crate::plex::request::cache::Cache;
use crate::plex::route::Routing;
use crate::secret::{Held, Secret, Secrets};

/// Paging headers, which `all_pages` sets itself.
const PAGING: [&str; 2] = ["x-plex-container-start", "x-plex-container-size"];

/// What a call gets where its params say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for the whole call, in milliseconds.
    pub timeout_ms: u64,
    /// Time for one connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Repetitions after a failure.
    pub retries: u32,
}

impl Limits {
    /// For all other calls.
    pub const fn normal() -> Self {
        Self { timeout_ms: TIMEOUT_MS, connect_timeout_ms: CONNECT_TIMEOUT_MS, retries: RETRIES }
    }

    /// For a Stash hook, where the user waits.
    pub const fn hook() -> Self {
        Self {
            timeout_ms: HOOK_TIMEOUT_MS,
            connect_timeout_ms: HOOK_CONNECT_TIMEOUT_MS,
            retries: 0,
        }
    }
}

/// A checked call, ready to be sent.
#[derive(Debug)]
pub(crate) struct PreparedRequest {
    pub(crate) request: Request,
    /// Finds the server of the request, which does not name it then.
    pub(crate) routing: Option<Routing>,
    /// The call's own token, known to the redactor as long as the call lives.
    _own_token: Option<Held>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) parse: Parse,
    pub(crate) max_bytes: u64,
    pub(crate) all_pages: bool,
}

impl PreparedRequest {
    /// Checks the params and builds the request. Its token is remembered in `secrets`, the call's own until it ends.
    pub(crate) fn new(
        params: &RequestParams,
        identity: &Arc<Identity>,
        account: &Account,
        limits: Limits,
        secrets: &Secrets,
        cache: &Cache,
    ) -> Result<Self, PlexError> {
        let own = params.token.as_deref().map(Secret::new);
        let own_token = own.map(|token| secrets.remember_until_dropped(&token));
        check_bounds(params)?;
        let (server, token) = (params.server.as_deref(), params.token.as_deref());
        let target = target::choose(server, token, account, cache)?;
        if let (None, Some(configured)) = (&own_token, &target.token) {
            secrets.remember(configured);
        }
        let url = url(params, &target)?;
        let request = request(params, cache.device(identity), &target, url)?;
        let takes_token = target.takes_token;
        let routing = target.router.map(|router| Routing::new(router, identity, takes_token));
        let timeout_ms = params.timeout_ms.unwrap_or(limits.timeout_ms);
        Ok(Self {
            request,
            routing,
            _own_token: own_token,
            timeout: Duration::from_millis(timeout_ms),
            connect_timeout: Duration::from_millis(limits.connect_timeout_ms.min(timeout_ms)),
            retries: params.retries.unwrap_or(limits.retries),
            parse: params.parse,
            max_bytes: params.max_bytes.unwrap_or(MAX_BYTES),
            all_pages: params.all_pages,
        })
    }
}

fn check_bounds(params: &RequestParams) -> Result<(), PlexError> {
    if !(1..=MAX_TIMEOUT_MS).contains(&params.timeout_ms.unwrap_or(1)) {
        return Err(PlexError::invalid("/timeout_ms", "expected 1 to 86400000"));
    }
    if params.retries.unwrap_or(0) > MAX_RETRIES {
        return Err(PlexError::invalid("/retries", "expected 0 to 10"));
    }
    match params.all_pages {
        true => check_paging(params),
        false => Ok(()),
    }
}

fn check_paging(params: &RequestParams) -> Result<(), PlexError> {
    if params.method != Method::Get {
        return Err(PlexError::invalid("/all_pages", "only a GET has pages"));
    }
    let is_paging = |name: &&String| PAGING.iter().any(|own| own.eq_ignore_ascii_case(name));
    let named = params.headers.keys().map(|name| ("headers", name));
    let mut named = named.chain(params.query.keys().map(|name| ("query", name)));
    let place = match named.find(|(_, name)| is_paging(name)) {
        Some((place, name)) => format!("/{place}/{}", query::escape_pointer(name)),
        None if query::holds(&params.path, &PAGING) => "/path".to_owned(),
        None => return Ok(()),
    };
    let reason = "`all_pages` asks for the pages itself; leave out one of the two";
    Err(PlexError::invalid(place, reason))
}

/// Where the request of a call goes.
pub(crate) fn url(params: &RequestParams, target: &target::Target) -> Result<Url, PlexError> {
    let joined = target.base.join(&params.path);
    let mut url = joined.map_err(|reason| PlexError::invalid("/path", reason))?;
    query::check(&url)?;
    query::append(&mut url, &params.query)?;
    match is_sendable(&url) {
        true => Ok(url),
        false => Err(PlexError::invalid("/path", "makes a URL of more than 65000 bytes")),
    }
}

fn request(
    params: &RequestParams,
    device: Result<HeaderMap, Unsendable>,
    target: &target::Target,
    url: Url,
) -> Result<Request, PlexError> {
    let method = method(params.method);
    let mut headers = headers::build(device, target.token.as_ref(), &params.headers)?;
    let body = send_body::of(params)?;
    if let Some(content_type) = body.as_ref().and_then(|body| body.content_type) {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }
    // Many proxies answer 411 to one without; the HTTP library leaves it out.
    if body.is_none() && matches!(params.method, Method::Put | Method::Post) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(Request { method, url, headers, body: body.map(|body| body.bytes.into()) })
}

/// Asks for the page that begins with entry `start` (Plex API, "Pagination").
pub(crate) fn ask_for_page(request: &mut Request, start: u64, size: u64) {
    for (name, number) in PAGING.into_iter().zip([start, size]) {
        request.headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    }
}

fn method(method: Method) -> hyper::Method {
    match method {
        Method::Get => hyper::Method::GET,
        Method::Head => hyper::Method::HEAD,
        Method::Post => hyper::Method::POST,
        Method::Put => hyper::Method::PUT,
        Method::Delete => hyper::Method::DELETE,
        Method::Options => hyper::Method::OPTIONS,
        Method::Patch => hyper::Method::PATCH,
    }
}

#[cfg(test)]
mod tests {
    use plexsync_protocol::identity::{IdentityHeaders, Origin};

    use super::*;
    use crate::secret::Secret;

    fn prepare(params: &str) -> Result<PreparedRequest, PlexError> {
        let headers = IdentityHeaders::new("id", "1.0.0");
        let identity = Identity::new("id".to_owned(), Origin::Loaded, String::new(), headers, None);
        let account = Account {
            server: Some("http://plex:32400".to_owned()),
            token: Ok(Some(Secret::new("configured"))),
            router: None,
        };
        let params = serde_json::from_str(params).unwrap();
        let (limits, secrets, cache) = (Limits::normal(), Secrets::default(), Cache::default());
        PreparedRequest::new(&params, &Arc::new(identity), &account, limits, &secrets, &cache)
    }

    #[test]
    fn defaults_and_bounds() {
        let prepared = prepare(r#"{"path": "/"}"#).unwrap();
        assert_eq!(prepared.timeout, Duration::from_secs(30));
        assert_eq!(prepared.connect_timeout, Duration::from_secs(5));
        assert_eq!((prepared.retries, prepared.max_bytes), (2, 64 * 1024 * 1024));
        let short = prepare(r#"{"path": "/", "timeout_ms": 1}"#).unwrap();
        assert_eq!(short.connect_timeout, Duration::from_millis(1));
        assert!(
            prepare(r#"{"path": "/", "timeout_ms": 86400000, "retries": 10, "max_bytes": 0}"#)
                .is_ok()
        );
        for (params, expected) in [
            (r#"{"path": ""}"#, "/path"),
            (r#"{"path": "/a?x-plex-token=t"}"#, "/path"),
            (r#"{"path": "/", "timeout_ms": 0}"#, "/timeout_ms"),
            (r#"{"path": "/", "timeout_ms": 86400001}"#, "/timeout_ms"),
            (r#"{"path": "/", "retries": 11}"#, "/retries"),
            (r#"{"path": "/", "server": "ftp://plex"}"#, "/server"),
            (r#"{"path": "/", "all_pages": true, "method": "HEAD"}"#, "/all_pages"),
            (
                r#"{"path": "/", "all_pages": true, "query": {"X-Plex-Container-Size": 5}}"#,
                "/query/X-Plex-Container-Size",
            ),
            (
                r#"{"path": "/", "all_pages": true, "headers": {"x-plex-container-start": "5"}}"#,
                "/headers/x-plex-container-start",
            ),
            (r#"{"path": "/?a&x-Plex%2DContainer-size=5", "all_pages": true}"#, "/path"),
        ] {
            match prepare(params) {
                Err(PlexError::Invalid { pointer, .. }) => assert_eq!(pointer, expected),
                other => panic!("{params}: {other:?}"),
            }
        }
        let long = format!(r#"{{"path": "/{}"}}"#, "x".repeat(65_000));
        assert!(matches!(prepare(&long), Err(PlexError::Invalid { .. })));
    }

    #[test]
    fn content_type() {
        for (params, expected) in [
            (r#""body": {}"#, Some("application/json")),
            (r#""body": "{}""#, None),
            (r#""body": {}, "headers": {"content-type": "text/x"}"#, Some("text/x")),
            (r#""method": "PUT""#, None),
        ] {
            let prepared = prepare(&format!(r#"{{"path": "/", {params}}}"#)).unwrap();
            let found =
                prepared.request.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
            assert_eq!(found, expected, "{params}");
        }
    }
}
