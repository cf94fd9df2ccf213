//! One request, as it stood on the wire.

use std::io::{self, Read};
use std::time::Instant;

/// Largest head that is read, in bytes.
const MAX_HEAD: usize = 1024 * 1024;
/// Most headers of one request.
const MAX_HEADERS: usize = 512;

/// A request, kept as it came: nothing is lower-cased, decoded or sorted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `PUT` ...
    pub method: String,
    /// The request target: path and query, percent-encoded as sent.
    pub target: String,
    /// Headers in the order and with the case in which they came; bytes that are no UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body, with the transfer coding taken off.
    pub body: Vec<u8>,
    /// Which connection of this server it came on; the first is 1.
    pub connection: u64,
    /// Whether it came through TLS.
    pub tls: bool,
    /// When its head was complete.
    pub at: Instant,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The first header of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Every header of this name, in any letter case.
    pub fn headers_named(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The query's pairs, percent-decoded, `+` as a space.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (decode_percent(key), decode_percent(value)))
            .collect()
    }

    /// The first value of this name in the query; names are compared in any letter case.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, it)| it)
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Undoes percent-encoding; what is no escape stays as it is.
fn decode_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| first == b'%');
        let escape = escape.and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads requests off one connection.
pub(super) struct Reader {
    buffer: Vec<u8>,
    pub(super) connection: u64,
    pub(super) tls: bool,
}

impl Reader {
    pub(super) fn new(connection: u64, tls: bool) -> Self {
        Self { buffer: Vec::new(), connection, tls }
    }

    /// The next head, without its body; `None` at a clean end.
    pub(super) fn head(&mut self, stream: &mut impl Read) -> io::Result<Option<Request>> {
        loop {
            if let Some((request, length)) = self.parse()? {
                self.buffer.drain(..length);
                return Ok(Some(request));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("the head is too long"));
            }
            if self.fill(stream)? == 0 {
                return Ok(None);
            }
        }
    }

    fn parse(&self) -> io::Result<Option<(Request, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let status = parsed.parse(&self.buffer).map_err(|error| invalid(&error.to_string()))?;
        let httparse::Status::Complete(length) = status else { return Ok(None) };
        let lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let request = Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            headers: parsed
                .headers
                .iter()
                .map(|it| (it.name.to_owned(), lossy(it.value)))
                .collect(),
            body: Vec::new(),
            connection: self.connection,
            tls: self.tls,
            at: Instant::now(),
        };
        Ok(Some((request, length)))
    }

    /// The body of `request` (RFC 9112, section 6.3).
    pub(super) fn body(
        &mut self,
        stream: &mut impl Read,
        request: &Request,
    ) -> io::Result<Vec<u8>> {
        if request.header("transfer-encoding").is_some() {
            return self.chunks(stream);
        }
        let length = match request.header("content-length") {
            Some(text) => {
                text.trim().parse().map_err(|_| invalid("`Content-Length` is no number"))?
            }
            None => 0,
        };
        self.take(stream, length)
    }

    fn chunks(&mut self, stream: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let parsed = httparse::parse_chunk_size(&self.buffer);
            let Ok(status) = parsed else { return Err(invalid("a chunk size is no number")) };
            let httparse::Status::Complete((start, size)) = status else {
                self.fill_or_fail(stream)?;
                continue;
            };
            self.buffer.drain(..start);
            let size = usize::try_from(size).map_err(|_| invalid("a chunk is too large"))?;
            body.extend(self.take(stream, size)?);
            self.take(stream, 2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn take(&mut self, stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill_or_fail(stream)?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill_or_fail(&mut self, stream: &mut impl Read) -> io::Result<()> {
        match self.fill(stream)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn fill(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        let mut piece = [0; 16 * 1024];
        let count = stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
