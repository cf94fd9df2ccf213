//! What a host and `plexsync-worker` say to each other, as types.
//!
//! The prose is in `protocol/README.md`; where the two disagree, one of them has a bug. This crate has no I/O: it
//! opens no file, starts no process and no socket, so that a host, a test or a generator can use it alone.

pub mod message;
pub mod identity;
pub mod plex;
pub mod stash;
pub mod error;

#[cfg(test)]
mod document;

/// The version of the contract: hosts that know `1.0` understand every worker of `1.x`.
///
/// The second number grows with what is added, the first one would with what is changed (README, "Versions").
pub const CONTRACT_VERSION: &str = "1.0";

/// The contract as an OpenRPC document (<https://spec.open-rpc.org>), generated from the types of this crate: what
/// `rpc.discover` answers.
pub const OPENRPC: &str = include_str!("../openrpc.json");
