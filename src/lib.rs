//! The worker. One message's way through it; imports point downwards only:
//!
//! bytes -> [`host`] (framing, envelope, the loop) -> [`rpc`] (by name) -> [`methods`] (what each does)
//! -> [`identity`], [`plex`] or [`stash`] -> an outcome -> [`host`] -> bytes.
//!
//! [`target`] chooses server and token, [`files`] reads and writes files, [`http`] sends one request over the network,
//! [`remote_path`] reads paths of other machines, [`log`] writes to stderr, [`secret`] keeps tokens from being printed,
//! [`cli`] turns arguments and environment into options, [`commands`] are what a person types. `main` owns the process.

#![cfg_attr(test, allow(clippy::too_many_lines, reason = "tables"))]

pub mod cli;
pub mod commands;
pub mod doctor;
pub mod files;
pub mod host;
pub mod http;
pub mod identity;
pub mod log;
pub mod methods;
pub mod plex;
pub mod remote_path;
pub mod rpc;
pub mod secret;
pub mod stash;
pub mod target;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
