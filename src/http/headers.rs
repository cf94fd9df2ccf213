//! The headers that say which device speaks, and for whom: on every request to Plex and to plex.tv.

use hyper::header::{ACCEPT, HeaderMap, HeaderValue};
use plexsync_protocol::identity::IdentityHeaders;

use crate::secret::Secret;

/// What holds a character that no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsendable {
    /// The identity.
    Identity,
    /// The token.
    Token,
}

/// The identity, the token beside it, and `Accept`, which is exactly `application/json`: plex.tv answers longer lists
/// with XML.
pub(crate) fn of_device(
    identity: &IdentityHeaders,
    token: Option<&Secret>,
) -> Result<HeaderMap, Unsendable> {
    let mut headers = HeaderMap::new();
    let agent = format!("{}/{}", identity.product, identity.version);
    for (name, text) in identity.iter().chain([("User-Agent", agent.as_str())]) {
        headers.insert(name, value(text).ok_or(Unsendable::Identity)?);
    }
    if let Some(token) = token {
        let mut value = value(token.expose()).ok_or(Unsendable::Token)?;
        value.set_sensitive(true);
        headers.insert("x-plex-token", value);
    }
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(headers)
}

/// Text as a header's value, in UTF-8, as Plex reads it first.
pub(crate) fn value(text: &str) -> Option<HeaderValue> {
    match text.chars().any(char::is_control) {
        true => None,
        false => HeaderValue::from_bytes(text.as_bytes()).ok(),
    }
}
