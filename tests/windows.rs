//! What only Windows does to files: other programs hold them, an attribute protects them, paths are long; and what ends a
//! program there.

#![cfg(windows)]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use plexsync_harness::{FakePlex, Host, RpcError, TlsSetup, skip};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{host, worker};

const MAIN: &str = "device_id.json";
const BACKUP: &str = "device_id.json.bak";
const LOCK: &str = "device_id.json.lock";

// What others may still do with a file that is open (`dwShareMode` of `CreateFile`).
const NOTHING: u32 = 0;
const READ: u32 = 1;
const READ_AND_WRITE: u32 = 3;
const ALL: u32 = 7;

/// Holds a file as a virus scanner, an editor or Python does.
fn hold(file: &Path, share: u32) -> File {
    OpenOptions::new().read(true).share_mode(share).open(file).unwrap()
}

fn get(host: &mut Host) -> Result<Value, RpcError> {
    host.call("identity.get", json!({}))
}

fn reset(host: &mut Host) -> Result<Value, RpcError> {
    host.call("identity.reset", json!({}))
}

/// A folder with an identity, and its id.
fn known() -> (TempDir, Value) {
    let folder = tempdir().unwrap();
    let id = get(&mut host().data_dir(folder.path()).start()).unwrap()["device_id"].clone();
    (folder, id)
}

fn doctor(folder: &Path) -> String {
    host().data_dir(folder).args(["doctor", "--json"]).run("").stdout
}

fn assert_says(error: &RpcError, path: &Path, words: &str) {
    assert_eq!(error.code, -32001, "{}", error.message);
    let data = error.data.as_ref().unwrap();
    assert_eq!(data["path"], path.display().to_string(), "{}", error.message);
    assert!(data["reason"].as_str().unwrap().contains(words), "{}", error.message);
    assert!(!error.message.contains("denied"), "{}", error.message);
}

#[test]
fn a_file_that_a_scanner_holds_for_a_moment_costs_a_moment() {
    for name in [MAIN, BACKUP, LOCK] {
        for share in [NOTHING, READ, READ_AND_WRITE, ALL] {
            let (folder, id) = known();
            let file = folder.path().join(name);
            let mut host = host().data_dir(folder.path()).start();
            let held = |call: &mut dyn FnMut() -> Value| {
                scope(|scope| {
                    let held = hold(&file, share);
                    scope.spawn(move || {
                        sleep(Duration::from_millis(200));
                        drop(held);
                    });
                    call()
                })
            };
            let loaded = held(&mut || get(&mut host).unwrap());
            assert_eq!(
                (&loaded["device_id"], &loaded["warning"]),
                (&id, &Value::Null),
                "{name} {share}"
            );
            let new = held(&mut || reset(&mut host).unwrap());
            assert_eq!((&new["previous"], &new["warning"]), (&id, &Value::Null), "{name} {share}");
            host.restart();
            assert_eq!(get(&mut host).unwrap()["device_id"], new["device_id"], "{name} {share}");
            assert!(
                !names(folder.path()).iter().any(|name| name.ends_with(".tmp")),
                "{name} {share}"
            );
        }
    }
}

#[test]
fn a_file_that_another_program_never_lets_go_is_named_with_the_cause() {
    let (folder, id) = known();
    let file = folder.path().join(MAIN);
    let held = hold(&file, NOTHING);
    let mut worker = host().data_dir(folder.path()).start();
    assert_says(&get(&mut worker).unwrap_err(), &file, "another program has it open");
    assert_says(&reset(&mut worker).unwrap_err(), &file, "another program has it open");
    let found = doctor(folder.path());
    assert!(found.contains("another program has it open"), "{found}");
    drop(held);
    assert_eq!(get(&mut worker).unwrap()["device_id"], id);

    let held = hold(&file, READ_AND_WRITE);
    assert_says(&reset(&mut worker).unwrap_err(), &file, "another program has it open");
    worker.restart();
    assert_eq!(get(&mut worker).unwrap()["device_id"], id, "it is still read");
    drop(held);
    assert_eq!(reset(&mut worker).unwrap()["previous"], id);
    assert_eq!(names(folder.path()), [MAIN, BACKUP, LOCK]);
}

/// The id in the file is used; that the backup can't be had is said.
#[test]
fn a_backup_that_another_program_never_lets_go_is_a_warning() {
    let (folder, id) = known();
    let _held = hold(&folder.path().join(BACKUP), NOTHING);
    let loaded = get(&mut host().data_dir(folder.path()).start()).unwrap();
    assert_eq!(loaded["device_id"], id);
    let warning = loaded["warning"].as_str().unwrap();
    assert!(warning.contains("another program has it open"), "{warning}");
}

#[test]
fn a_read_only_file_is_used_and_not_replaced() {
    let (folder, id) = known();
    let mut host = host().data_dir(folder.path()).start();
    for name in [MAIN, BACKUP, LOCK] {
        let file = folder.path().join(name);
        protect(&file, true);
        let outcome = reset(&mut host);
        match name {
            MAIN => {
                assert_says(&outcome.unwrap_err(), &file, "it has the read-only attribute");
                assert_eq!(get(&mut host).unwrap()["device_id"], id);
            }
            BACKUP => {
                let warning = outcome.unwrap()["warning"].to_string();
                assert!(warning.contains("read-only attribute"), "{warning}");
            }
            _ if OpenOptions::new().write(true).open(&file).is_ok() => {
                skip("this user writes files with the read-only attribute, as root does in Wine");
            }
            _ => {
                let device_id = outcome.unwrap()["device_id"].clone();
                let params = json!({"if_device_id": device_id});
                let error = host.call("identity.reset", params).unwrap_err();
                assert_says(&error, &file, "it has the read-only attribute");
            }
        }
        protect(&file, false);
        reset(&mut host).unwrap();
        host.restart();
    }
}

/// Explorer sets it on folders that look special; nobody is kept from writing by it.
#[test]
fn a_read_only_folder_is_a_folder_as_any() {
    let (folder, id) = known();
    protect(folder.path(), true);
    let found = doctor(folder.path());
    assert!(found.contains("can be read and written"), "{found}");
    let mut host = host().data_dir(folder.path()).start();
    assert_eq!(reset(&mut host).unwrap()["previous"], id);
    protect(folder.path(), false);
}

fn protect(path: &Path, read_only: bool) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(read_only);
    fs::set_permissions(path, permissions).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_folder_in_a_files_place_is_called_a_folder() {
    for name in [MAIN, BACKUP] {
        let folder = tempdir().unwrap();
        let file = folder.path().join(name);
        fs::create_dir(&file).unwrap();
        let mut worker = host().data_dir(folder.path()).start();
        assert_says(&get(&mut worker).unwrap_err(), &file, "it is a folder");
        assert_says(&reset(&mut worker).unwrap_err(), &file, "it is a folder");
        assert_eq!(names(folder.path()), [name]);
        let found = doctor(folder.path());
        assert!(found.contains("it is a folder"), "{found}");
    }
    let (folder, id) = known();
    let lock = folder.path().join(LOCK);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let mut worker = host().data_dir(folder.path()).start();
    let error = worker.call("identity.reset", json!({"if_device_id": id})).unwrap_err();
    assert_says(&error, &lock, "is a directory");
    let plex = FakePlex::start_tls(TlsSetup::RightName);
    for option in ["--plex-token-file", "--plex-ca"] {
        let worker = host().arg(option).arg(folder.path()).env("PLEX_URL", plex.url());
        let error = worker.start().call("plex.request", json!({"path": "/"})).unwrap_err();
        assert!(error.message.contains("is a folder"), "{option}: {}", error.message);
    }
    assert_eq!(plex.requests().len(), 0);
}

#[test]
fn a_file_in_a_folders_place_is_no_question_of_permissions() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for data in [file.clone(), file.join("data")] {
        let error = get(&mut host().data_dir(&data).start()).unwrap_err();
        assert_says(&error, &data, "not a directory");
    }
}

/// 260 letters were once the limit.
#[test]
fn long_paths_are_paths() {
    let folder = tempdir().unwrap();
    let deep: PathBuf = (0..6).fold(folder.path().to_owned(), |path, _| path.join("x".repeat(60)));
    let plex = FakePlex::start();
    let token = deep.join("token");
    let mut host = host()
        .data_dir(&deep)
        .env("PLEX_URL", plex.url())
        .arg("--plex-token-file")
        .arg(&token)
        .start();
    let id = get(&mut host).unwrap()["device_id"].clone();
    fs::write(&token, plex.token()).unwrap();
    host.restart();
    assert_eq!(get(&mut host).unwrap()["origin"], "loaded");
    let answer = host.call("plex.request", json!({"path": "/identity"})).unwrap();
    assert_eq!(answer["status"], 200);
    assert_eq!(plex.requests()[0].header("X-Plex-Token"), Some(plex.token().as_str()));
    assert_eq!(reset(&mut host).unwrap()["previous"], id);
    assert!(deep.join(MAIN).as_os_str().len() > 260);
}

#[test]
fn an_identity_moves_along_from_the_folder_that_roams() {
    for starts in [1, 16] {
        let (local, roaming) = (tempdir().unwrap(), tempdir().unwrap());
        let old = roaming.path().join("plexsync").join(MAIN);
        fs::create_dir(old.parent().unwrap()).unwrap();
        fs::write(&old, r#"{"device_id": "OLD-one"}"#).unwrap();
        let builder = host()
            .without_data_dir()
            .env("LOCALAPPDATA", local.path())
            .env("APPDATA", roaming.path());
        let start = || get(&mut builder.clone().start()).unwrap();
        let found: Vec<Value> = scope(|scope| {
            let started: Vec<_> = (0..starts).map(|_| scope.spawn(start)).collect();
            started.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let new = local.path().join("plexsync").join(MAIN);
        for identity in &found {
            assert_eq!(identity["device_id"], "OLD-one");
            assert_eq!(identity["path"], new.display().to_string());
        }
        let warned = found.iter().filter(|identity| identity["warning"].is_string()).count();
        assert!(warned >= 1, "who copies it says so");
        assert_eq!(start()["warning"], Value::Null);
        assert!(old.exists(), "the old one stays");
    }
}

#[test]
fn without_an_old_one_the_new_folder_is_used() {
    let (local, roaming) = (tempdir().unwrap(), tempdir().unwrap());
    let builder =
        host().without_data_dir().env("LOCALAPPDATA", local.path()).env("APPDATA", roaming.path());
    let start = || get(&mut builder.clone().start()).unwrap()["device_id"].to_string();
    let ids: BTreeSet<String> = (0..2).map(|_| start()).collect();
    assert_eq!(ids.len(), 1);
    assert!(local.path().join("plexsync").join(MAIN).exists());
    assert_eq!(names(roaming.path()), Vec::<String>::new());
}

/// More log lines than a pipe holds.
#[test]
fn a_host_that_does_not_read_stderr_gets_its_answers() {
    let (mut worker, folder) = (Command::new(worker()), tempdir().unwrap());
    worker.args(["--log", "debug", "--data-dir"]).arg(folder.path());
    worker.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut worker = worker.spawn().unwrap();
    let mut input = worker.stdin.take().unwrap();
    let replies = BufReader::new(worker.stdout.take().unwrap());
    let calls = 3000;
    scope(|scope| {
        scope.spawn(move || {
            for id in 0..calls {
                let call = json!({"jsonrpc": "2.0", "id": id, "method": "identity.get"});
                writeln!(input, "{call}").unwrap();
            }
        });
        assert_eq!(replies.lines().map_while(Result::ok).count(), calls);
    });
    assert!(worker.wait().unwrap().success());
}

/// Not the console of these tests, which would hear Ctrl-C as well.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// A worker with a call that Plex never answers.
fn busy(plex: &FakePlex, folder: &Path) -> Child {
    plex.hold();
    let mut worker = Command::new(worker());
    worker
        .arg("--data-dir")
        .arg(folder)
        .env("PLEX_URL", plex.url())
        .env("PLEX_TOKEN", plex.token());
    worker.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let worker = worker.creation_flags(CREATE_NO_WINDOW).spawn().unwrap();
    let call = json!({"jsonrpc": "2.0", "id": 7, "method": "plex.request", "params": {"path": "/identity"}});
    writeln!(worker.stdin.as_ref().unwrap(), "{call}").unwrap();
    plex.wait_held(1);
    worker
}

/// A program that presses Ctrl-C in the console of a process: the standard library can't.
#[expect(clippy::disallowed_methods, reason = "a test has no options")]
fn ctrl_c() -> Option<Command> {
    let program = std::env::var_os("PLEXSYNC_CTRL_C");
    if program.is_none() {
        skip("`PLEXSYNC_CTRL_C` names no program built of `tests/platforms/windows/ctrl_c.c`");
    }
    program.map(Command::new)
}

fn press(mut ctrl_c: Command, worker: &Child, times: u32) {
    ctrl_c.args([worker.id().to_string(), times.to_string()]).creation_flags(CREATE_NO_WINDOW);
    assert!(ctrl_c.status().unwrap().success());
}

#[test]
fn ctrl_c_ends_the_worker_and_what_runs_is_answered() {
    let Some(ctrl_c) = ctrl_c() else { return };
    let (plex, folder) = (FakePlex::start(), tempdir().unwrap());
    let mut worker = busy(&plex, folder.path());
    let pressed = Instant::now();
    press(ctrl_c, &worker, 1);
    let replies: Vec<Value> = BufReader::new(worker.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert_eq!((&replies[0]["id"], &replies[0]["error"]["code"]), (&json!(7), &json!(-32800)));
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    assert!(pressed.elapsed() < Duration::from_secs(10), "{:?}", pressed.elapsed());
}

/// The second one comes 100 ms after the first; on a busy machine the worker may have ended by then.
#[test]
fn a_second_ctrl_c_ends_the_worker_at_once() {
    let mut codes = Vec::new();
    for _ in 0..5 {
        let Some(ctrl_c) = ctrl_c() else { return };
        let (plex, folder) = (FakePlex::start(), tempdir().unwrap());
        let mut worker = busy(&plex, folder.path());
        press(ctrl_c, &worker, 2);
        codes.extend(worker.wait().unwrap().code());
        if codes.ends_with(&[130]) {
            return;
        }
    }
    panic!("{codes:?}");
}
