//! The worker. One message's way through it, each folder a station, nothing runs back up:
//!
//! bytes -> [`wire`] (framing, then envelope) -> [`serve`] (order, limits, cancel) -> [`methods`] (by name)
//! -> [`worker`] (what each does) -> [`identity`] or [`plex`] -> an outcome -> [`wire`] -> bytes.
//!
//! [`stash`] asks the parent Stash, [`log`] writes to stderr, [`secret`] keeps tokens from being printed,
//! [`cli`] turns arguments and environment into options. `main` owns the process.

mod dns;
pub mod methods;
pub mod secret;
pub mod serve;
pub mod stash;
pub mod wire;
