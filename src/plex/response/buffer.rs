//! Memory for bodies, which goes back to the system when a call ends.

/// From this size on, in bytes, a buffer must not stay with the process when it is freed: a worker lives for weeks.
const LARGE: usize = 1024 * 1024;
/// So large it is made then. glibc keeps smaller ones in its heap once it has seen some (`M_MMAP_THRESHOLD` grows up to
/// 32 MiB); larger ones are mappings of their own. Untouched pages cost nothing.
const MAPPED: usize = match cfg!(target_env = "gnu") {
    true => 32 * 1024 * 1024 + 64 * 1024,
    false => LARGE,
};

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
