//! Memory for the parts of large bodies. In pages of 4 KiB, fifty megabytes are twelve thousand page faults, and
//! those take longer than checking what is in them: huge pages are asked for, where the system has them.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use memmap2::MmapMut;

/// A piece of a body.
#[derive(Debug)]
pub(crate) struct Part {
    memory: Memory,
    start: usize,
    end: usize,
}

#[derive(Debug)]
enum Memory {
    Heap(Vec<u8>),
    Pages(MmapMut),
}

impl Part {
    /// An empty part with room for `capacity` bytes; without pages, for none.
    pub(crate) fn with_room(capacity: usize) -> Self {
        match MmapMut::map_anon(capacity) {
            Ok(pages) => {
                // Refused by systems that have none: then pages are small.
                #[cfg(target_os = "linux")]
                let _ignored = pages.advise(memmap2::Advice::HugePage);
                Self { memory: Memory::Pages(pages), start: 0, end: 0 }
            }
            Err(_) => Self::from(Vec::new()),
        }
    }

    /// Takes what there is room for; gives back the rest.
    pub(crate) fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = match &mut self.memory {
            Memory::Pages(pages) => pages.get_mut(self.end..).unwrap_or_default(),
            Memory::Heap(heap) => {
                heap.extend_from_slice(bytes);
                self.end = heap.len();
                return &[];
            }
        };
        let (taken, rest) = bytes.split_at(room.len().min(bytes.len()));
        room[..taken.len()].copy_from_slice(taken);
        self.end += taken.len();
        rest
    }

    /// Drops bytes from the front.
    pub(crate) fn skip(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Drops the bytes behind the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.end = self.end.min(self.start + length);
    }
}

impl From<Vec<u8>> for Part {
    fn from(heap: Vec<u8>) -> Self {
        Self { start: 0, end: heap.len(), memory: Memory::Heap(heap) }
    }
}

impl From<Part> for Bytes {
    fn from(part: Part) -> Self {
        Self::from_owner(part)
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for Part {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let bytes: &[u8] = match &self.memory {
            Memory::Heap(heap) => heap,
            Memory::Pages(pages) => pages,
        };
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut [u8] {
        let bytes: &mut [u8] = match &mut self.memory {
            Memory::Heap(heap) => heap,
            Memory::Pages(pages) => pages,
        };
        bytes.get_mut(self.start..self.end).unwrap_or_default()
    }
}
