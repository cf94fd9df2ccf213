//! One exchange over the network, for whoever speaks HTTP here: clients, connections, names, TLS, sending, redirects,
//! retries, and what failed. It knows nothing of Plex but the names of `plex.direct` and the headers of a device.

pub(crate) mod client;
pub(crate) mod connect;
pub mod error;
pub(crate) mod headers;
pub(crate) mod probe;
pub(crate) mod proxy;
pub(crate) mod redirect;
pub(crate) mod resolver;
pub(crate) mod retry;
pub(crate) mod send;
mod stream;
pub(crate) mod tls;

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AsHeaderName, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use url::Url;

use self::error::HttpError;

/// Longest URL that is sent, in bytes. The HTTP types underneath end at 65534.
const MAX_URL: usize = 65_000;

/// Whether HTTP can carry this URL.
pub(crate) fn is_sendable(url: &Url) -> bool {
    url.as_str().len() <= MAX_URL && url.as_str().parse::<Uri>().is_ok()
}

/// A request that can be sent as often as need be.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

impl Request {
    /// As the HTTP library sends it; `None` where HTTP can't carry the URL.
    fn to_hyper(&self) -> Option<hyper::Request<Full<Bytes>>> {
        let uri: Uri = self.url.as_str().parse().ok()?;
        let mut sent = hyper::Request::new(Full::new(self.body.clone().unwrap_or_default()));
        *sent.method_mut() = self.method.clone();
        *sent.uri_mut() = uri;
        sent.headers_mut().clone_from(&self.headers);
        Some(sent)
    }
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where it came from: the last one, after redirects.
    pub(crate) url: Url,
}

impl Head {
    /// The text of a header.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<String> {
        self.headers.get(name).map(|value| text(value).into_owned())
    }
}

/// Takes an answer's body while it comes.
pub(crate) trait Sink: Send {
    /// An answer begins; what came of an earlier one is void. Its body has `announced` bytes, where that is known: the
    /// server's word, not checked yet.
    fn begin(&mut self, head: &Head, announced: Option<u64>);

    /// The next bytes of its body. An error ends the exchange.
    fn push(&mut self, chunk: Bytes) -> impl Future<Output = Result<(), HttpError>> + Send;
}

impl Sink for Vec<u8> {
    fn begin(&mut self, _: &Head, _: Option<u64>) {
        self.clear();
    }

    async fn push(&mut self, chunk: Bytes) -> Result<(), HttpError> {
        self.extend_from_slice(&chunk);
        Ok(())
    }
}

/// A header's text: UTF-8 where it is, else Latin-1, which RFC 9110 (section 5.5) names as what it once was.
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests;
