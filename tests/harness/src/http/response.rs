//! What a handler answers.

use std::io;

use serde_json::Value;

use super::{Request, Wire, wire};

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It waits for the next request.
    KeepAlive,
    /// It is closed.
    Close,
    /// It is reset: the client reads "connection reset by peer", even for bytes already sent.
    Reset,
}

/// Writes an answer byte by byte.
type Script = Box<dyn FnOnce(&mut Wire<'_>, &Request) -> io::Result<After> + Send>;

/// An answer: a well-formed one with a known body, or a script that writes what it likes.
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) after: After,
    pub(crate) script: Option<Script>,
}

impl Response {
    /// An empty answer with `Content-Length: 0` (none with 204 and 304), and no other header.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            after: After::KeepAlive,
            script: None,
        }
    }

    /// An answer with a body of this content type.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status).header("Content-Type", content_type).body(body)
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// An answer that is written by `script`; see [`Wire`].
    pub fn script(
        script: impl FnOnce(&mut Wire<'_>, &Request) -> io::Result<After> + Send + 'static,
    ) -> Self {
        Self { script: Some(Box::new(script)), ..Self::new(0) }
    }

    /// Adds a header. The value is written as it is, control bytes included.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Closes the connection afterwards, and says so in a header.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.after = After::Close;
        self.header("Connection", "close")
    }

    /// The status; 0 where a script writes the answer.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body; empty where a script writes the answer.
    pub fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// The first header of this name, in any letter case; bytes that are no UTF-8 are replaced.
    pub fn header_value(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// Sets a header, in place of those of the same name.
    #[must_use]
    pub(crate) fn replace(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.header(name, value)
    }

    /// The bytes of a well-formed answer. A HEAD gets the head of what a GET would get (RFC 9110, section 9.3.2).
    pub(crate) fn to_bytes(&self, request: &Request) -> Vec<u8> {
        let mut headers = self.headers.clone();
        let names_length = headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length")
                || name.eq_ignore_ascii_case("transfer-encoding")
        });
        if !names_length && self.status != 204 && self.status != 304 {
            headers.push(("Content-Length".to_owned(), self.body.len().to_string().into_bytes()));
        }
        let mut bytes = wire::head(self.status, &headers);
        if request.method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// Writes the answer.
    pub(crate) fn write(self, wire: &mut Wire<'_>, request: &Request) -> io::Result<After> {
        if let Some(script) = self.script {
            return script(wire, request);
        }
        wire.send(self.to_bytes(request))?;
        Ok(self.after)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut answer = formatter.debug_struct("Response");
        answer.field("status", &self.status).field("body_length", &self.body.len());
        answer.field("script", &self.script.is_some()).finish_non_exhaustive()
    }
}
