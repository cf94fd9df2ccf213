//! How the program is linked for glibc on Linux. A hook waits for each page that a start touches: at a fixed address
//! nothing has to be relocated, and with the unwinder in it one library less has to be found, mapped and bound.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if is_glibc_release() {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        if let Some(folder) = unwinder() {
            println!("cargo::rustc-link-search=native={}", folder.display());
        }
    }
}

/// A program that is static altogether, as the Stash package's, has all of this already.
fn is_glibc_release() -> bool {
    let is = |name, expected| variable(name).is_some_and(|value| value == expected);
    is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("PROFILE", "release")
        && is("HOST", &variable("TARGET").unwrap_or_default())
        && !variable("CARGO_CFG_TARGET_FEATURE").is_some_and(|has| has.contains("crt-static"))
}

/// A folder in which the linker finds the static unwinder under the name of the shared one that rustc asks for. None
/// where the compiler brings no static one: then the shared one is loaded, as ever.
fn unwinder() -> Option<PathBuf> {
    let (unwinder, arithmetic) = (archive("libgcc_eh.a")?, archive("libgcc.a")?);
    let folder = PathBuf::from(variable("OUT_DIR")?);
    let script = format!("GROUP ( {} {} )\n", unwinder.display(), arithmetic.display());
    fs::write(folder.join("libgcc_s.so"), script).ok()?;
    Some(folder)
}

fn archive(name: &str) -> Option<PathBuf> {
    let linker = variable("RUSTC_LINKER").unwrap_or_else(|| "cc".to_owned());
    let output = Command::new(linker).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // A compiler that has none says the name as it was asked.
    Some(path.trim()).filter(|path| Path::new(path).is_absolute()).map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
