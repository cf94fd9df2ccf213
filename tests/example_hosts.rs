//! The hosts in `examples/` are run as they stand: each is the same device to Plex, and each sees an error's code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plexsync_harness::{FakePlex, skip};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A host that is told where the worker is; those with a package have it.
fn with_worker(mut host: Command) -> Command {
    host.arg(crate::worker());
    host
}

/// Runs a host against this Plex; nothing where its interpreter is not installed.
fn output(plex: &FakePlex, host: &mut Command) -> Option<Output> {
    host.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token());
    match host.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip(format_args!("{} is not installed", host.get_program().display()));
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
    let Some(output) = output(&plex, host.arg(folder.path())) else { return };
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

/// A program in Python, in an environment that has the package.
#[cfg(unix)]
fn in_python(file: &str) -> Option<Command> {
    let mut program = crate::python_package::installed("python")?;
    program.arg(project(file));
    Some(program)
}

#[cfg(unix)]
#[test]
fn the_host_in_python() {
    if let Some(host) = in_python("examples/python-host/host.py") {
        tells_the_story(host);
    }
}

#[test]
fn the_host_in_node() {
    if let Some(host) = in_node("host.mjs") {
        tells_the_story(host);
    }
}

/// A program in Node, in a folder that has the package.
fn in_node(file: &str) -> Option<Command> {
    let mut program = Command::new("node");
    program.arg(crate::node_package::installed()?.join(file));
    Some(program)
}

#[test]
#[ignore = "builds a program in Go; `.ci/run` runs it"]
fn the_host_in_go() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(host) = host_in_go(folder.path()) {
        tells_the_story(with_worker(host));
    }
}

#[test]
fn the_host_with_lsp_framing() {
    if let Some(host) = with_lsp_framing("examples/lsp-host/host.mjs") {
        tells_the_story(with_worker(host));
    }
}

/// The host in Go, built into `folder`; nothing where Go is not installed.
fn host_in_go(folder: &Path) -> Option<Command> {
    let program = folder.join("go-host").with_extension(std::env::consts::EXE_EXTENSION);
    let mut build = Command::new("go");
    build.args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(".");
    match build.current_dir(project("examples/go-host")).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip("go is not installed");
            return None;
        }
        built => said(&built.unwrap()),
    };
    Some(Command::new(program))
}

/// A program that uses `vscode-jsonrpc`; nothing where that is not installed.
fn with_lsp_framing(file: &str) -> Option<Command> {
    let modules = project("tests/peers/node_modules");
    if !modules.join("vscode-jsonrpc").exists() {
        skip("`tests/peers/install` has not been run");
        return None;
    }
    let mut program = program("node", file);
    program.env("NODE_MODULES", modules);
    Some(program)
}

#[cfg(unix)]
fn with_plexapi() -> Option<Command> {
    let mut host = in_python("examples/python-host/with_plexapi.py")?;
    let libraries = std::fs::read_dir(project("tests/peers/venv/lib")).unwrap().next().unwrap();
    host.env("PYTHONPATH", libraries.unwrap().path().join("site-packages"));
    Some(host)
}

/// Runs the host with python-plexapi: it lists the libraries, and all that Plex has seen is one device.
#[cfg(unix)]
fn lists_libraries_as_the_same_device(plex: &FakePlex, mut host: Command, data_dir: &Path) {
    let said = said(&host.arg(data_dir).output().unwrap());
    let id = id_on_disk(data_dir);
    assert!(said.contains(&format!("device {id} at ")), "{said}");
    for title in ["Movies", "TV Shows"] {
        assert!(said.contains(&format!("\nlibrary {title}\n")), "{said}");
    }
    let devices = plex.devices();
    assert_eq!(devices.len(), 1, "{devices:?}");
    for request in plex.requests() {
        assert_eq!(request.header("X-Plex-Client-Identifier"), Some(id.as_str()));
        assert_eq!(request.header("X-Plex-Product"), Some("PlexSync"));
    }
}

#[cfg(unix)]
#[test]
fn python_plexapi_is_the_same_device() {
    let Some(mut host) = with_plexapi() else { return };
    let plex = FakePlex::start();
    let folder = tempfile::tempdir().unwrap();
    host.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token());
    lists_libraries_as_the_same_device(&plex, host, folder.path());
}

/// The token is the one that the worker has signed in with.
#[cfg(unix)]
#[test]
fn python_plexapi_is_the_same_device_after_a_sign_in() {
    use plexsync_harness::FakePlexTv;
    use plexsync_harness::fake_plex_tv::Resource;
    use serde_json::json;

    let Some(mut host) = with_plexapi() else { return };
    let (plex, tv) = (FakePlex::start(), FakePlexTv::start());
    let builder = crate::host().env("PLEXSYNC_PLEX_TV", tv.url());
    let mut worker = crate::servers::signed_in(&tv, builder, vec![Resource::of(&plex, "Attic")]);
    let listed = worker.call("plex.request", json!({"path": "/library/sections"})).unwrap();
    assert_eq!(listed["status"], 200, "{listed}");
    let by_the_worker = plex.requests().len();

    let data_dir = worker.data_dir();
    let stored = std::fs::read(data_dir.join("account.json")).unwrap();
    let stored: serde_json::Value = serde_json::from_slice(&stored).unwrap();
    let token = stored["token"].as_str().unwrap();
    assert_eq!(tv.token("alice", &id_on_disk(&data_dir)).as_deref(), Some(token));
    plex.allow_token(token);
    host.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", token);
    lists_libraries_as_the_same_device(&plex, host, &data_dir);
    let by_plexapi = &plex.requests()[by_the_worker..];
    assert!(by_plexapi.iter().all(|request| request.header("X-Plex-Token") == Some(token)));
    assert!(by_plexapi.iter().any(|request| request.path() == "/library/sections"));
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

#[cfg(unix)]
#[test]
fn python_has_the_conversations_of_the_transcripts() {
    let replay = || in_python("examples/python-host/replay.py");
    if replay().is_some() {
        has_the_conversations(|| replay().unwrap());
    }
}

#[test]
fn node_has_the_conversations_of_the_transcripts() {
    if in_node("replay.mjs").is_some() {
        has_the_conversations(|| in_node("replay.mjs").unwrap());
    }
}

#[test]
fn lsp_framing_has_the_conversations_of_the_transcripts() {
    let file = "examples/lsp-host/replay.mjs";
    if with_lsp_framing(file).is_some() {
        has_the_conversations(|| with_worker(with_lsp_framing(file).unwrap()));
    }
}

#[test]
#[ignore = "builds a program in Go; `.ci/run` runs it"]
fn go_has_the_conversations_of_the_transcripts() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(host) = host_in_go(folder.path()) {
        let program = host.get_program().to_owned();
        has_the_conversations(|| {
            let mut host = Command::new(&program);
            host.arg("--replay");
            with_worker(host)
        });
    }
}

#[test]
fn the_quickstart_has_the_conversations_of_the_transcripts() {
    let worker = crate::worker();
    let Some(program) = crate::example("quickstart") else { return };
    has_the_conversations(|| {
        let mut quickstart = Command::new(&program);
        quickstart.env("PLEXSYNC_WORKER", &worker).arg("--replay");
        quickstart
    });
}

/// Every transcript is had as it is written, and none with a line that is not what the worker says, or one too few.
fn has_the_conversations(replay: impl Fn() -> Command) {
    let plex = crate::transcripts::plex();
    let folder = tempfile::tempdir().unwrap();
    let files = crate::transcripts::files();
    let Some(output) = replayed(&plex, &mut replay(), &files) else { return };
    let said = said(&output);
    assert_eq!(said.matches("as written: ").count(), files.len(), "{said}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
        let altered = last.replacen('{', r#"{"altered":1,"#, 1);
        assert_ne!(last, altered, "`{}` ends with what the worker says", file.display());
        for text in [format!("{before}\n{altered}\n"), format!("{before}\n")] {
            let file = folder.path().join(file.file_name().unwrap());
            std::fs::write(&file, text).unwrap();
            let output = replayed(&plex, &mut replay(), &[file]).unwrap();
            assert!(!output.status.success(), "{output:?}");
            let stderr = String::from_utf8_lossy(&output.stderr);
            let told = ["expected", "after the last line"].iter().any(|word| stderr.contains(word));
            assert!(told, "{stderr}");
        }
    }
}

fn replayed(plex: &FakePlex, replay: &mut Command, files: &[PathBuf]) -> Option<Output> {
    output(plex, replay.args(files))
}
