//! Something odd lies in the place of the identity's file: it is no identity, and costs neither time nor memory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::answer::{Answer, NOBODY, assert_answer, listing, make, set_mode};
use crate::rig::{GET, OLD, file_of, folder, have, is_root, main_file, row};
use crate::talk::Talk;

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

fn of_root(path: &Path, mode: &str) {
    fs::write(path, file_of(OLD)).unwrap();
    set_mode(path, mode);
}

/// What an answer has cost: time, the start of the process included, and the most memory it held, in KiB.
type Cost = (Duration, u64);

/// Whatever lies there, in KiB. The pages of an unoptimized program are more than twice as many.
const MOST_MEMORY: u64 = if cfg!(debug_assertions) { 20 * 1024 } else { 10 * 1024 };

/// Asks as nobody.
fn answers_oddly((what, make, expected): Odd) -> Cost {
    let data = folder();
    make(&main_file(data.path()));
    set_mode(data.path(), "777");
    let before = listing(data.path());
    let started = Instant::now();
    // A worker that reads a terabyte, or all of `/dev/zero`, dies of this limit before the machine does.
    let limited = ["prlimit", "--data=67108864"];
    let mut talk = Talk::start(&[&limited[..], &NOBODY].concat(), data.path());
    talk.say(&format!("{GET}\n"));
    talk.reply();
    let cost = (started.elapsed(), talk.process().memory("VmHWM"));
    assert_answer(what, &talk.end(), 1, expected);
    assert!(cost.1 < MOST_MEMORY, "{what}: {} KiB", cost.1);
    if expected == Answer::Unavailable {
        assert_eq!(listing(data.path()), before, "{what}: nothing is written");
    }
    cost
}

fn ready() -> bool {
    is_root() && have(&["mkfifo", "mknod", "truncate", "chmod", "setpriv", "prlimit"])
}

#[test]
fn odd_things_in_the_files_place_are_no_identity() {
    if ready() {
        for odd in ODD {
            answers_oddly(odd);
        }
    }
}

#[test]
#[ignore = "seconds"]
fn full_odd_things() {
    if !ready() {
        return;
    }
    for odd in ODD {
        let costs: Vec<_> = (0..10).map(|_| answers_oddly(odd)).collect();
        let time = costs.iter().map(|cost| cost.0).max().unwrap().as_millis();
        let memory = costs.iter().map(|cost| cost.1).max().unwrap();
        let figure = format!("0 violations; {time} ms and {memory} KiB at most");
        row("in the file's place", odd.0, 10, "the id, or an error and no write", &figure);
    }
}
