//! What the worker costs, beside what others cost, as one table: `cargo bench --bench table`.
//!
//! `cargo bench --bench table -- spawn bodies` measures only these groups. Contestants take turns within one run, so
//! a busy machine slows all of them; a ratio says more than a time. A peer that is not installed is left out, and
//! the row says so.

#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::unwrap_used,
        clippy::print_stdout,
        clippy::disallowed_methods,
        clippy::cast_precision_loss,
        reason = "a bench that can't go on stops, and its product is a printed table"
    )
)]

#[cfg(target_os = "linux")]
mod stats;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod worker;
#[cfg(target_os = "linux")]
mod nginx;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod account;
#[cfg(target_os = "linux")]
mod find;
#[cfg(target_os = "linux")]
mod hook;
#[cfg(target_os = "linux")]
mod outbox;
#[cfg(target_os = "linux")]
mod stash;
#[cfg(target_os = "linux")]
mod bodies;
#[cfg(target_os = "linux")]
mod growth;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod requests;
#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod core;
#[cfg(target_os = "linux")]
mod instructions;
#[cfg(target_os = "linux")]
#[path = "../../examples/package/build.rs"]
mod build;

/// Adds a group's rows.
#[cfg(target_os = "linux")]
type Measure = fn(&mut report::Table);

#[cfg(target_os = "linux")]
fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    // Without `--bench` it was `cargo test --benches` that started it.
    if !wanted.iter().any(|word| word == "--bench") {
        return;
    }
    let groups: [(&str, Measure); 12] = [
        ("spawn", spawn::measure),
        ("account", account::measure),
        ("find", find::measure),
        ("hook", hook::measure),
        ("stash", stash::measure),
        ("calls", calls::measure),
        ("requests", requests::measure),
        ("bodies", bodies::measure),
        ("memory", memory::measure),
        ("growth", growth::measure),
        ("outbox", outbox::measure),
        ("instructions", instructions::measure),
    ];
    let chosen: Vec<&String> = wanted.iter().filter(|word| !word.starts_with('-')).collect();
    let mut table = report::Table::default();
    for (name, measure) in groups {
        if chosen.is_empty() || chosen.iter().any(|word| *word == name) {
            measure(&mut table);
        }
    }
    println!("{}", table.end());
}

#[cfg(not(target_os = "linux"))]
fn main() {}
