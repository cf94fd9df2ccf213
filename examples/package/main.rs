//! Builds what Stash's package manager installs: `plexsync.zip` and `index.yml`.
//!
//! ```console
//! $ cargo run --release --example package -- --out dist
//! $ cargo run --release --example package -- --out dist \
//!     --binary linux-x86_64=target/x86_64-unknown-linux-gnu/release/plexsync-worker \
//!     --binary windows-x86_64=plexsync-worker.exe
//! ```
//!
//! Without `--binary` the static Linux program for this machine's processor is built first.

mod build;
mod package;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Parser;

use package::{Binary, Package};

/// Builds plexsync.zip and index.yml for Stash's package manager.
#[derive(Debug, Parser)]
struct Options {
    /// Folder to write into; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A program to put in, as linux-x86_64=PATH; one or several
    #[arg(long, value_name = "PLATFORM=PATH", value_parser = Binary::parse)]
    binary: Vec<Binary>,
    /// The release's date in UTC, by which Stash tells an update: "2026-01-31 12:00:00"; default SOURCE_DATE_EPOCH,
    /// else the date of the last commit
    #[arg(long, value_name = "DATE", value_parser = package::parse_date)]
    date: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::parse();
    let date = match options.date {
        Some(date) => date,
        None => build::date()?,
    };
    if options.binary.is_empty() {
        options.binary.push(build::static_binary()?);
    }
    let package = Package::new(&options.binary, &date)?;
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join(package::ZIP_NAME), &package.zip)?;
    fs::write(options.out.join(package::INDEX_NAME), &package.index)?;
    Ok(())
}
