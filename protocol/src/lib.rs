//! What a host and `plexsync-worker` say to each other, as types.
//!
//! The prose is in `protocol/README.md`; where the two disagree, one of them has a bug. This crate has no I/O: it
//! opens no file, starts no process and no socket, so that a host, a test or a generator can use it alone.

pub mod message;
pub mod identity;
pub mod plex;
pub mod stash;
pub mod error;
