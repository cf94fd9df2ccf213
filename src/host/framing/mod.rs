//! Bytes to messages: one JSON value a line, or `Content-Length` header blocks as the Language Server Protocol has
//! them (LSP 3.17, "Base Protocol"). Messages are not parsed here.

mod headers;

use std::io::BufRead;
use std::ops::Range;

use headers::Body;

const BOM: &[u8] = b"\xef\xbb\xbf";
const HEADER_STARTS: [&[u8]; 2] = [b"content-length:", b"content-type:"];
/// So many bytes of a message that is too long are shown.
const FIRST_BYTES: usize = 64;
/// Above this, an empty buffer gives its memory back.
const KEPT_CAPACITY: usize = 256 * 1024;

/// Message framing on a stream.
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
    /// A message longer than the limit, by its first bytes where they are known; it is skipped.
    TooLong(&'a [u8]),
    /// A header block without a usable length; reading goes on at the next one.
    BadHeader(&'static str),
    /// Bytes between messages that are no header. They are skipped, up to the next header.
    Stray,
}

/// A frame, as a place in the buffer.
enum Cut {
    Message(Range<usize>),
    TooLong(Range<usize>),
    BadHeader(&'static str),
    Stray,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// At the start of a line or of a header block.
    Start,
    /// In a line that is too long: up to its end.
    SkipLine,
    /// In a body.
    Body(Body),
    /// In a body that is too long: this many bytes are left.
    SkipBody(u64),
    /// Lost: up to something that looks like a header.
    Resync,
}

/// Splits a stream into frames. Feed it bytes as they arrive, and take frames until there are none.
#[derive(Debug)]
pub struct Decoder {
    framing: Option<Framing>,
    max_message: usize,
    buffer: Vec<u8>,
    /// Bytes before this are consumed.
    start: usize,
    /// Bytes before this hold no line end: a long line is not searched twice.
    searched: usize,
    state: State,
    at_stream_start: bool,
    /// The last frame was stray bytes: more of them are the same ones.
    strayed: bool,
    content_type: Option<String>,
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
            strayed: false,
            content_type: None,
        }
    }

    /// The framing, once it is known.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// The host's own `Content-Type`, as the last header block had it.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// A line that has not ended yet.
    pub fn waiting_line(&self) -> Option<&[u8]> {
        let lines = self.framing == Some(Framing::Lines) && matches!(self.state, State::Start);
        Some(self.rest().trim_ascii()).filter(|line| lines && !line.is_empty())
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
            Cut::TooLong(place) => Frame::TooLong(&self.buffer[place]),
            Cut::BadHeader(reason) => Frame::BadHeader(reason),
            Cut::Stray => Frame::Stray,
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
            let Some(found) = line_end(&self.buffer[from..]) else {
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
            length if length > self.max_message => {
                Some(Cut::TooLong(start..end.min(start + FIRST_BYTES)))
            }
            _ => Some(Cut::Message(start..end)),
        }
    }

    fn unfinished_line(&mut self, at_end: bool) -> Option<Cut> {
        self.searched = self.buffer.len();
        let line = self.start..self.buffer.len();
        let skipping = matches!(self.state, State::SkipLine);
        // One byte more than the limit may be the CR of a CRLF.
        let too_long =
            (line.len() > self.max_message + 1).then(|| self.line(line.clone())).flatten();
        let too_long = too_long.filter(|cut| matches!(cut, Cut::TooLong(_)));
        if skipping || too_long.is_some() {
            self.consume(line.len());
            self.state = State::SkipLine;
            return too_long.filter(|_| !skipping);
        }
        if !at_end {
            return None;
        }
        self.consume(line.len());
        self.line(line)
    }
}

/// Searches with libc's memchr(3), as the standard library does. The crate `memchr` first asks the processor what it can:
/// on a virtual machine that costs a twentieth of a process's start.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let line = (&mut &*bytes).skip_until(b'\n').ok()?;
    line.checked_sub(1).filter(|last| bytes[*last] == b'\n')
}

#[cfg(test)]
mod tests;
