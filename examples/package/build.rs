//! The program that the package holds where none is given.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::package::Binary;

/// The project's folder.
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// Builds the program that runs on any Linux with this machine's processor: no libc of the system, no NSS, no `/dev`.
///
/// # Errors
/// Cargo fails, or this is no Linux.
pub(crate) fn static_binary(profile: &str, target_dir: &Path) -> Result<Binary, Box<dyn Error>> {
    if env::consts::OS != "linux" {
        return Err("the static program is for Linux, expected `--binary PLATFORM=PATH`".into());
    }
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let status = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()))
        .current_dir(PROJECT)
        .args(["build", "--locked", "--bin", "plexsync-worker", "--features", "static-dns"])
        .args(["--profile", profile, "--target", &target, "--target-dir"])
        .arg(target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags().join("\x1f"))
        // The cargo that runs this says there which package it is of: build scripts that look at it would run each time.
        .env_remove("CARGO_MANIFEST_DIR")
        .status()?;
    if !status.success() {
        return Err(format!("building the static program failed: {status}").into());
    }
    // Cargo's folder for `dev` is named otherwise, for history's sake.
    let folder = if profile == "dev" { "debug" } else { profile };
    let path = target_dir.join(target).join(folder).join("plexsync-worker");
    Ok(Binary { platform: format!("linux-{}", env::consts::ARCH), path })
}

/// Static, and without this machine's paths: the same sources give the same program in any folder.
fn flags() -> Vec<String> {
    let remap = |from: &Path, to| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![
        "-Ctarget-feature=+crt-static".to_owned(),
        // Loaded at another address each time: the program holds a token and reads what strangers send.
        "-Crelocation-model=pie".to_owned(),
        // A tenth of a start is relocation. Needs glibc 2.36 on the machine that builds.
        "-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned(),
        // The default looks getrandom(2) up with dlsym, finds none in a static program and wants /dev/urandom.
        "--cfg=getrandom_backend=\"linux_getrandom\"".to_owned(),
        remap(Path::new(PROJECT), "."),
    ];
    flags.extend(crate_folders().iter().map(|folder| remap(folder, "crates")));
    flags
}

/// Where cargo keeps other crates' sources: a folder for each registry, named after it.
fn crate_folders() -> Vec<PathBuf> {
    let cargo_home = variable("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(Path::new(&variable("HOME")?).join(".cargo")));
    let registries = cargo_home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let mut folders: Vec<_> =
        registries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

#[expect(clippy::disallowed_methods, reason = "a program of its own: this is its main's side")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
