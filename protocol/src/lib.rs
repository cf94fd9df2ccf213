//! The messages between a host and `plexsync-worker`, as types.
//!
//! The prose is in `protocol/README.md`; where the two disagree, one of them has a bug. This crate does no I/O: it
//! opens no file and no socket and starts no process, so a host, a test or a generator can use it alone. A client that
//! starts the worker and calls it is `plexsync-client`.

use std::borrow::Cow;

pub mod message;
pub mod identity;
pub mod plex;
pub mod server;
pub mod find;
pub mod device;
pub mod stash;
pub mod pending;
pub mod doctor;
pub mod error;
pub mod sign_in;

#[cfg(test)]
mod document;

/// The version of the contract: hosts that know `2.0` understand every worker of `2.x`.
///
/// Additions raise the second number, changes the first (README, "Versions").
pub const CONTRACT_VERSION: &str = "2.0";

/// The contract as an OpenRPC document (<https://spec.open-rpc.org>), generated from the types of this crate: what
/// `rpc.discover` answers.
pub const OPENRPC: &str = include_str!("../openrpc.json");

/// Name and summary of each method that a host calls, out of [`OPENRPC`]; those that only Stash calls are left out.
pub fn summaries() -> Vec<(&'static str, Cow<'static, str>)> {
    #[derive(serde::Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        methods: Vec<Method<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Method<'a> {
        name: &'a str,
        summary: Cow<'a, str>,
    }
    let methods = serde_json::from_str(OPENRPC).map(|document: Document| document.methods);
    let methods = methods.unwrap_or_default().into_iter();
    let called = methods.filter(|method| !method.name.starts_with("RPCRunner."));
    called.map(|method| (method.name, method.summary)).collect()
}
