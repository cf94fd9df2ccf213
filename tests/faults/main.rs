//! The fault campaign: every way known to break one small file, each a row of a table.
//!
//! `cargo test` runs a few trials of each row; `cargo test --release --test faults -- --ignored --nocapture` runs them
//! all and prints the table that `README.md` beside this file holds. A row that needs root, a mount or a tool that is
//! not there is skipped, and says so.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a trial that can't go on fails, and the campaign's product is a printed table"
)]

mod rig;
mod talk;
mod system_call;
mod mount;
mod answer;
mod case;
mod scenario;
mod world;
mod story;
mod sweep;
mod kill;
mod power;
mod race;
mod fuse;
mod disks;
mod strangers;
mod container;
mod odd;
mod denied;
mod room;
mod four_files;
mod clock;
mod upgrade;
mod wire;
mod flood;
