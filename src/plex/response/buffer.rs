//! Memory for bodies, which goes back to the system when a call ends.

/// A buffer of this size, in bytes, is a mapping of its own that is unmapped when it is freed. glibc keeps smaller ones
/// in its heap once it has seen some (`M_MMAP_THRESHOLD` grows up to 32 MiB), and a worker lives for weeks.
const MAPPED: usize = 32 * 1024 * 1024 + 64 * 1024;
/// From this size on, in bytes, a buffer is made so large. Pages that nobody touches cost nothing.
const LARGE: usize = 1024 * 1024;

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
