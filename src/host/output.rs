//! Replies to bytes: small ones together in one write, large ones without a copy.

use std::io::{self, Write};

use super::envelope;
use super::framing::Framing;
use crate::json_text::JsonText;

/// A longer reply is written without a copy.
const LARGE: usize = 64 * 1024;

/// The only writer of replies.
pub(super) struct Output<W> {
    replies: W,
    framing: Framing,
    /// The host's own `Content-Type`, if it sent one.
    content_type: Option<String>,
    buffer: Vec<u8>,
}

impl<W: Write> Output<W> {
    pub(super) fn new(replies: W) -> Self {
        Self { replies, framing: Framing::Lines, content_type: None, buffer: Vec::new() }
    }

    /// Replies use the framing of the messages.
    pub(super) fn answer_as(&mut self, framing: Option<Framing>, content_type: Option<&str>) {
        self.framing = framing.unwrap_or(self.framing);
        if self.content_type.as_deref() != content_type {
            self.content_type = content_type.map(ToOwned::to_owned);
        }
    }

    /// Writes a reply; it may stay in the buffer until [`flush`](Self::flush).
    ///
    /// # Errors
    /// As `write(2)`; `BrokenPipe` when the host has closed its end.
    pub(super) fn write(&mut self, reply: JsonText) -> io::Result<()> {
        let framed = envelope::frame(self.framing, self.content_type.as_deref(), reply);
        if framed.len() > LARGE {
            self.flush()?;
            return framed.pieces().try_for_each(|piece| self.replies.write_all(piece));
        }
        framed.pieces().for_each(|piece| self.buffer.extend_from_slice(piece));
        if self.buffer.len() > LARGE { self.flush() } else { Ok(()) }
    }

    /// Writes the buffer.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.replies.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
