//! `Content-Length` header blocks. A wrong length costs one message only: bytes that are not a header are skipped up
//! to the next header, and a body that holds a whole value followed by a header ends there.

use memchr::memchr;
use serde::de::IgnoredAny;

use super::{BOM, Cut, Decoder, HEADER_STARTS, State};

/// So many bytes at the end may be the start of a header's name.
const MAX_HEADER_PART: usize = HEADER_STARTS[0].len() - 1;
/// Longest header block, in bytes; it has a line or two.
const MAX_HEADER_BLOCK: usize = 8 * 1024;
/// So many possible ends of a body are tried before its length is trusted.
const MAX_TRIES: u8 = 16;

/// A body that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    /// Announced length, in bytes.
    length: usize,
    /// Bytes before this hold no header.
    searched: usize,
    tries: u8,
}

/// What is found where a header block is expected.
enum Block {
    /// More bytes are needed.
    Unfinished,
    /// So many bytes that are not a header.
    Stray(usize),
    /// So many bytes of an invalid block.
    Bad(usize, &'static str),
    /// So many bytes of a block, and the length that it announces.
    Good(usize, u64),
}

impl Decoder {
    pub(super) fn next_block(&mut self, at_end: bool) -> Option<Cut> {
        loop {
            match self.state {
                State::Body(body) => return self.body(body, at_end),
                State::SkipBody(left) => self.skip_body(left)?,
                State::Resync => self.resync()?,
                State::Start | State::SkipLine => {
                    if let Some(cut) = self.header_block(at_end)? {
                        return Some(cut);
                    }
                }
            }
        }
    }

    fn body(&mut self, mut body: Body, at_end: bool) -> Option<Cut> {
        let length = body.length.min(self.rest().len());
        let whole = length == body.length || at_end;
        let value = body.value_before_header(&self.rest()[..length], whole);
        if value.is_none() && !whole {
            self.state = State::Body(body);
            return None;
        }
        self.state = State::Start;
        let message = self.start..self.start + value.unwrap_or(length);
        self.consume(message.len());
        Some(Cut::Message(message))
    }

    fn skip_body(&mut self, left: u64) -> Option<()> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.rest().len());
        self.consume(here);
        let left = left - here as u64;
        self.state = if left == 0 { State::Start } else { State::SkipBody(left) };
        (left == 0).then_some(())
    }

    /// Drops bytes up to the next thing that looks like a header. It may follow a body directly.
    fn resync(&mut self) -> Option<()> {
        match header_start(self.rest()) {
            Some(at) => {
                self.consume(at);
                self.state = State::Start;
                Some(())
            }
            None => {
                self.consume(self.rest().len().saturating_sub(MAX_HEADER_PART));
                None
            }
        }
    }

    /// Reads one header block. `Some(None)`: it was good, the body comes next; `None`: it is not whole yet.
    fn header_block(&mut self, at_end: bool) -> Option<Option<Cut>> {
        self.skip_blanks(at_end)?;
        match block(self.rest(), at_end) {
            Block::Unfinished => None,
            Block::Stray(length) => {
                self.consume(length);
                Some((!std::mem::replace(&mut self.strayed, true)).then_some(Cut::Stray))
            }
            Block::Bad(length, reason) => {
                self.consume(length);
                self.state = State::Resync;
                Some(Some(Cut::BadHeader(reason)))
            }
            Block::Good(block, length) => {
                self.content_type = content_type(&self.rest()[..block]);
                self.consume(block);
                self.strayed = false;
                if length > self.max_message as u64 {
                    self.state = State::SkipBody(length);
                    return Some(Some(Cut::TooLong(0..0)));
                }
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.state = State::Body(Body { length, searched: 0, tries: 0 });
                Some(None)
            }
        }
    }

    /// Skips what may be between messages: white space, the NUL behind a C string, a BOM. `None` if nothing follows.
    fn skip_blanks(&mut self, at_end: bool) -> Option<()> {
        loop {
            let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
            self.consume(self.rest().iter().take_while(blank).count());
            let rest = self.rest();
            if rest.starts_with(BOM) {
                self.consume(BOM.len());
            } else if rest.is_empty() || (!at_end && BOM.starts_with(rest)) {
                return None;
            } else {
                return Some(());
            }
        }
    }
}

impl Body {
    /// Length of the value at the start, if the next header follows it: more bytes were announced than the
    /// message has. A `whole` body may also end within that header.
    fn value_before_header(&mut self, bytes: &[u8], whole: bool) -> Option<usize> {
        while let Some(at) = header_start(&bytes[self.searched..]).map(|at| self.searched + at) {
            self.searched = at + 1;
            if self.is_value(bytes[..at].trim_ascii_end()) {
                return Some(at);
            }
        }
        self.searched = self.searched.max(bytes.len().saturating_sub(MAX_HEADER_PART));
        if !whole || matches!(bytes.trim_ascii_end().last(), Some(b'}' | b']')) {
            return None;
        }
        let parts = bytes.len().saturating_sub(MAX_HEADER_PART)..bytes.len();
        let part = parts.into_iter().find(|at| begins_header(&bytes[*at..]))?;
        self.is_value(bytes[..part].trim_ascii_end()).then_some(part)
    }

    fn is_value(&mut self, bytes: &[u8]) -> bool {
        if self.tries == MAX_TRIES || !bytes.ends_with(b"}") && !bytes.ends_with(b"]") {
            return false;
        }
        self.tries += 1;
        serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
    }
}

/// Whether a header's name may begin with these bytes, and goes on behind them.
fn begins_header(bytes: &[u8]) -> bool {
    let begins = |start: &&[u8]| {
        start.get(..bytes.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(bytes))
    };
    !bytes.is_empty() && HEADER_STARTS.iter().any(begins)
}

/// Where the first header begins, if there is one.
fn header_start(bytes: &[u8]) -> Option<usize> {
    let is_start = |at: &usize| {
        HEADER_STARTS.iter().any(|start| {
            bytes[*at..].get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start))
        })
    };
    memchr::memchr2_iter(b'c', b'C', bytes).find(is_start)
}

/// Reads the header block at the start.
fn block(bytes: &[u8], at_end: bool) -> Block {
    let bytes = &bytes[..bytes.len().min(MAX_HEADER_BLOCK)];
    let mut line_start = 0;
    while let Some(length) = memchr(b'\n', &bytes[line_start..]) {
        let line = &bytes[line_start..line_start + length];
        let line_end = line_start + length + 1;
        if line.trim_ascii().is_empty() {
            return match content_length(&bytes[..line_end]) {
                Ok(length) => Block::Good(line_end, length),
                Err(reason) => {
                    Block::Bad(usable_length(&bytes[..line_end]).unwrap_or(line_end), reason)
                }
            };
        }
        // No header contains the start of another one: what precedes it is something else.
        let next = behind_start(line).map(|at| line_start + at);
        if next.is_some() || !is_header(line) {
            let skipped = next.unwrap_or(line_end);
            return match line_start {
                0 => Block::Stray(skipped),
                _ => Block::Bad(skipped, "a header line must be `Name: value`"),
            };
        }
        line_start = line_end;
    }
    match (at_end, bytes.len() == MAX_HEADER_BLOCK) {
        (true, _) if line_start == 0 && !is_header(bytes) => Block::Stray(bytes.len()),
        // Drops what was searched: its header would be found again, endlessly.
        (false, true) => Block::Bad(MAX_HEADER_BLOCK - MAX_HEADER_PART, UNENDED),
        (true, _) => Block::Bad(bytes.len(), UNENDED),
        (false, false) => Block::Unfinished,
    }
}

const UNENDED: &str = "a header block must end with an empty line";

/// Start of a line with a length that follows one whose length is not a number: that one was not a header.
fn usable_length(block: &[u8]) -> Option<usize> {
    let first = memchr(b'\n', block)? + 1;
    let lines = [&block[..first], block.get(first..)?];
    let second = header_start(lines[1])?;
    (content_length(lines[0]) == Err(NO_NUMBER)).then_some(first + second)
}

/// Where a header begins after the first byte of a line.
fn behind_start(line: &[u8]) -> Option<usize> {
    header_start(line.get(1..)?).map(|at| at + 1)
}

/// Whether a line is `name: value`, with a token for its name (RFC 9110, section 5.6.2).
fn is_header(line: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let name = memchr(b':', line).map(|colon| line[..colon].trim_ascii());
    name.is_some_and(|name| !name.is_empty() && name.iter().all(token))
}

/// The values of the headers with this name.
fn values<'b>(block: &'b [u8], name: &'static [u8]) -> impl Iterator<Item = &'b [u8]> {
    block.split(|byte| *byte == b'\n').filter_map(move |line| {
        let colon = memchr(b':', line)?;
        line[..colon]
            .trim_ascii()
            .eq_ignore_ascii_case(name)
            .then(|| line[colon + 1..].trim_ascii())
    })
}

const NO_NUMBER: &str = "`Content-Length` must be a number of bytes";

fn content_length(block: &[u8]) -> Result<u64, &'static str> {
    let mut announced = None;
    for digits in values(block, b"content-length") {
        let length = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or(NO_NUMBER)?;
        if announced.is_some_and(|before| before != length) {
            return Err("`Content-Length` is repeated with two lengths");
        }
        announced = Some(length);
    }
    announced.ok_or("`Content-Length` is missing")
}

/// The `Content-Type`, if it is printable.
fn content_type(block: &[u8]) -> Option<String> {
    let value = values(block, b"content-type").next()?;
    let printable = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let value = Some(value).filter(|value| printable && !value.is_empty())?;
    String::from_utf8(value.to_vec()).ok()
}
