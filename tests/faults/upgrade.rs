//! An older worker, this one and the Python plugin have the file in turn.

use std::fs;
use std::path::Path;
use std::process::Command;

use plexsync_harness::skip;

use crate::rig::{
    GET, RESET, Told, ask, ask_program, backup, folder, have, main_file, row, variable, worker,
};

/// What Python does with the file: it reads it, or writes it in place with a member of its own.
const PYTHON: &str = "import json,sys
path, rounds = sys.argv[1], int(sys.argv[2])
known = json.load(open(path))
if rounds:
    known['rounds'] = rounds
    json.dump(known, open(path, 'w'), indent=2)
print(known['device_id'], known.get('rounds', 0))";

fn python(folder: &Path, rounds: usize) -> String {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON]).arg(main_file(folder)).arg(rounds.to_string());
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
}

/// One resets after another, Python rewrites in between; everybody loads everybody's, and loading leaves the file as
/// it is.
fn alternate(workers: &[&str], rounds: usize) {
    let data = folder();
    let mut id = ask_program(&[], workers[0], data.path(), &[GET]).id(1).unwrap();
    for round in 1..=rounds {
        assert_eq!(python(data.path(), round), format!("{id} {round}"));
        let before = fs::read(main_file(data.path())).unwrap();
        for worker in workers.iter().chain(workers) {
            assert_eq!(loaded(&ask_program(&[], worker, data.path(), &[GET])), id);
        }
        assert_eq!(python(data.path(), 0), format!("{id} {round}"));
        assert_eq!(fs::read(main_file(data.path())).unwrap(), before, "loading has written");
        assert_eq!(fs::read(backup(data.path())).unwrap(), before, "the copy is out of step");
        let told = ask_program(&[], workers[round % workers.len()], data.path(), &[RESET]);
        assert_eq!(told.reply(2).unwrap()["result"]["previous"], id.as_str());
        id = told.id(2).unwrap();
    }
    assert_eq!(python(data.path(), 0), format!("{id} {rounds}"), "a member of Python's is kept");
    assert_eq!(ask(data.path(), &[GET]).id(1).unwrap(), id);
}

fn loaded(told: &Told) -> String {
    assert_eq!(told.reply(1).unwrap()["result"]["origin"], "loaded", "{told:?}");
    told.id(1).unwrap()
}

/// An older program, where one is given.
fn old_worker() -> Option<String> {
    let given = variable("PLEXSYNC_OLD_WORKER").and_then(|path| path.into_string().ok());
    if given.is_none() {
        skip("`PLEXSYNC_OLD_WORKER` names no older worker");
    }
    given
}

#[test]
fn python_and_the_worker_keep_each_others_identity() {
    if have(&["python3"]) {
        alternate(&[worker()], 3);
    }
}

#[test]
fn an_older_worker_keeps_the_identity() {
    if have(&["python3"])
        && let Some(old) = old_worker()
    {
        alternate(&[&old, worker()], 3);
    }
}

#[test]
#[ignore = "a minute"]
fn full_upgrades() {
    if !have(&["python3"]) {
        return;
    }
    let held = "loads leave the file's bytes, each finds the other's id after a reset";
    alternate(&[worker()], 50);
    row("in turn", "this worker and Python", 50, held, "0 violations");
    if let Some(old) = old_worker() {
        alternate(&[&old, worker()], 50);
        row("in turn", "an older worker, this one and Python", 50, held, "0 violations");
    }
}
