//! The headers that say which device speaks, and for whom: on every request to Plex and to plex.tv.

use hyper::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use plexsync_protocol::identity::IdentityHeaders;

use crate::secret::Secret;

/// Plex's official place for a token.
pub(crate) static TOKEN: HeaderName = HeaderName::from_static("x-plex-token");

/// The headers that say which device speaks, in the order of [`IdentityHeaders::iter`].
pub(crate) static IDENTITY: [HeaderName; 8] = [
    HeaderName::from_static("x-plex-client-identifier"),
    HeaderName::from_static("x-plex-product"),
    HeaderName::from_static("x-plex-version"),
    HeaderName::from_static("x-plex-platform"),
    HeaderName::from_static("x-plex-platform-version"),
    HeaderName::from_static("x-plex-device"),
    HeaderName::from_static("x-plex-device-name"),
    HeaderName::from_static("x-plex-provides"),
];

/// The identity holds a character that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unsendable;

/// The identity, and `Accept`, which is exactly `application/json`: plex.tv answers longer lists with XML.
pub(crate) fn of_device(identity: &IdentityHeaders) -> Result<HeaderMap, Unsendable> {
    let mut headers = HeaderMap::with_capacity(16);
    let agent = format!("{}/{}", identity.product, identity.version);
    let texts = identity.iter().map(|(_, text)| text);
    for (name, text) in IDENTITY.iter().zip(texts).chain([(&USER_AGENT, agent.as_str())]) {
        headers.insert(name.clone(), value(text).ok_or(Unsendable)?);
    }
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(headers)
}

/// Puts a token in its header, which debug output does not show; `None`, and nothing is changed, if no header can carry it.
pub(crate) fn put_token(headers: &mut HeaderMap, token: &Secret) -> Option<()> {
    let mut value = value(token.expose())?;
    value.set_sensitive(true);
    headers.insert(TOKEN.clone(), value);
    Some(())
}

/// Text as a header's value, in UTF-8, as Plex reads it first.
pub(crate) fn value(text: &str) -> Option<HeaderValue> {
    match text.chars().any(char::is_control) {
        true => None,
        false => HeaderValue::from_bytes(text.as_bytes()).ok(),
    }
}
