//! Where the worker's program is, and how to get it built.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program's name.
const NAME: &str = "plexsync-worker";
/// The workspace that this crate belongs to.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The worker: `PLEXSYNC_WORKER` names it; else it is beside the running test or example in cargo's target folder, or
/// in `PATH`.
///
/// # Panics
/// When there is none, saying where it was looked for.
pub(super) fn find() -> PathBuf {
    if let Some(path) = variable("PLEXSYNC_WORKER") {
        return PathBuf::from(path);
    }
    let path = beside_this_program();
    if path.is_file() {
        return path;
    }
    in_path().unwrap_or_else(|| {
        panic!(
            "no worker at `{}` and none in `PATH`: build it with `cargo build --bin {NAME}`, or name it in \
             `PLEXSYNC_WORKER`",
            path.display()
        )
    })
}

fn in_path() -> Option<PathBuf> {
    let name = Path::new(NAME).with_extension(std::env::consts::EXE_EXTENSION);
    let folders = variable("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Builds the worker in the profile and the target folder of the running program, and returns its path. Cargo itself
/// decides whether anything is to be done, and says on stderr what it does. With `PLEXSYNC_WORKER` set nothing is built, and without the workspace: this
/// crate may have come from elsewhere.
///
/// # Panics
/// When cargo can't be run or fails.
pub(super) fn build() -> PathBuf {
    if variable("PLEXSYNC_WORKER").is_some() || !Path::new(WORKSPACE).join("Cargo.toml").is_file() {
        return find();
    }
    let path = beside_this_program();
    let folder = path.parent().expect("a file lies in a folder");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut command = cargo();
    command.args(["build", "--package", NAME, "--bin", NAME, "--profile", profile]);
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    let status = command.current_dir(WORKSPACE).status().expect("cargo can be run");
    assert!(status.success(), "cargo could not build the worker: {status}");
    path
}

/// Cargo, as if nothing of it were running yet. `cargo run` and `cargo test` tell their program which package it is of:
/// build scripts that look at that, ring's for one, would build everything anew here, and again outside.
fn cargo() -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"]
            .iter()
            .any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
        {
            command.env_remove(name);
        }
    }
    command
}

/// `target/PROFILE/plexsync-worker`, seen from `target/PROFILE/deps/TEST` or `target/PROFILE/examples/EXAMPLE`.
fn beside_this_program() -> PathBuf {
    let program = std::env::current_exe().expect("the path of the running program");
    let folder = program.parent().expect("a file lies in a folder");
    let within = ["deps", "examples"].iter().any(|&name| folder.ends_with(Path::new(name)));
    let folder = if within { folder.parent().unwrap_or(folder) } else { folder };
    folder.join(NAME).with_extension(std::env::consts::EXE_EXTENSION)
}

#[expect(clippy::disallowed_methods, reason = "a test names its worker in the environment")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
