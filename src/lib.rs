//! The worker. How a message flows through it; imports only point downwards:
//!
//! bytes -> [`host`] (framing, envelope, the loop) -> [`rpc`] (by name) -> [`methods`] (what each does)
//! -> [`identity`], [`account`], [`plex`] or [`stash`] -> an outcome -> [`host`] -> bytes.
//!
//! [`target`] chooses server and token, [`files`] reads and writes files, [`http`] sends one request over the network,
//! [`scans`] remembers what Plex was asked to scan and what waits, [`remote_path`] reads paths of other machines, [`log`] writes to stderr, [`secret`] keeps tokens from being printed,
//! [`cli`] turns arguments and environment into options, [`commands`] are the subcommands. [`process`] owns arguments,
//! environment, streams and exit code.

#![cfg_attr(test, allow(clippy::too_many_lines, reason = "tables"))]
#![allow(unreachable_pub, reason = "only `run` and what the fuzzers need are used from outside")]

mod account;
mod cli;
mod commands;
mod doctor;
mod files;
mod host;
mod http;
mod identity;
mod json_text;
mod log;
mod methods;
mod plex;
mod pretty;
mod process;
mod remote_path;
mod rpc;
mod scans;
mod secret;
mod stash;
mod target;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

pub use process::run;
