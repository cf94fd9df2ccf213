//! The hosts in `examples/` are run as they stand: each is the same device to Plex, and each sees an error's code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plexsync_harness::FakePlex;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a host against a Plex of its own; nothing where its interpreter is not installed.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn run(plex: &FakePlex, data_dir: &Path, host: &mut Command) -> Option<Output> {
    host.arg(crate::worker()).arg(data_dir);
    host.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token());
    match host.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {} is not installed", host.get_program().display());
            None
        }
        output => Some(output.unwrap()),
    }
}

fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn id_on_disk(data_dir: &Path) -> String {
    let text = std::fs::read_to_string(data_dir.join("device_id.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    file["device_id"].as_str().unwrap().to_owned()
}

/// The story that every host tells.
fn tells_the_story(mut host: Command) {
    let plex = FakePlex::start();
    let folder = tempfile::tempdir().unwrap();
    let Some(output) = run(&plex, folder.path(), &mut host) else { return };
    let said = said(&output);
    assert!(said.contains(&format!("device {}", id_on_disk(folder.path()))), "{said}");
    assert!(said.contains("\nstatus 200 "), "{said}");
    let error = said.lines().find(|line| line.starts_with("error ")).unwrap_or_default();
    assert!(error.contains("-32602"), "{said}");
    assert_eq!(plex.devices().len(), 1);
}

fn program(name: &str, file: &str) -> Command {
    let mut command = Command::new(name);
    command.arg(project(file));
    command
}

#[test]
fn the_host_in_python() {
    tells_the_story(program("python3", "examples/python-host/host.py"));
}

#[test]
fn the_host_in_node() {
    tells_the_story(program("node", "examples/node-host/host.mjs"));
}

#[test]
fn the_host_in_go() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("go-host").with_extension(std::env::consts::EXE_EXTENSION);
    let mut build = Command::new("go");
    build.args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(".");
    match build.current_dir(project("examples/go-host")).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: go is not installed");
        }
        built => {
            said(&built.unwrap());
            tells_the_story(Command::new(program));
        }
    }
}

#[test]
fn the_host_with_lsp_framing() {
    let modules = project("tests/peers/node_modules");
    if !modules.join("vscode-jsonrpc").exists() {
        println!("skipped: `tests/peers/install` has not been run");
        return;
    }
    let mut host = program("node", "examples/lsp-host/host.mjs");
    host.env("NODE_MODULES", modules);
    tells_the_story(host);
}

#[test]
fn python_plexapi_is_the_same_device() {
    let python = project("tests/peers/venv/bin/python");
    if !python.exists() {
        println!("skipped: `tests/peers/install` has not been run");
        return;
    }
    let plex = FakePlex::start();
    let folder = tempfile::tempdir().unwrap();
    let mut host = Command::new(python);
    host.arg(project("examples/python-host/with_plexapi.py"));
    let output = run(&plex, folder.path(), &mut host).unwrap();
    let id = id_on_disk(folder.path());
    assert!(said(&output).contains(&format!("device {id} at ")));
    let devices = plex.devices();
    assert_eq!(devices.len(), 1, "{devices:?}");
    assert!(!plex.requests().is_empty());
    for request in plex.requests() {
        assert_eq!(request.header("X-Plex-Client-Identifier"), Some(id.as_str()));
        assert_eq!(request.header("X-Plex-Product"), Some("PlexSync"));
    }
}

#[test]
fn each_host_is_short_enough_to_be_copied() {
    for file in
        ["python-host/host.py", "node-host/host.mjs", "go-host/main.go", "lsp-host/host.mjs"]
    {
        let text = std::fs::read_to_string(project("examples").join(file)).unwrap();
        let lines = text.lines().count();
        assert!(lines < 80, "`{file}` has {lines} lines");
    }
}

/// A worker that ends at once, as one that can't start.
#[cfg(unix)]
#[test]
fn a_host_whose_worker_is_gone_is_told_so() {
    for (interpreter, file) in
        [("python3", "examples/python-host/host.py"), ("node", "examples/node-host/host.mjs")]
    {
        let output = Command::new("timeout")
            .args(["20", interpreter])
            .arg(project(file))
            .args(["true", "unused"])
            .output()
            .unwrap();
        let code = output.status.code();
        let missing = code == Some(127);
        assert!(missing || code == Some(1), "{interpreter}: {output:?}");
    }
}
