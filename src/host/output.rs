//! Replies to bytes: small ones together in one write, large ones without a copy.

use std::io;

use plexsync_protocol::message::JsonText;

use super::transport::Transport;
use crate::host::{envelope as wire, framing::Framing};

/// A reply longer than this is written from where it lies.
const LARGE: usize = 64 * 1024;

/// The only writer of replies.
pub(super) struct Output {
    framing: Framing,
    buffer: Vec<u8>,
}

impl Default for Output {
    fn default() -> Self {
        Self { framing: Framing::Lines, buffer: Vec::new() }
    }
}

impl Output {
    /// Replies go out as messages come in.
    pub(super) fn set_framing(&mut self, framing: Option<Framing>) {
        self.framing = framing.unwrap_or(self.framing);
    }

    /// Takes a reply. It may stay in the buffer until [`flush`](Self::flush).
    pub(super) fn write(&mut self, to: &mut impl Transport, reply: JsonText) -> io::Result<()> {
        let framed = wire::frame(self.framing, reply);
        if framed.len() > LARGE {
            self.flush(to)?;
            return framed.pieces().try_for_each(|piece| to.write_all(piece));
        }
        framed.pieces().for_each(|piece| self.buffer.extend_from_slice(piece));
        if self.buffer.len() > LARGE { self.flush(to) } else { Ok(()) }
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    pub(super) fn flush(&mut self, to: &mut impl Transport) -> io::Result<()> {
        if !self.buffer.is_empty() {
            to.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
