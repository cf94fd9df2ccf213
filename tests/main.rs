//! The promises of the contract, each file named by what it checks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and stops"
)]

mod package;
mod stash_go;
mod stash_plugin;
mod stash_settings;
mod static_dns;
