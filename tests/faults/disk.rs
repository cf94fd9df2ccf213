//! The disk is full, read-only or somebody else's; something odd lies in the place of the identity's file.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::mount::Mount;
use crate::rig::{
    GET, OLD, RESET, Told, ask, ask_behind, file_of, folder, have, id_of, is_root, lived_in,
    main_file, row, runs, second_copy, temporary_files,
};

/// What a worker must answer to a get and to a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The id from before.
    Old,
    /// That the identity is unavailable.
    Unavailable,
}

fn assert_answer(what: &str, told: &Told, call: u64, expected: Answer) {
    let id = told.id(call);
    let fine = match expected {
        Answer::Old => id.as_deref() == Some(OLD),
        Answer::Unavailable => told.code(call) == Some(-32001),
    };
    assert!(fine && !told.panicked(), "{what}: expected {expected:?} for call {call}: {told:?}");
}

/// What lies in the place of the file: how it is made, and what is answered.
type Odd = (&'static str, fn(&Path), Answer);

const ODD: [Odd; 9] = [
    ("a good symlink", good_symlink, Answer::Old),
    ("a symlink that leads nowhere", |path| symlink("nowhere", path).unwrap(), Answer::Unavailable),
    ("a symlink to itself", |path| symlink("device_id.json", path).unwrap(), Answer::Unavailable),
    ("a folder", |path| fs::create_dir(path).unwrap(), Answer::Unavailable),
    ("a FIFO", |path| make("mkfifo", &[], path, &[]), Answer::Unavailable),
    ("`/dev/zero`", |path| make("mknod", &[], path, &["c", "1", "5"]), Answer::Unavailable),
    (
        "a sparse file of 1 TB",
        |path| make("truncate", &["-s", "1T"], path, &[]),
        Answer::Unavailable,
    ),
    ("no permission", |path| of_root(path, "000"), Answer::Unavailable),
    ("another owner's, readable", |path| of_root(path, "644"), Answer::Old),
];

fn good_symlink(path: &Path) {
    let elsewhere = path.with_file_name("elsewhere.json");
    fs::write(&elsewhere, file_of(OLD)).unwrap();
    symlink("elsewhere.json", path).unwrap();
}

fn make(tool: &str, before: &[&str], path: &Path, after: &[&str]) {
    let path = path.to_str().unwrap();
    let arguments: Vec<_> = before.iter().chain([&path]).chain(after).copied().collect();
    assert!(runs(tool, &arguments), "{tool} {arguments:?}");
}

fn of_root(path: &Path, mode: &str) {
    fs::write(path, file_of(OLD)).unwrap();
    make("chmod", &[mode], path, &[]);
}

/// A user without rights: root may read everything.
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// Asks as nobody; tells how long that took, start and end of the process included.
fn answers_oddly((what, make, expected): Odd) -> Duration {
    let data = folder();
    make(&main_file(data.path()));
    make_public(data.path());
    let before = listing(data.path());
    let started = Instant::now();
    // A worker that reads a terabyte, or all of `/dev/zero`, dies of this limit.
    let limited = ["prlimit", "--data=67108864"];
    let told = ask_behind(&[&limited[..], &NOBODY].concat(), data.path(), &[GET]);
    let took = started.elapsed();
    assert_answer(what, &told, 1, expected);
    if expected == Answer::Unavailable {
        assert_eq!(listing(data.path()), before, "{what}: nothing is written");
    }
    took
}

/// Nobody may look into the folder, and write there.
fn make_public(folder: &Path) {
    make("chmod", &["777"], folder, &[]);
}

fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn ready() -> bool {
    is_root() && have(&["mkfifo", "mknod", "truncate", "chmod", "setpriv", "prlimit", "mount"])
}

#[test]
fn odd_things_in_the_files_place_are_no_identity() {
    if ready() {
        for odd in ODD {
            answers_oddly(odd);
        }
    }
}

/// A small file system in memory.
fn small(options: &str) -> Mount {
    Mount::memory(options).unwrap()
}

/// The worker's folder there.
fn data_on(small: &Mount) -> PathBuf {
    let data = small.root().join("data");
    fs::create_dir_all(&data).unwrap();
    data
}

/// No room for a first identity: an error and no rest; with room again, one identity.
fn no_room(options: &str, fill: fn(&Path), empty: fn(&Path)) {
    let small = small(options);
    let data = data_on(&small);
    fill(small.root());
    let told = ask(&data, &[GET]);
    assert_answer(options, &told, 1, Answer::Unavailable);
    assert!(!main_file(&data).exists() && temporary_files(&data) == 0, "{:?}", listing(&data));
    empty(small.root());
    let id = id_of(&data);
    fill(small.root());
    assert_answer(options, &ask(&data, &[RESET]), 2, Answer::Unavailable);
    assert_eq!(id_of(&data), id, "a reset that failed changes nothing");
}

fn fill_blocks(root: &Path) {
    let mut file = File::create(root.join("ballast")).unwrap();
    let _full = std::io::copy(&mut std::io::repeat(1), &mut file);
}

fn fill_inodes(root: &Path) {
    (0..64).for_each(|number| drop(File::create(root.join(format!("ballast-{number}")))));
}

fn remove_ballast(root: &Path) {
    for name in listing(root).iter().filter(|name| name.starts_with("ballast")) {
        fs::remove_file(root.join(name)).unwrap();
    }
}

#[test]
fn a_full_disk_is_an_error_and_no_identity() {
    if ready() {
        no_room("size=64k", fill_blocks, remove_ballast);
        no_room("size=1m,nr_inodes=16", fill_inodes, remove_ballast);
    }
}

#[test]
fn what_can_be_read_works_where_nothing_can_be_written() {
    if !ready() {
        return;
    }
    let small = small("size=1m");
    let (data, root) = (data_on(&small), small.path());
    lived_in(&data);
    assert!(runs("mount", &["-o", "remount,ro", root]));
    let told = ask(&data, &[GET, RESET]);
    assert_answer("read-only", &told, 1, Answer::Old);
    assert_answer("read-only", &told, 2, Answer::Unavailable);
    assert!(runs("mount", &["-o", "remount,rw", root]));
    fs::remove_file(main_file(&data)).unwrap();
    fs::remove_file(second_copy(&data)).unwrap();
    assert!(runs("mount", &["-o", "remount,ro", root]));
    assert_answer("read-only and empty", &ask(&data, &[GET]), 1, Answer::Unavailable);
}

#[test]
fn an_immutable_file_is_kept() {
    let data = tempfile::tempdir().unwrap();
    lived_in(data.path());
    let file = main_file(data.path());
    if !ready() || !have(&["chattr"]) || !runs("chattr", &["+i", file.to_str().unwrap()]) {
        println!("skipped: no immutable files here");
        return;
    }
    let told = ask(data.path(), &[GET, RESET]);
    runs("chattr", &["-i", file.to_str().unwrap()]);
    assert_answer("immutable", &told, 1, Answer::Old);
    assert_answer("immutable", &told, 2, Answer::Unavailable);
    assert_eq!(id_of(data.path()), OLD);
}

#[test]
fn a_file_that_is_a_mount_point_is_kept() {
    if !ready() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let volume = data.path().join("volume.json");
    fs::write(&volume, file_of(OLD)).unwrap();
    let file = main_file(data.path());
    File::create(&file).unwrap();
    assert!(runs("mount", &["--bind", volume.to_str().unwrap(), file.to_str().unwrap()]));
    let told = ask(data.path(), &[GET, RESET]);
    let kept = fs::read_to_string(&volume).unwrap();
    runs("umount", &["-l", file.to_str().unwrap()]);
    assert_answer("bind mount", &told, 1, Answer::Old);
    assert_answer("bind mount", &told, 2, Answer::Unavailable);
    assert_eq!(kept, file_of(OLD));
}

/// Python and the worker hand the file to each other.
#[test]
fn python_and_the_worker_keep_each_others_identity() {
    if !have(&["python3"]) {
        return;
    }
    round_trips(5);
}

const REWRITE: &str = "import json,sys
path = sys.argv[1]
known = json.load(open(path))
known['rounds'] = known.get('rounds', 0) + 1
json.dump(known, open(path, 'w'), indent=2)
print(known['device_id'], known['rounds'])";

fn round_trips(rounds: usize) {
    let data = folder();
    let mut id = id_of(data.path());
    for round in 1..=rounds {
        let file = main_file(data.path());
        let output = Command::new("python3").arg("-c").arg(REWRITE).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(said, format!("{id} {round}"), "{output:?}");
        assert_eq!(id_of(data.path()), id);
        let told = ask(data.path(), &[RESET]);
        assert_eq!(told.reply(2).unwrap()["result"]["previous"], id.as_str());
        id = told.id(2).unwrap();
    }
}

#[test]
#[ignore = "a minute"]
fn full_disk_rows() {
    if !ready() {
        return;
    }
    for odd in ODD {
        let mut times: Vec<_> = (0..10).map(|_| answers_oddly(odd)).collect();
        times.sort();
        let worst = format!("0 violations, {} ms at most", times[9].as_millis());
        row("in the file's place", odd.0, 10, "the id, or an error and no write", &worst);
    }
    for _ in 0..10 {
        no_room("size=64k", fill_blocks, remove_ballast);
        no_room("size=1m,nr_inodes=16", fill_inodes, remove_ballast);
    }
    row("disk full; no inodes", "tmpfs", 10, "an error, no rest, later success", "0 violations");
    round_trips(50);
    row(
        "Python rewrites, the worker resets",
        "in turn",
        50,
        "each finds the other's",
        "0 violations",
    );
}
