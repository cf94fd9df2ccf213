//! Memory for bodies, which goes back to the system when a call ends.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use memmap2::MmapMut;

/// From this size on, in bytes, a buffer must not stay with the process when it is freed: a worker lives for weeks.
const LARGE: usize = 1024 * 1024;
/// So large it is made then. glibc keeps smaller ones in its heap once it has seen some (`M_MMAP_THRESHOLD` grows up to
/// 32 MiB); larger ones are mappings of their own. Untouched pages cost nothing.
const MAPPED: usize = match cfg!(target_env = "gnu") {
    true => 32 * 1024 * 1024 + 64 * 1024,
    false => LARGE,
};

/// Largest memory that a `Content-Length` alone can make us reserve in the heap, in bytes.
const LARGEST_RESERVE: usize = 64 * 1024 * 1024;

/// An empty buffer with room for `length` bytes.
pub(crate) fn with_room(length: usize) -> Vec<u8> {
    Vec::with_capacity(rounded(length))
}

/// Makes room for `more` bytes.
pub(crate) fn reserve(buffer: &mut Vec<u8>, more: usize) {
    let needed = buffer.len().saturating_add(more);
    if needed > buffer.capacity() {
        let doubled = needed.max(buffer.capacity().saturating_mul(2));
        buffer.reserve_exact(rounded(doubled) - buffer.len());
    }
}

fn rounded(length: usize) -> usize {
    if length < LARGE { length } else { length.max(MAPPED) }
}

/// From this length on, in bytes, a body lies in huge pages: with ordinary ones a third of the time of a large body is
/// the system's, for handing out twelve thousand of them.
const HUGE: usize = 4 * 1024 * 1024;

/// The bytes of a body.
#[derive(Debug)]
pub(crate) enum Body {
    Heap(Vec<u8>),
    /// A mapping, and how much of it is filled. What is not filled costs nothing.
    Mapped(MmapMut, usize),
}

impl Body {
    /// An empty body, with room for `length` bytes.
    pub(crate) fn with_room(length: usize) -> Self {
        // Refused where address space is limited.
        let map = (length >= HUGE).then(|| MmapMut::map_anon(length)).and_then(Result::ok);
        let Some(map) = map else { return Self::Heap(with_room(length.min(LARGEST_RESERVE))) };
        // Refused by a kernel without huge pages.
        #[cfg(target_os = "linux")]
        let _refused = map.advise(memmap2::Advice::HugePage);
        Self::Mapped(map, 0)
    }

    pub(crate) fn extend(&mut self, piece: &[u8]) {
        match self {
            Self::Mapped(map, length) if piece.len() <= map.len() - *length => {
                map[*length..][..piece.len()].copy_from_slice(piece);
                *length += piece.len();
            }
            Self::Mapped(..) => {
                *self = Self::Heap(std::mem::take(self).into_vec());
                self.extend(piece);
            }
            Self::Heap(bytes) => {
                reserve(bytes, piece.len());
                bytes.extend_from_slice(piece);
            }
        }
    }

    /// The bytes; a mapping's are copied.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Mapped(..) => self.to_vec(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Heap(Vec::new())
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Mapped(map, length) => &map[..*length],
        }
    }
}

impl DerefMut for Body {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Mapped(map, length) => &mut map[..*length],
        }
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Heap(bytes)
    }
}

impl From<Body> for Bytes {
    fn from(body: Body) -> Self {
        match body {
            Body::Heap(bytes) => bytes.into(),
            Body::Mapped(..) => Self::from_owner(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use plexsync_protocol::plex::{BodyEncoding, Parse};

    use super::super::decode::decode;
    use super::super::work::Stop;
    use super::*;

    #[test]
    fn a_body_in_a_mapping_is_as_any_other() {
        let number = format!("[\r\n{}\n]", "1".repeat(HUGE));
        let broken = format!("[{}", "1".repeat(HUGE));
        let binary = "\0".repeat(HUGE);
        for (text, encoding) in [
            (&number, BodyEncoding::Json),
            (&broken, BodyEncoding::Text),
            (&binary, BodyEncoding::Base64),
        ] {
            let parse = if text == &binary { Parse::Base64 } else { Parse::Json };
            // A server may send more than it has said.
            for announced in [0, HUGE, text.len(), 2 * text.len()] {
                let mut body = Body::with_room(announced);
                assert_eq!(matches!(body, Body::Mapped(..)), announced >= HUGE);
                text.as_bytes().chunks(300_000).for_each(|piece| body.extend(piece));
                assert!(*body == *text.as_bytes());
                let mapped = decode(parse, None, body, &Stop::default()).unwrap();
                let whole = text.clone().into_bytes().into();
                assert!(mapped == decode(parse, None, whole, &Stop::default()).unwrap());
                assert_eq!(mapped.encoding, encoding);
            }
        }
    }
}
