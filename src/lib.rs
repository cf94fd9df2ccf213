//! The worker. One message's way through it, each folder a station, nothing runs back up:
//!
//! bytes -> [`wire`] (framing, then envelope) -> [`serve`] (order, limits, cancel) -> [`worker`] (which method)
//! -> [`identity`] or [`plex`] -> an outcome -> [`wire`] -> bytes.
//!
//! [`stash`] asks the parent Stash, [`log`] writes to stderr, [`secret`] keeps tokens from being printed,
//! [`cli`] turns arguments and environment into options. `main` owns the process.

pub mod plex;
pub mod secret;
