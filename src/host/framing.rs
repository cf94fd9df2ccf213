//! Bytes to messages: one JSON value a line, or `Content-Length` header blocks as the Language Server Protocol has
//! them (LSP 3.17, "Base Protocol"). Nothing here knows what a message says.

use std::ops::Range;

use memchr::memchr;

const BOM: &[u8] = b"\xef\xbb\xbf";
const HEADER_STARTS: [&[u8]; 2] = [b"content-length:", b"content-type:"];
/// So many bytes at the end may be the beginning of a header's name.
const MAX_HEADER_PART: usize = HEADER_STARTS[0].len() - 1;
/// A header block is a line or two; what is longer is no header block.
const MAX_HEADER_BLOCK: usize = 8 * 1024;
/// Above this, an empty buffer gives its memory back.
const KEPT_CAPACITY: usize = 256 * 1024;

/// How messages are told apart on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One JSON value a line.
    Lines,
    /// `Content-Length` header blocks.
    Headers,
}

/// What the decoder found next.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A message, without its line end or header block.
    Message(&'a [u8]),
    /// A message longer than the limit; it was skipped.
    TooLong,
    /// A header block that does not tell a length; reading goes on at the next one.
    BadHeader(&'static str),
}

/// A frame, as a place in the buffer.
enum Cut {
    Message(Range<usize>),
    TooLong,
    BadHeader(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// At the start of a line or of a header block.
    Start,
    /// In a line that is too long: up to its end.
    SkipLine,
    /// In a body of this many bytes.
    Body(usize),
    /// In a body that is too long: this many bytes are left.
    SkipBody(u64),
    /// Lost: up to something that looks like a header.
    Resync,
}

/// Cuts a stream into frames. Feed it bytes as they come, take frames until there are none.
#[derive(Debug)]
pub struct Decoder {
    framing: Option<Framing>,
    max_message: usize,
    buffer: Vec<u8>,
    /// Bytes before this are done with.
    start: usize,
    /// Bytes before this hold no line end: a long line is not searched twice.
    searched: usize,
    state: State,
    at_stream_start: bool,
}

impl Decoder {
    /// A decoder for `framing`, or for the one that the first line shows. `max_message` is in bytes.
    pub fn new(framing: Option<Framing>, max_message: usize) -> Self {
        Self {
            framing,
            max_message,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            state: State::Start,
            at_stream_start: true,
        }
    }

    /// The framing, once it is known.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = Vec::new();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame of what was fed.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let cut = self.advance(false)?;
        Some(self.frame(cut))
    }

    /// The next frame after the stream has ended: the last line needs no line end.
    pub fn next_frame_at_end(&mut self) -> Option<Frame<'_>> {
        let cut = self.advance(true)?;
        Some(self.frame(cut))
    }

    fn frame(&self, cut: Cut) -> Frame<'_> {
        match cut {
            Cut::Message(place) => Frame::Message(&self.buffer[place]),
            Cut::TooLong => Frame::TooLong,
            Cut::BadHeader(reason) => Frame::BadHeader(reason),
        }
    }

    fn advance(&mut self, at_end: bool) -> Option<Cut> {
        match self.detect(at_end)? {
            Framing::Lines => self.next_line(at_end),
            Framing::Headers => self.next_block(at_end),
        }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.searched = self.searched.max(self.start);
    }

    /// Decides on the framing by the first line, whatever framing was asked for: a BOM is dropped either way.
    fn detect(&mut self, at_end: bool) -> Option<Framing> {
        if self.at_stream_start {
            if !at_end && self.rest().len() < BOM.len() && BOM.starts_with(self.rest()) {
                return None;
            }
            if self.rest().starts_with(BOM) {
                self.consume(BOM.len());
            }
            self.at_stream_start = false;
        }
        if self.framing.is_none() {
            let blanks = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.consume(blanks);
            let first: Vec<u8> = self.rest().iter().take(16).map(u8::to_ascii_lowercase).collect();
            if HEADER_STARTS.iter().any(|header| first.starts_with(header)) {
                self.framing = Some(Framing::Headers);
            } else if at_end || !HEADER_STARTS.iter().any(|header| header.starts_with(&first)) {
                self.framing = Some(Framing::Lines);
            }
        }
        self.framing
    }

    fn next_line(&mut self, at_end: bool) -> Option<Cut> {
        loop {
            let from = self.searched.max(self.start);
            let Some(found) = memchr(b'\n', &self.buffer[from..]) else {
                return self.unfinished_line(at_end);
            };
            let line = self.start..from + found;
            self.consume(line.len() + 1);
            if matches!(self.state, State::SkipLine) {
                self.state = State::Start;
            } else if let Some(cut) = self.line(line) {
                return Some(cut);
            }
        }
    }

    /// A line is a message unless it is blank.
    fn line(&self, place: Range<usize>) -> Option<Cut> {
        let line = &self.buffer[place.clone()];
        let start = place.end - line.trim_ascii_start().len();
        let end = start + line.trim_ascii().len();
        match end - start {
            0 => None,
            length if length > self.max_message => Some(Cut::TooLong),
            _ => Some(Cut::Message(start..end)),
        }
    }

    fn unfinished_line(&mut self, at_end: bool) -> Option<Cut> {
        self.searched = self.buffer.len();
        let line = self.start..self.buffer.len();
        let skipping = matches!(self.state, State::SkipLine);
        // One byte more than the limit may be the CR of a CRLF.
        let too_long = line.len() > self.max_message + 1
            && matches!(self.line(line.clone()), Some(Cut::TooLong));
        if skipping || too_long {
            self.consume(line.len());
            self.state = State::SkipLine;
            return (!skipping).then_some(Cut::TooLong);
        }
        if !at_end {
            return None;
        }
        self.consume(line.len());
        self.line(line)
    }

    fn next_block(&mut self, at_end: bool) -> Option<Cut> {
        loop {
            match self.state {
                State::Body(length) => return self.body(length, at_end),
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

    fn body(&mut self, length: usize, at_end: bool) -> Option<Cut> {
        let available = self.rest().len();
        if available < length && !at_end {
            return None;
        }
        self.state = State::Start;
        let body = self.start..self.start + length.min(available);
        self.consume(body.len());
        Some(Cut::Message(body))
    }

    fn skip_body(&mut self, left: u64) -> Option<()> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.rest().len());
        self.consume(here);
        let left = left - here as u64;
        self.state = if left == 0 { State::Start } else { State::SkipBody(left) };
        (left == 0).then_some(())
    }

    /// Drops bytes up to the next thing that looks like a header. It may stand right behind a body.
    fn resync(&mut self) -> Option<()> {
        let lower = self.rest().to_ascii_lowercase();
        let found =
            HEADER_STARTS.iter().filter_map(|header| memchr::memmem::find(&lower, header)).min();
        match found {
            Some(at) => {
                self.consume(at);
                self.state = State::Start;
                Some(())
            }
            None => {
                self.consume(lower.len().saturating_sub(MAX_HEADER_PART));
                None
            }
        }
    }

    /// Reads one header block. `Some(None)`: it was good, the body comes next; `None`: it is not whole yet.
    fn header_block(&mut self, at_end: bool) -> Option<Option<Cut>> {
        let blanks = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.consume(blanks);
        let Some(length) = block_length(self.rest()) else {
            let length = self.rest().len();
            match (at_end, length > MAX_HEADER_BLOCK) {
                (true, _) if length > 0 => self.consume(length),
                // What was searched goes: its own header would be found again, for ever.
                (false, true) => self.consume(MAX_HEADER_BLOCK - MAX_HEADER_PART),
                _ => return None,
            }
            self.state = State::Resync;
            return Some(Some(Cut::BadHeader("a header block must end with an empty line")));
        };
        let announced = content_length(&self.rest()[..length]);
        self.consume(length);
        match announced {
            Err(reason) => {
                self.state = State::Resync;
                Some(Some(Cut::BadHeader(reason)))
            }
            Ok(length) if length > self.max_message as u64 => {
                self.state = State::SkipBody(length);
                Some(Some(Cut::TooLong))
            }
            Ok(length) => {
                self.state = State::Body(usize::try_from(length).unwrap_or(usize::MAX));
                Some(None)
            }
        }
    }
}

/// Length of the header block at the start, its empty line included.
fn block_length(bytes: &[u8]) -> Option<usize> {
    let bytes = &bytes[..bytes.len().min(MAX_HEADER_BLOCK)];
    let mut line_start = 0;
    while let Some(length) = memchr(b'\n', &bytes[line_start..]) {
        let line = &bytes[line_start..line_start + length];
        line_start += length + 1;
        if matches!(line, b"" | b"\r") {
            return Some(line_start);
        }
    }
    None
}

fn content_length(block: &[u8]) -> Result<u64, &'static str> {
    let mut announced = None;
    for line in
        block.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
    {
        let Some(colon) = memchr(b':', line) else {
            return Err("a header line must be `Name: value`");
        };
        if !line[..colon].trim_ascii().eq_ignore_ascii_case(b"content-length") {
            continue;
        }
        let digits = line[colon + 1..].trim_ascii();
        let length = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or("`Content-Length` must be a number of bytes")?;
        if announced.is_some_and(|before| before != length) {
            return Err("`Content-Length` stands twice, with two lengths");
        }
        announced = Some(length);
    }
    announced.ok_or("`Content-Length` is missing")
}

#[cfg(test)]
mod tests;
