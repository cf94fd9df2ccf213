//! Processes that start together agree on one identity: on every file system, with and without the calls that help.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::mount::Mount;
use crate::rig::{
    GET, OLD, Told, backup, command, feed, file_of, folder, have, id_of, is_root, lived_in,
    main_file, row, temporary_files, worker,
};

/// Where a race is run.
struct Ground {
    name: &'static str,
    place: Place,
}

enum Place {
    Folder(TempDir),
    Mount(Mount),
}

impl Ground {
    fn own() -> Self {
        Self { name: "the machine's own", place: Place::Folder(tempfile::tempdir().unwrap()) }
    }

    fn memory() -> Self {
        Self { name: "tmpfs", place: Place::Folder(folder()) }
    }

    fn mounted(name: &'static str, mount: Option<Mount>) -> Option<Self> {
        mount.map(|mount| Self { name, place: Place::Mount(mount) })
    }

    fn root(&self) -> &Path {
        match &self.place {
            Place::Folder(folder) => folder.path(),
            Place::Mount(mount) => mount.root(),
        }
    }
}

/// What is done to a folder before the race, and the id that must win, if one must.
pub(crate) type Before = fn(&Path) -> Option<&'static str>;

pub(crate) fn empty(_folder: &Path) -> Option<&'static str> {
    None
}

pub(crate) fn only_backup(folder: &Path) -> Option<&'static str> {
    fs::write(backup(folder), file_of(OLD)).unwrap();
    Some(OLD)
}

pub(crate) fn broken(folder: &Path) -> Option<&'static str> {
    fs::write(main_file(folder), "{\"device_id\": 5}").unwrap();
    None
}

fn start(prefix: &[&str], folder: &Path, count: usize) -> Vec<Child> {
    let mut children: Vec<_> =
        (0..count).map(|_| command(prefix, worker(), folder).spawn().unwrap()).collect();
    for child in &mut children {
        feed(child, &[GET]);
    }
    children
}

pub(crate) fn one_race(root: &Path, prefix: &[&str], processes: usize, before: Before) {
    let data = tempfile::tempdir_in(root).unwrap();
    let expected = before(data.path());
    let told: Vec<_> = start(prefix, data.path(), processes)
        .into_iter()
        .map(|child| Told::of(&child.wait_with_output().unwrap()))
        .collect();
    let ids: BTreeSet<_> = told.iter().map(|told| told.id(1)).collect();
    assert_eq!(ids.len(), 1, "{told:?}");
    let makers = told.iter().filter(|told| {
        told.reply(1).is_some_and(|reply| {
            ["created", "regenerated"].iter().any(|origin| reply["result"]["origin"] == **origin)
        })
    });
    assert!(makers.count() <= 1, "{told:?}");
    let found = id_of(data.path());
    assert_eq!(ids.first().unwrap().as_deref(), Some(found.as_str()));
    assert!(expected.is_none_or(|id| id == found), "{found}");
    assert!(told.iter().all(|told| !told.panicked()), "{told:?}");
    assert_eq!(temporary_files(data.path()), 0);
}

fn races(ground: &Ground, prefix: &[&str], trials: usize, before: Before) {
    for _ in 0..trials {
        one_race(ground.root(), prefix, 24, before);
    }
}

const NO_RENAME: &str = "inject=renameat2:error=EINVAL";
const NO_LINK: &str = "inject=link,linkat:error=EPERM";
const YES_LOCK: &str = "inject=flock:retval=0";
const PAUSE: &str = "inject=renameat2:delay_enter=30000";

fn strace<'a>(injections: &[&'a str]) -> Vec<&'a str> {
    let mut words =
        vec!["strace", "-f", "-o", "/dev/null", "-e", "trace=renameat2,link,linkat,flock"];
    injections.iter().for_each(|injection| words.extend(["-e", *injection]));
    words
}

/// The faults of a race: name, what strace does, what is there before.
const DISTURBED: [(&str, &[&str], Before); 6] = [
    ("`renameat2` refused", &[NO_RENAME], empty),
    ("`renameat2` and `link` refused", &[NO_RENAME, NO_LINK], empty),
    ("everyone is told that it has the lock", &[YES_LOCK], empty),
    ("the same, only the backup is there", &[YES_LOCK], only_backup),
    ("the same, a broken file is there", &[YES_LOCK], broken),
    ("each paused before it publishes", &[PAUSE], empty),
];

fn disturbed(trials: usize, mut done: impl FnMut(&str)) {
    if !have(&["strace"]) {
        return;
    }
    let ground = Ground::memory();
    for (name, injections, before) in DISTURBED {
        println!("{name}");
        for _ in 0..trials {
            one_race(ground.root(), &strace(injections), 8, before);
        }
        done(name);
    }
}

/// The Python plugin's way to keep its file: read it, make another id when that fails, write it in place.
const PYTHON: &str = r#"
import json, sys, uuid
path = sys.argv[1]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(200):
    try:
        with open(path) as file:
            device = json.load(file)["device_id"]
    except (OSError, ValueError, KeyError):
        device = str(uuid.uuid4())
    with open(path, "w") as file:
        json.dump({"device_id": device}, file, indent=2)
"#;

/// One Python writer: two of them break the file for each other, with or without a worker.
fn against_python(trials: usize) -> bool {
    if !have(&["python3"]) {
        return false;
    }
    for _ in 0..trials {
        let data = folder();
        lived_in(data.path());
        let mut python = Command::new("python3")
            .args(["-c", PYTHON])
            .arg(main_file(data.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(python.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        feed(&mut python, &["go"]);
        for child in start(&[], data.path(), 8) {
            let told = Told::of(&child.wait_with_output().unwrap());
            assert_eq!(told.id(1).as_deref(), Some(OLD), "{told:?}");
        }
        assert!(python.wait().unwrap().success());
        assert_eq!(id_of(data.path()), OLD);
    }
    true
}

#[test]
fn processes_that_start_together_agree() {
    races(&Ground::memory(), &[], 5, empty);
    races(&Ground::memory(), &[], 2, only_backup);
    races(&Ground::memory(), &[], 1, broken);
    races(&Ground::own(), &[], 2, empty);
}

#[test]
fn they_agree_without_the_calls_that_help() {
    disturbed(1, |_| {});
}

#[test]
fn python_s_writing_in_place_changes_nothing() {
    against_python(2);
}

fn report(ground: &Ground, before: &str, trials: usize) {
    let how = format!("24 processes, {before}, {}", ground.name);
    row(
        "started together",
        &how,
        trials,
        "one id, at most one maker, no leftovers",
        "0 violations",
    );
}

#[test]
#[ignore = "minutes"]
fn full_races_on_every_file_system() {
    let mut grounds = vec![Ground::memory(), Ground::own()];
    if is_root() {
        let mounts = [
            Ground::mounted("ext4", Mount::image("mkfs.ext4")),
            Ground::mounted("xfs", Mount::image("mkfs.xfs")),
            Ground::mounted("overlayfs", Mount::overlay()),
        ];
        grounds.extend(mounts.into_iter().flatten());
    }
    for ground in &grounds {
        races(ground, &[], 200, empty);
        report(ground, "an empty folder", 200);
        races(ground, &[], 30, only_backup);
        report(ground, "only the backup", 30);
        races(ground, &[], 10, broken);
        report(ground, "a broken file", 10);
    }
}

#[test]
#[ignore = "minutes"]
fn full_disturbed_races() {
    disturbed(50, |name| {
        row(name, "8 processes, strace", 50, "one id, no leftovers", "0 violations")
    });
}

#[test]
#[ignore = "minutes"]
fn full_python_races() {
    if against_python(100) {
        let how = "8 workers while Python rewrites the file 200 times in place";
        row("the Python plugin beside us", how, 100, "the id on disk, no error", "0 violations");
    }
}
