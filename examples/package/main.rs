//! Builds what Stash's package manager installs: `plexsync.zip` and `index.yml`.
//!
//! ```console
//! $ cargo run --example package -- --out dist
//! $ cargo run --example package -- --out dist \
//!     --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl --target x86_64-pc-windows-gnu
//! $ cargo run --example package -- --out dist \
//!     --binary linux-x86_64=plexsync-worker --binary windows-x86_64=plexsync-worker.exe
//! ```
//!
//! The first has the static Linux program for this machine's processor. What is built is optimised in any case, and
//! lies in `target/TARGET/release`.

mod build;
mod package;

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
    /// A target to build the program for and put it in, as x86_64-unknown-linux-musl; one or several
    #[arg(long, value_name = "TARGET")]
    target: Vec<String>,
    /// A program to put in that is there, as linux-x86_64=PATH; one or several
    #[arg(long, value_name = "PLATFORM=PATH", value_parser = Binary::parse)]
    binary: Vec<Binary>,
    /// The terms of what the programs are made of; a package for others has to hold them
    #[arg(long, value_name = "FILE")]
    licenses: Option<PathBuf>,
    /// The release's date in UTC, by which Stash tells an update: "2026-01-31 12:00:00"; default SOURCE_DATE_EPOCH,
    /// else the date of the last commit
    #[arg(long, value_name = "DATE", value_parser = package::parse_date)]
    date: Option<String>,
}

#[expect(clippy::print_stderr, reason = "main tells what went wrong")]
fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("package: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut options: Options) -> Result<(), Box<dyn Error>> {
    let date = match options.date {
        Some(date) => date,
        None => date()?,
    };
    if options.binary.is_empty() && options.target.is_empty() {
        options.target.extend(build::this_machine());
    }
    let target_dir = Path::new(PROJECT).join("target");
    for target in &options.target {
        let path = build::program(target, &target_dir)?;
        options.binary.push(Binary { platform: package::platform_of(target)?, path });
    }
    let package = Package::new(&options.binary, options.licenses.as_deref(), &date)?;
    write(&options.out, &package).map_err(|error| {
        format!("`{}` can't be written into: {error}", options.out.display()).into()
    })
}

fn write(folder: &Path, package: &Package) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(package::ZIP_NAME), &package.zip)?;
    fs::write(folder.join(package::INDEX_NAME), &package.index)
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
