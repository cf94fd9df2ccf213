//! The programs of a release.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's folder.
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// Rust's name for this machine, if a static program can be built on it and for it.
pub(crate) fn this_machine() -> Option<String> {
    (env::consts::OS == "linux").then(|| format!("{}-unknown-linux-musl", env::consts::ARCH))
}

/// Builds the program for `target` as it is released. For Linux it holds musl, and runs on any with such a processor: it
/// needs no libc of the system, no NSS, no `/dev`.
///
/// # Errors
/// Rust's standard library for `target` is missing here, or cargo fails.
pub(crate) fn program(target: &str, target_dir: &Path) -> Result<PathBuf, Box<dyn Error>> {
    has_library(target)?;
    let mut cargo = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    cargo
        .current_dir(PROJECT)
        .args(["build", "--locked", "--bin", "plexsync-worker", "--release", "--target", target])
        .arg("--target-dir")
        .arg(target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(target)?.join("\x1f"))
        // The cargo that runs this says there which package it is of: build scripts that look at it would run each time.
        .env_remove("CARGO_MANIFEST_DIR");
    if let Some(compiler) = compiler(target) {
        let name = target.replace('-', "_");
        let linker = match target.starts_with("x86_64") {
            true => compiler,
            false => concat!(env!("CARGO_MANIFEST_DIR"), "/examples/package/static-pie"),
        };
        cargo.env("STATIC_PIE_CC", compiler);
        for (tool, program) in [
            (format!("CC_{name}"), compiler),
            (format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), linker),
        ] {
            let program = variable(&tool).unwrap_or_else(|| program.to_owned());
            cargo.env(tool, program);
        }
    }
    let status = cargo.status().map_err(|error| format!("cargo can't be started: {error}"))?;
    if !status.success() {
        return Err(format!("building the program for `{target}` failed: {status}").into());
    }
    let name = if target.contains("windows") { "plexsync-worker.exe" } else { "plexsync-worker" };
    Ok(target_dir.join(target).join("release").join(name))
}

/// Refuses a target that this Rust has no standard library for: cargo's own word would be a page of other errors.
fn has_library(target: &str) -> Result<(), Box<dyn Error>> {
    let folder = rustc(&["--print", "target-libdir", "--target", target])?;
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    match files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with("libstd-")) {
        true => Ok(()),
        false => Err(format!(
            "Rust's standard library for `{target}` is missing; hint: `rustup target add {target}` installs it"
        )
        .into()),
    }
}

/// What the compiler says of itself.
fn rustc(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let compiler = variable("RUSTC").unwrap_or_else(|| "rustc".to_owned());
    let told = Command::new(&compiler).current_dir(PROJECT).args(arguments).output();
    let told = told.map_err(|error| format!("`{compiler}` can't be started: {error}"))?;
    match told.status.success() {
        true => Ok(String::from_utf8(told.stdout)?.trim_end().to_owned()),
        false => Err(String::from_utf8_lossy(&told.stderr).trim_end().into()),
    }
}

/// What compiles and links C for musl where the environment names nothing. Of C there is only what encrypts, which calls
/// no libc, so that any compiler for the processor does; for Windows cargo finds MinGW by itself.
fn compiler(target: &str) -> Option<&'static str> {
    match target {
        _ if this_machine().is_some_and(|here| here == target) => Some("cc"),
        "x86_64-unknown-linux-musl" => Some("x86_64-linux-gnu-gcc"),
        "aarch64-unknown-linux-musl" => Some("aarch64-linux-gnu-gcc"),
        "armv7-unknown-linux-musleabihf" => Some("arm-linux-gnueabihf-gcc"),
        _ => None,
    }
}

/// Without this machine's paths: the same sources give the same program in any folder.
fn flags(target: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![remap(Path::new(PROJECT), ".")];
    // Where the standard library's source is installed (`rust-src`), its paths would be in the program, too.
    let source = Path::new(&rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    let version = rustc(&["--version", "--verbose"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    flags.push(remap(&source, &format!("/rustc/{}", commit.unwrap_or_default())));
    flags.extend(crate_folders().iter().map(|folder| remap(folder, "crates")));
    // The program lies at another address each time, for it holds a token and reads what strangers send. What has to be
    // corrected for that at each start is listed in a bit for each address, not in 24 bytes.
    if target.contains("musl") {
        flags.push("-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned());
    }
    Ok(flags)
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
