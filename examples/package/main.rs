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

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;

use package::{Binary, Package};

/// The project's folder.
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

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
        None => date()?,
    };
    if options.binary.is_empty() {
        let target_dir = Path::new(PROJECT).join("target");
        options.binary.push(build::static_binary("release", &target_dir)?);
    }
    let package = Package::new(&options.binary, &date)?;
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join(package::ZIP_NAME), &package.zip)?;
    fs::write(options.out.join(package::INDEX_NAME), &package.index)?;
    Ok(())
}

/// The date of the release where none is given: `SOURCE_DATE_EPOCH`
/// (<https://reproducible-builds.org/specs/source-date-epoch/>), else that of the last commit.
#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
fn date() -> Result<String, Box<dyn Error>> {
    if let Ok(seconds) = env::var("SOURCE_DATE_EPOCH") {
        return package::date_of(seconds.parse()?);
    }
    let git = Command::new("git")
        .current_dir(PROJECT)
        .args(["log", "-1", "--format=%ct"])
        .output()
        .map_err(|error| format!("git can't tell the date, expected `--date`: {error}"))?;
    match git.status.success() {
        true => package::date_of(String::from_utf8(git.stdout)?.trim().parse()?),
        false => Err("there is no commit to take the date from, expected `--date`".into()),
    }
}
