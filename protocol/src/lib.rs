//! The messages between a host and `plexsync-worker`, as types.
//!
//! The prose is in `protocol/README.md`; where the two disagree, one of them has a bug. This crate does no I/O: it
//! opens no file and no socket and starts no process, so a host, a test or a generator can use it alone. A client that
//! starts the worker and calls it is `plexsync-client`.

pub mod message;
pub mod identity;
pub mod plex;
pub mod find;
pub mod stash;
pub mod doctor;
pub mod error;
mod sign_in;

#[cfg(test)]
mod document;

/// The version of the contract: hosts that know `2.0` understand every worker of `2.x`.
///
/// Additions raise the second number, changes the first (README, "Versions").
pub const CONTRACT_VERSION: &str = "2.0";

/// The contract as an OpenRPC document (<https://spec.open-rpc.org>), generated from the types of this crate: what
/// `rpc.discover` answers.
pub const OPENRPC: &str = include_str!("../openrpc.json");
