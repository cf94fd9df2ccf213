//! What the package needs from outside: a program and a date.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::package::{self, Binary};

/// The project's folder.
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// Builds the program that runs on any Linux with this machine's processor: no libc of the system, no NSS.
///
/// # Errors
/// Cargo fails, or this is no Linux.
pub(super) fn static_binary() -> Result<Binary, Box<dyn Error>> {
    if env::consts::OS != "linux" {
        return Err("the static program is for Linux, expected `--binary PLATFORM=PATH`".into());
    }
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let folder = Path::new(PROJECT).join("target");
    let status = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()))
        .current_dir(PROJECT)
        .args(["build", "--release", "--locked", "--bin", "plexsync-worker"])
        .args(["--features", "static-dns", "--target", &target, "--target-dir"])
        .arg(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags().join("\x1f"))
        .status()?;
    if !status.success() {
        return Err(format!("building the static program failed: {status}").into());
    }
    let path = folder.join(target).join("release/plexsync-worker");
    Ok(Binary { platform: format!("linux-{}", env::consts::ARCH), path })
}

/// Static, and without this machine's paths: the same sources give the same program in any folder.
fn flags() -> Vec<String> {
    let cargo_home = variable("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(Path::new(&variable("HOME")?).join(".cargo")));
    let mut flags =
        vec!["-Ctarget-feature=+crt-static".to_owned(), format!("--remap-path-prefix={PROJECT}=.")];
    flags.extend(cargo_home.map(|home| format!("--remap-path-prefix={}=cargo", home.display())));
    flags
}

/// The date of the release where none is given: `SOURCE_DATE_EPOCH`
/// (<https://reproducible-builds.org/specs/source-date-epoch/>), else that of the last commit.
///
/// # Errors
/// Neither is there.
pub(super) fn date() -> Result<String, Box<dyn Error>> {
    if let Some(seconds) = variable("SOURCE_DATE_EPOCH") {
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

#[expect(clippy::disallowed_methods, reason = "a program of its own: this is its main's side")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
