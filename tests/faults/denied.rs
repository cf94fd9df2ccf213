//! The identity can be read and not written, or not even be read.

use std::fs::{self, File};
use std::path::Path;

use plexsync_harness::skip;

use crate::answer::{Answer, NOBODY, assert_answer, listing, set_mode};
use crate::mount::Mount;
use crate::rig::{
    GET, OLD, RESET, ask, ask_behind, backup, file_of, folder, have, id_of, is_root, lived_in,
    main_file, row, runs, temporary_files,
};

/// Who or what refuses, and a trial of it; false where the machine has no such thing.
type Denial = (&'static str, fn() -> bool);

const DENIALS: [Denial; 6] = [
    ("a read-only file system", read_only),
    ("an immutable file", immutable),
    ("the file is a mount point", mount_point),
    ("a folder of mode 0000", closed_folder),
    ("another owner's read-only folder", foreign_folder),
    ("another owner's file in a sticky folder", sticky_folder),
];

fn read_only() -> bool {
    let Some(disk) = Mount::memory("size=1m") else { return false };
    lived_in(disk.root());
    assert!(runs("mount", &["-o", "remount,ro", disk.path()]));
    let told = ask(disk.root(), &[GET, RESET]);
    assert_answer("read-only", &told, 1, Answer::Old);
    assert_answer("read-only", &told, 2, Answer::Unavailable);
    assert!(runs("mount", &["-o", "remount,rw", disk.path()]));
    fs::remove_file(main_file(disk.root())).unwrap();
    fs::remove_file(backup(disk.root())).unwrap();
    assert!(runs("mount", &["-o", "remount,ro", disk.path()]));
    assert_answer("read-only and empty", &ask(disk.root(), &[GET]), 1, Answer::Unavailable);
    true
}

fn immutable() -> bool {
    let data = tempfile::tempdir().unwrap();
    lived_in(data.path());
    let file = main_file(data.path());
    if !have(&["chattr"]) {
        return false;
    }
    if !runs("chattr", &["+i", file.to_str().unwrap()]) {
        skip("no file can be made immutable in the folder for temporary files");
        return false;
    }
    let told = ask(data.path(), &[GET, RESET]);
    runs("chattr", &["-i", file.to_str().unwrap()]);
    assert_answer("immutable", &told, 1, Answer::Old);
    assert_answer("immutable", &told, 2, Answer::Unavailable);
    assert_untouched(data.path());
    true
}

fn mount_point() -> bool {
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
    true
}

/// Asks as nobody in root's folder of this mode.
fn foreign(mode: &str, get: Answer) {
    let outer = folder();
    set_mode(outer.path(), "755");
    let data = outer.path().join("data");
    fs::create_dir(&data).unwrap();
    lived_in(&data);
    set_mode(&main_file(&data), "644");
    set_mode(&data, mode);
    let told = ask_behind(&NOBODY, &data, &[GET, RESET]);
    assert_answer(mode, &told, 1, get);
    assert_answer(mode, &told, 2, Answer::Unavailable);
    assert_untouched(&data);
}

/// As it was when it was lived in.
fn assert_untouched(data: &Path) {
    for file in [main_file(data), backup(data)] {
        assert_eq!(fs::read_to_string(&file).unwrap(), file_of(OLD), "{}", file.display());
    }
    assert_eq!(temporary_files(data), 0, "{:?}", listing(data));
    assert_eq!(id_of(data), OLD);
}

fn closed_folder() -> bool {
    foreign("000", Answer::Unavailable);
    true
}

fn foreign_folder() -> bool {
    foreign("755", Answer::Old);
    let empty = folder();
    set_mode(empty.path(), "755");
    let told = ask_behind(&NOBODY, empty.path(), &[GET]);
    assert_answer("another owner's, empty", &told, 1, Answer::Unavailable);
    assert!(listing(empty.path()).is_empty());
    true
}

fn sticky_folder() -> bool {
    foreign("1777", Answer::Old);
    true
}

fn ready() -> bool {
    is_root() && have(&["chmod", "mount", "umount", "setpriv"])
}

#[test]
fn what_can_be_read_works_where_nothing_can_be_written() {
    if ready() {
        for (name, trial) in DENIALS {
            println!("{name}");
            trial();
        }
    }
}

#[test]
#[ignore = "seconds"]
fn full_denials() {
    if !ready() {
        return;
    }
    for (name, trial) in DENIALS {
        if (0..10).all(|_| trial()) {
            let held = "the id where it can be read, else an error; a reset is an error; no write";
            row("not to be written", name, 10, held, "0 violations");
        }
    }
}
