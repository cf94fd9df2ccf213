//! A host, a Plex and a Stash for tests of plexsync-worker and of the plugins that use it.
//!
//! [`Host`] starts the real program and speaks to it as hosts do; [`FakePlex`] answers as Plex does, remembers every
//! request, keeps the owner's list of devices, and misbehaves on demand. All of it is synchronous and stays on the
//! loopback.
//!
//! ```no_run
//! use plexsync_harness::{Fault, FakePlex, Host};
//! use serde_json::json;
//!
//! let plex = FakePlex::start();
//! let mut host = Host::builder().plex(&plex).start();
//!
//! plex.fault(Fault::Maintenance);
//! let reply = host.call("plex.request", json!({"path": "/", "retries": 1})).unwrap();
//! assert_eq!((&reply["status"], &reply["attempts"]), (&json!(200), &json!(2)));
//!
//! host.restart();
//! host.call("plex.request", json!({"path": "/"})).unwrap();
//! assert_eq!(plex.events().len(), 1, "one device, however often the worker starts");
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and stops"
)]

#[cfg(feature = "contract")]
pub mod contract;
pub mod fake_plex;
pub mod fixtures;
pub mod host;
pub mod http;
pub mod fake_stash;
pub mod client;
pub mod skip;
pub mod transcript;

pub use client::{CallError, Client};
pub use fake_plex::{FakePlex, Fault, TlsSetup};
pub use host::{Host, HostBuilder, Pending, RpcError, Signal, Wire};
pub use skip::skip;
pub use transcript::Transcript;
