#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and stops"
)]

#[cfg(feature = "contract")]
pub mod contract;
pub mod fake_plex;
pub mod fake_plex_tv;
pub mod fixtures;
pub mod host;
pub mod http;
pub mod fake_stash;
pub mod skip;
pub mod transcript;
pub mod watch;

pub use fake_plex::{FakePlex, Fault, TlsSetup};
pub use fake_plex_tv::FakePlexTv;
pub use host::{Host, HostBuilder, Pending, RpcError, Signal, Wire};
pub use plexsync_client as client;
pub use plexsync_client::{CallError, Client};
pub use skip::skip;
pub use transcript::Transcript;
pub use watch::Event;
