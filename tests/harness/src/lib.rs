//! A host, a Plex and a Stash for tests of plexsync-worker and of the plugins that use it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and stops"
)]

#[cfg(feature = "contract")]
pub mod contract;
pub mod fake_plex;
pub mod host;
pub mod http;
pub mod fake_stash;
pub mod client;
pub mod transcript;

pub use client::{CallError, Client};
pub use fake_plex::{FakePlex, Fault, TlsSetup};
pub use host::{Host, Pending, RpcError, Signal, Wire};
pub use transcript::Transcript;
