//! `plex.request` and `plex.scan`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

mod scan;

pub use scan::{MAX_WAIT_MS, ScanOutcome, ScanParams, ScanResult, SectionScan, Waited};

/// Timeout of a whole call, in milliseconds, by default.
pub const TIMEOUT_MS: u64 = 30_000;
/// Longest time that a call may ask for: a day, in milliseconds.
pub const MAX_TIMEOUT_MS: u64 = 24 * 60 * 60 * 1000;
/// Most retries that a call may ask for.
pub const MAX_RETRIES: u32 = 10;
/// Longest time for one connection, in milliseconds.
pub const CONNECT_TIMEOUT_MS: u64 = 5_000;
/// Timeout of a whole call in a Stash hook, where the user waits, in milliseconds.
pub const HOOK_TIMEOUT_MS: u64 = 5_000;
/// Longest time for one connection in a Stash hook, in milliseconds.
pub const HOOK_CONNECT_TIMEOUT_MS: u64 = 2_000;
/// Retries after a failure, by default.
pub const RETRIES: u32 = 2;
/// Largest decoded body, in bytes, by default.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Most hops of a redirect that are followed.
pub const MAX_REDIRECTS: u32 = 5;
/// Entries asked for in one page of a listing.
pub const PAGE_SIZE: u64 = 100;

/// HTTP methods that `plex.request` can send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are RFC 9110's and RFC 5789's")]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
}

/// How the body is decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Parse {
    /// By content type; if there is none, by its first characters.
    #[default]
    Auto,
    /// As JSON.
    Json,
    /// As XML, turned into the shape of Plex's own JSON.
    Xml,
    /// As text in its charset.
    Text,
    /// As base64 of the bytes.
    Base64,
    /// Not at all: `body` is null.
    None,
}

/// What `body` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BodyEncoding {
    /// The JSON value that the server sent.
    Json,
    /// A JSON value made of the XML that the server sent.
    Xml,
    /// A string.
    Text,
    /// A string: base64 of the bytes (RFC 4648, section 4).
    Base64,
    /// Null.
    None,
}

/// Params of `plex.request`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestParams {
    /// Starts with one `/`; may hold a query string.
    #[cfg_attr(test, schemars(regex(pattern = "^/([^/].*)?$")))]
    pub path: String,
    /// The HTTP method.
    #[serde(default)]
    pub method: Method,
    /// Base URL of the server, or the name or identifier of one of the account's servers; default the configured one,
    /// else the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Overrides the configured token; empty sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Added to the query: string, number, boolean (as `1` and `0`), null (left out), or an array of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, crate::document::QueryValue>"))]
    pub query: BTreeMap<String, Value>,
    /// Added to the headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A string is sent as it is, an object or an array as JSON, exactly as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::document::Body>"))]
    pub body: Option<Box<RawValue>>,
    /// Bytes to send, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Time for the whole call, redirects and retries included, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = MAX_TIMEOUT_MS), extend("default" = TIMEOUT_MS)))]
    pub timeout_ms: Option<u64>,
    /// Retries after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(max = MAX_RETRIES), extend("default" = RETRIES)))]
    pub retries: Option<u32>,
    /// How the body is decoded.
    #[serde(default)]
    pub parse: Parse,
    /// Limit on the decoded body, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("default" = MAX_BYTES)))]
    pub max_bytes: Option<u64>,
    /// Fetch a listing page by page and join the pages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_pages: bool,
    /// Ask for `$/progress` notifications with this token: a string or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::document::Id>"))]
    pub progress_token: Option<Value>,
}

impl RequestParams {
    /// A GET of `path`, with defaults for everything else.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// Result of `plex.request`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RequestResult {
    /// HTTP status.
    pub status: u16,
    /// Whether the status is 2xx.
    pub ok: bool,
    /// Response headers under lower-case names; repeated ones joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The body; `body_encoding` says what it holds.
    #[cfg_attr(test, schemars(with = "Value"))]
    pub body: Box<RawValue>,
    /// What `body` holds.
    pub body_encoding: BodyEncoding,
    /// Why the body could not be decoded as it claims to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_error: Option<String>,
    /// The last URL, without secrets.
    pub url: String,
    /// Attempts; hops of a redirect do not count.
    pub attempts: u32,
    /// Time for the whole call, in milliseconds.
    pub elapsed_ms: u64,
    /// A sentence for the user about the server or the token that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl RequestResult {
    /// The body as a type of yours, or as a [`Value`]. `body` itself is JSON text, exactly as the worker wrote it.
    ///
    /// # Errors
    /// The body has another shape. A [`Value`] cannot hold every body: it takes 127 levels of nesting, numbers in the
    /// range of `f64`, and of repeated members the last one. The text in `body` keeps all of them.
    pub fn body_as<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(self.body.get())
    }
}
