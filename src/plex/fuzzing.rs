//! Ways in for fuzzers: what a server sends, and where a request goes.

use super::address::Base;
use super::{query, xml};

/// A body's XML as JSON.
///
/// # Errors
/// Why it is no XML.
pub fn xml_to_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    xml::to_json(bytes, None)
}

/// What is true of a URL that a request would go to.
pub struct Joined {
    /// It has its server's scheme, host and port.
    pub same_origin: bool,
    /// It holds no user name, no password and no fragment.
    pub bare: bool,
    /// Names in its query, decoded.
    pub names: Vec<String>,
}

/// Where a request for `path` at `server` would go.
///
/// # Errors
/// Why it would go nowhere.
pub fn join(server: &str, path: &str) -> Result<Joined, String> {
    let url = Base::parse(server)?.join(path)?;
    query::check(&url).map_err(|error| error.to_string())?;
    let origin = reqwest::Url::parse(server.trim()).map(|server| server.origin());
    Ok(Joined {
        same_origin: origin.is_ok_and(|origin| origin == url.origin()),
        bare: url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
        names: url.query_pairs().map(|(name, _)| name.into_owned()).collect(),
    })
}
