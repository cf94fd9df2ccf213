//! Programs to compare with, made where their tools are installed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where they are built.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file of `benches/peers`.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(name)
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The Rust worker that only echoes.
pub(crate) fn rust_echo() -> Option<PathBuf> {
    let program = folder().join("rust-echo");
    let mut rustc = Command::new("rustc");
    rustc.args(["-O", "--edition", "2024", "-o"]).arg(&program).arg(source("echo.rs"));
    succeeds(&mut rustc).then_some(program)
}

/// The Go worker that only echoes.
pub(crate) fn go_echo() -> Option<PathBuf> {
    let program = folder().join("go-echo");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(".").current_dir(source("go-echo"));
    succeeds(&mut go).then_some(program)
}

/// A Python that has python-plexapi.
pub(crate) fn plexapi() -> Option<PathBuf> {
    let venv = folder().join("venv");
    let python = venv.join("bin/python");
    let has_it = |python: &Path| succeeds(Command::new(python).args(["-c", "import plexapi"]));
    if !has_it(&python) {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        succeeds(Command::new(&python).args(["-m", "pip", "install", "-q", "plexapi"]));
    }
    has_it(&python).then_some(python)
}

/// The static program, as it lies where a package was unpacked. What a linker has written is in the page cache in small
/// pieces, and each start maps them one by one: a copy starts sooner.
///
/// # Errors
/// It can't be built here.
pub(crate) fn packaged() -> Result<PathBuf, Box<dyn Error>> {
    let target = crate::build::this_machine().ok_or("a static program is Linux's")?;
    let linked = crate::build::program(&target, &folder().join("packaged"))?;
    let unpacked = folder().join("unpacked");
    std::fs::copy(linked, &unpacked)?;
    Ok(unpacked)
}
