//! Replies to bytes: small ones together in one write, large ones without a copy.

use std::io::{self, Write};

use plexsync_protocol::message::JsonText;

use crate::wire::{self, framing::Framing};

/// A reply longer than this is written from where it lies.
const LARGE: usize = 64 * 1024;

/// The only writer of replies.
pub(super) struct Output<W> {
    writer: W,
    framing: Framing,
    buffer: Vec<u8>,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, framing: Framing::Lines, buffer: Vec::new() }
    }

    /// Replies go out as messages come in.
    pub(super) fn set_framing(&mut self, framing: Option<Framing>) {
        self.framing = framing.unwrap_or(self.framing);
    }

    /// Takes a reply. It may stay in the buffer until [`flush`](Self::flush).
    pub(super) fn write(&mut self, reply: JsonText) -> io::Result<()> {
        let framed = wire::frame(self.framing, reply);
        if framed.len() > LARGE {
            self.flush()?;
            return framed.pieces().try_for_each(|piece| self.writer.write_all(piece));
        }
        framed.pieces().for_each(|piece| self.buffer.extend_from_slice(piece));
        if self.buffer.len() > LARGE { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.writer.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
