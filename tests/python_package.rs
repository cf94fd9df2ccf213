//! The package for hosts in Python: built, installed into an empty environment, and used there.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use plexsync_harness::{FakePlex, skip};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

const NO_TOOLS: &str = "`tests/peers/install` has not been run, or could not install hatchling";

/// The folder of the environment that `tests/peers/install` makes; it has what builds a wheel and checks types.
fn tools() -> Option<PathBuf> {
    let tools = project("tests/peers/venv/bin");
    if tools.join("hatchling").exists() {
        return Some(tools);
    }
    skip(NO_TOOLS);
    None
}

fn said(command: &mut Command) -> String {
    // What Python keeps for its next run is no part of the project.
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Builds a wheel into `folder`, with this program or without one, and returns its name.
fn wheel(tools: &Path, folder: &Path, program: Option<&Path>) -> String {
    let mut build = Command::new(tools.join("hatchling"));
    build.args(["build", "-t", "wheel", "-d"]).arg(folder).current_dir(project("protocol/python"));
    build.env_remove("PLEXSYNC_WORKER_PROGRAM").env("PLEXSYNC_LICENSES", project("CHANGELOG.md"));
    said(build.envs(program.map(|program| ("PLEXSYNC_WORKER_PROGRAM", program))));
    let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.next().unwrap().into_string().unwrap()
}

/// Makes an environment that holds the wheel alone, without a network, and returns the folder of its programs.
fn install(tools: &Path, wheel: &Path, folder: &Path) -> PathBuf {
    said(Command::new(tools.join("python")).args(["-m", "venv", "--without-pip"]).arg(folder));
    let programs = folder.join("bin");
    let mut pip = Command::new(tools.join("pip"));
    pip.arg("--python").arg(programs.join("python"));
    said(pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-index"]).arg(wheel));
    programs
}

/// The name of the wheel that has this build's worker, and where its environment has its programs.
static INSTALLED: LazyLock<Option<(String, PathBuf)>> = LazyLock::new(|| {
    let tools = tools()?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-package");
    let _ = fs::remove_dir_all(&folder);
    let name = wheel(&tools, &folder.join("wheel"), Some(&crate::worker()));
    let programs = install(&tools, &folder.join("wheel").join(&name), &folder.join("environment"));
    Some((name, programs))
});

/// A program of the environment that has nothing but the package.
pub(crate) fn installed(program: &str) -> Option<Command> {
    let found = INSTALLED.as_ref().map(|(_, programs)| Command::new(programs.join(program)));
    if found.is_none() {
        skip(NO_TOOLS);
    }
    found
}

#[cfg(target_os = "linux")]
fn name(tag: &str) -> String {
    format!("plexsync_worker-{}-py3-none-{tag}.whl", env!("CARGO_PKG_VERSION"))
}

#[test]
fn the_worker_is_in_path_under_its_name() {
    let Some(mut worker) = installed("plexsync-worker") else { return };
    assert!(said(worker.arg("--version")).contains(env!("CARGO_PKG_VERSION")));
}

/// A program that needs this machine's libc is for no index.
#[cfg(target_os = "linux")]
#[test]
fn the_wheel_says_what_it_runs_on() {
    let Some(tools) = tools() else { return };
    let this_machine = INSTALLED.as_ref().unwrap().0.clone();
    assert_eq!(this_machine, name(&format!("linux_{}", std::env::consts::ARCH)));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(wheel(&tools, folder.path(), None), name("any"));
    for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let [one, other] = ["", "protocol/python"]
            .map(|folder| fs::read_to_string(project(folder).join(license)).unwrap());
        assert_eq!(one, other, "a package needs its own `{license}`, of the same words");
    }
    // What goes with the program, the terms of its parts in a release, goes with no wheel that has none.
    let has_terms = |wheel: &Path| {
        said(Command::new(tools.join("python")).args(["-m", "zipfile", "-l"]).arg(wheel))
            .contains(".dist-info/licenses/CHANGELOG.md")
    };
    let with_program =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-package/wheel").join(&this_machine);
    assert!(has_terms(&with_program) && !has_terms(&folder.path().join(name("any"))));
    let mut tests = Command::new(tools.join("python"));
    tests.current_dir(project("protocol/python/tests"));
    said(tests.args(["-m", "unittest", "test_platform"]));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a static program; `.ci/platforms` runs it"]
fn a_static_program_is_for_every_linux() {
    let (Some(tools), Some(worker)) = (tools(), crate::static_worker()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let wheel = wheel(&tools, &folder.path().join("wheel"), Some(&worker));
    let machine = std::env::consts::ARCH;
    assert_eq!(wheel, name(&format!("manylinux2014_{machine}.musllinux_1_1_{machine}")));
    let wheel = folder.path().join("wheel").join(wheel);
    let programs = install(&tools, &wheel, &folder.path().join("environment"));
    let version = said(Command::new(programs.join("plexsync-worker")).arg("--version"));
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
}

#[test]
fn its_clients_do_what_a_host_needs() {
    let Some(mut tests) = installed("python") else { return };
    let plex = FakePlex::start();
    plex.hold_on("/slow");
    plex.set_items("1", 250);
    tests.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token());
    tests.current_dir(project("protocol/python/tests"));
    said(
        tests
            .args(["-X", "dev", "-W", "error::ResourceWarning", "-m", "unittest"])
            .args(["test_worker", "test_async_worker"]),
    );
    assert!(!plex.requests().is_empty());
}

#[test]
fn a_type_checker_knows_the_contract() {
    let (Some(tools), Some(python)) = (tools(), installed("python")) else { return };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mypy");
    let mypy = || {
        let mut mypy = Command::new(tools.join("mypy"));
        mypy.arg("--strict").arg("--cache-dir").arg(&cache).current_dir(project("protocol/python"));
        mypy
    };
    // A host sees what was installed, not the sources.
    let mut host = mypy();
    host.args(["--config-file=", "--python-executable"]).arg(python.get_program());
    said(host.arg("tests/typed_host.py"));
    said(mypy().args(["src", "generate.py", "hatch_build.py"]));
}

#[test]
fn what_is_generated_is_what_the_contract_says() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("python3 is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("python");
    let package = "src/plexsync_worker";
    fs::create_dir_all(copy.join(package)).unwrap();
    fs::copy(project("protocol/openrpc.json"), folder.path().join("openrpc.json")).unwrap();
    let files = ["types.py", "errors.py", "_methods.py"].map(|file| format!("{package}/{file}"));
    for file in files.iter().map(String::as_str).chain(["generate.py"]) {
        fs::copy(project("protocol/python").join(file), copy.join(file)).unwrap();
    }
    let check = || {
        let mut check = Command::new("python3");
        check.arg(copy.join("generate.py")).arg("--check").output().unwrap()
    };
    let output = check();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for file in &files {
        let text = fs::read_to_string(copy.join(file)).unwrap();
        fs::write(copy.join(file), text.replacen("timeout", "time_out", 1) + "\n").unwrap();
        let output = check();
        let told = String::from_utf8_lossy(&output.stderr);
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        assert!(!output.status.success() && told.contains(name), "{told}");
        fs::write(copy.join(file), text).unwrap();
    }
}
