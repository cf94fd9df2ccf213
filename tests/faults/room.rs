//! There is no room: no blocks, no inodes, no quota left, or none for this process.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::io::Errno;

use crate::answer::{Answer, assert_answer, listing};
use crate::mount::Mount;
use crate::rig::{
    GET, RESET, ask, ask_behind, assert_whole, backup, have, id_of, is_root, main_file, row,
    side_by_side, temporary_files,
};
use crate::scenario::{ALL, QUICK, Scenario, judge, prepared};

/// A place without room.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    mount: fn() -> Option<Mount>,
    fill: fn(&Path),
    /// What the system says to a write there.
    error: Errno,
}

const PLACES: [Place; 3] = [
    Place {
        name: "no blocks left on tmpfs",
        mount: || Mount::memory("size=64k"),
        fill: fill_blocks,
        error: Errno::NOSPC,
    },
    Place {
        name: "no inodes left on tmpfs",
        mount: || Mount::memory("size=1m,nr_inodes=16"),
        fill: fill_inodes,
        error: Errno::NOSPC,
    },
    Place {
        name: "no quota left on btrfs",
        mount: || Mount::quota("2M"),
        fill: fill_quota,
        error: Errno::DQUOT,
    },
];

/// The worker's folder: where the mount has a limited one, that.
fn data_on(disk: &Mount) -> PathBuf {
    let data = disk.root().join("data");
    fs::create_dir_all(&data).unwrap();
    data
}

/// No room for a first identity: an error and no rest; with room again, one identity.
fn no_room(place: Place) -> bool {
    let Some(disk) = (place.mount)() else { return false };
    let data = data_on(&disk);
    (place.fill)(&data);
    let told = ask(&data, &[GET]);
    assert_answer(place.name, &told, 1, Answer::Unavailable);
    let why = told.reply(1).unwrap()["error"]["data"]["reason"].to_string();
    assert!(why.contains(&io::Error::from(place.error).to_string()), "{}: {why}", place.name);
    assert!(!main_file(&data).exists() && temporary_files(&data) == 0, "{:?}", listing(&data));
    remove_ballast(&disk, &data);
    let id = id_of(&data);
    (place.fill)(&data);
    assert_answer(place.name, &ask(&data, &[RESET]), 2, Answer::Unavailable);
    assert_eq!(id_of(&data), id, "a reset that failed changes nothing");
    remove_ballast(&disk, &data);
    assert_ne!(ask(&data, &[RESET]).id(2).unwrap(), id, "a reset with room again");
    true
}

fn fill_blocks(data: &Path) {
    let mut file = File::create(data.join("ballast")).unwrap();
    let _full = io::copy(&mut io::repeat(1), &mut file);
}

fn fill_inodes(data: &Path) {
    (0..64).for_each(|number| drop(File::create(data.join(format!("ballast-{number}")))));
}

/// With smaller and smaller files, each written through: what is only promised is not counted yet.
fn fill_quota(data: &Path) {
    let written = |number: usize, size: usize| -> io::Result<()> {
        let mut file = File::create(data.join(format!("ballast-{number}")))?;
        file.write_all(&vec![1; size])?;
        file.sync_all()
    };
    let mut numbers = 0..;
    for size in [64 * 1024, 4096, 1] {
        while written(numbers.next().unwrap(), size).is_ok() {}
    }
}

fn remove_ballast(disk: &Mount, data: &Path) {
    for name in listing(data).iter().filter(|name| name.starts_with("ballast")) {
        fs::remove_file(data.join(name)).unwrap();
    }
    disk.sync();
}

/// What a process may have at most, as prlimit(1) is told. The worker answers with ten files and 6.8 MB of addresses.
const LIMITS: [&str; 14] = [
    "--nofile=4",
    "--nofile=5",
    "--nofile=6",
    "--nofile=7",
    "--nofile=8",
    "--nofile=10",
    "--nofile=11",
    "--nofile=12",
    "--fsize=10",
    "--as=6600000",
    "--as=6700000",
    "--as=6750000",
    "--as=6800000",
    "--as=16777216",
];

/// One worker with this limit on every folder of the sweep; how many have answered.
fn limited(limit: &str, scenarios: &[Scenario]) -> usize {
    let mut answered = 0;
    for scenario in scenarios {
        let (_whole, data) = prepared(scenario);
        let before = fs::read(main_file(&data)).ok();
        let start = Instant::now();
        let told = ask_behind(&["prlimit", limit], &data, scenario.lines);
        let what = format!("{}: {limit}", scenario.name);
        if fs::read(main_file(&data)).ok() != before {
            assert_whole(&main_file(&data));
        }
        assert_whole(&backup(&data));
        judge(scenario, (&told, start.elapsed()), &data, &what);
        answered += usize::from(told.replies.len() == scenario.lines.len());
    }
    answered
}

#[test]
fn a_full_disk_is_an_error_and_no_identity() {
    if is_root() && have(&["mount", "sync"]) {
        for place in PLACES {
            println!("{}", place.name);
            no_room(place);
        }
    }
}

#[test]
fn a_worker_that_may_have_nothing_changes_nothing() {
    if have(&["prlimit"]) {
        for limit in LIMITS {
            limited(limit, &QUICK);
        }
    }
}

#[test]
#[ignore = "a minute"]
fn full_places_without_room() {
    if !is_root() || !have(&["mount", "sync"]) {
        return;
    }
    for place in PLACES {
        if (0..10).all(|_| no_room(place)) {
            let held = "an error, no rest, later success";
            row("no room", place.name, 10, held, "0 violations");
        }
    }
}

#[test]
#[ignore = "minutes"]
fn full_limits() {
    if !have(&["prlimit"]) {
        return;
    }
    for limit in LIMITS {
        let answered = side_by_side(&[limit; 10], |limit| limited(limit, &ALL));
        let how = format!("`prlimit {limit}`, 7 scenarios");
        let held = "told is found; an old id stays; no torn file";
        row("a limit", &how, 10 * ALL.len(), held, &format!("0 violations, {answered} answered"));
    }
}
