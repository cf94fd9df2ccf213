//! The worker. One message's way through it, each folder a station, nothing runs back up:
//!
//! bytes -> [`wire`] (framing, then envelope) -> [`serve`] (order, limits, cancel) -> [`methods`] (by name)
//! -> [`worker`] (what each does) -> [`identity`] or [`plex`] -> an outcome -> [`wire`] -> bytes.
//!
//! [`stash`] asks the parent Stash, [`log`] writes to stderr, [`secret`] keeps tokens from being printed,
//! [`cli`] turns arguments and environment into options, [`commands`] are what a person types. `main` owns the process.

pub mod streams;
pub mod input;
pub mod cli;
pub mod commands;
pub mod log;
pub mod wire;
pub mod serve;
pub mod methods;
pub mod worker;
pub mod identity;
pub mod plex;
pub mod stash;
mod dns;
pub mod secret;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
