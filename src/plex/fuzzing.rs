//! Entry points for fuzzers: what a server sends, and where a request goes.

use std::collections::{BTreeMap, VecDeque};

use plexsync_protocol::plex::RequestParams;
use serde_json::Value;
use url::Url;

use crate::plex::events::Parser;
use crate::plex::request as plan;
use crate::plex::request::auth::Target;
use crate::plex::request::url::Base;
use crate::plex::response::work::{Stop, Stopped};
use crate::plex::response::{charset, xml};

/// A body's XML as JSON.
///
/// # Errors
/// Why it is not XML.
pub fn xml_to_json(content_type: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let stop = Stop::default();
    let charset = xml::charset(bytes, charset::of_content_type(content_type));
    let text = charset::read(bytes.to_vec(), charset, &stop);
    let json = text.and_then(|text| xml::to_json(&text.text, &stop));
    json.unwrap_or_else(|Stopped| Err("stopped".to_owned()))
}

/// The events of a stream that comes in these pieces.
pub fn events(pieces: &[&[u8]]) -> Vec<String> {
    let (mut parser, mut events) = (Parser::default(), VecDeque::new());
    pieces.iter().for_each(|piece| parser.feed(piece, &mut events));
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// What is true of a URL that a request would go to.
pub struct Joined {
    /// It has its server's scheme, host and port.
    pub same_origin: bool,
    /// It holds no user name, no password and no fragment.
    pub bare: bool,
    /// Its query.
    pub query: String,
}

/// Where a request for `path` at `server`, with these params `query`, would go.
///
/// # Errors
/// Why it would go nowhere.
pub fn join(server: &str, path: &str, query: BTreeMap<String, Value>) -> Result<Joined, String> {
    let target =
        Target { base: Base::parse(server)?, token: None, router: None, takes_token: true };
    let params = RequestParams { query, ..RequestParams::get(path) };
    let url = plan::url(&params, &target).map_err(|error| error.to_string())?;
    let origin = Url::parse(server.trim()).map(|server| server.origin());
    Ok(Joined {
        same_origin: origin.is_ok_and(|origin| origin == url.origin()),
        bare: url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
        query: url.query().unwrap_or_default().to_owned(),
    })
}
