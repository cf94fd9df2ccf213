//! Programs to compare with, made where their tools are installed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::worker::command;

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

/// Python with a script of `benches/peers` and with python-plexapi.
pub(crate) fn plexapi(script: &str) -> Option<Command> {
    let venv = folder().join("venv");
    let python = venv.join("bin/python");
    let has_it = || succeeds(Command::new(&python).args(["-c", "import plexapi"]));
    if !has_it() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        succeeds(Command::new(&python).args(["-m", "pip", "install", "-q", "plexapi"]));
    }
    let mut command = command(&python);
    command.arg(source(script));
    has_it().then_some(command)
}

/// Node with a script of `benches/peers/ctrl-plex`, beside which `@ctrl/plex` is installed: node looks for it there.
pub(crate) fn ctrl_plex(script: &str) -> Option<Command> {
    let (folder, files) = (folder().join("ctrl-plex"), source("ctrl-plex"));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "package-lock.json", "once.mjs", "session.mjs"] {
        std::fs::copy(files.join(name), folder.join(name)).unwrap();
    }
    let has_it = || {
        let import = ["--input-type=module", "-e", "import '@ctrl/plex'"];
        succeeds(Command::new("node").args(import).current_dir(&folder))
    };
    if !has_it() {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
        succeeds(npm.current_dir(&folder));
    }
    let mut node = command("node");
    node.arg(folder.join(script));
    has_it().then_some(node)
}

/// Whether a shell has these programs.
pub(crate) fn shell_has(programs: &[&str]) -> bool {
    let has = |program| succeeds(command("sh").args(["-c", "command -v \"$0\"", program]));
    programs.iter().all(|program| has(program))
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
