//! The clock is wrong, and another wrong one the next time. Nothing is decided by it; the names of what is kept hold it.

use std::fs;
use std::path::Path;

use crate::answer::listing;
use crate::rig::{
    GET, RESET, Told, ask_behind, backup, file_of, folder, have, id_of, main_file, row,
};

/// What the clock says in turn, one run after another.
type Clocks = (&'static str, &'static [&'static str]);

const EARLY: &str = "1970-01-01 00:00:10";
const LATE: &str = "2099-12-31 23:00:00";

const CLOCKS: [Clocks; 3] = [
    ("1970", &[EARLY]),
    ("2099", &[LATE]),
    (
        "backwards",
        &[LATE, "2050-06-01 12:00:00", "2038-01-19 03:14:09", "2001-09-09 01:46:40", EARLY],
    ),
];

fn at(clock: &str, folder: &Path, line: &str) -> Told {
    let told = ask_behind(&["faketime", clock], folder, &[line]);
    assert!(!told.panicked() && told.replies.len() == 1, "at {clock}: {told:?}");
    told
}

/// The id that a get tells, after it was found in this way.
fn got(told: &Told, origin: &str) -> String {
    let result = &told.reply(1).unwrap()["result"];
    assert_eq!(result["origin"], origin, "{told:?}");
    result["device_id"].as_str().unwrap().to_owned()
}

/// Create, load, recover, reset, load, each under the next clock.
fn live(clocks: &[&str]) {
    let data = folder();
    let mut clocks = clocks.iter().cycle();
    let mut ask = |line| at(clocks.next().unwrap(), data.path(), line);
    let id = got(&ask(GET), "created");
    assert_eq!(got(&ask(GET), "loaded"), id);
    fs::remove_file(main_file(data.path())).unwrap();
    assert_eq!(got(&ask(GET), "recovered"), id);
    let reset = ask(RESET);
    assert_eq!(reset.reply(2).unwrap()["result"]["previous"], id.as_str());
    let id = reset.id(2).unwrap();
    assert_eq!(got(&ask(GET), "loaded"), id);
    assert_eq!(id_of(data.path()), id, "under the right clock");
}

/// When broken files were kept by other clocks: in 1980, 2026, 2038, 2099 and 2100.
const KEPT: [u64; 5] = [315_532_800, 1_795_426_074, 2_147_483_647, 4_070_908_800, 4_102_444_800];

/// The file breaks again and again: the newest one is kept, whatever the clock says, and four of those before.
fn break_down(clocks: &[&str]) {
    const NAME: &str = "device_id.json.corrupt-";
    let data = folder();
    let file = |time| data.path().join(format!("{NAME}{time}"));
    KEPT.iter().for_each(|time| fs::write(file(*time), time.to_string()).unwrap());
    for (round, clock) in clocks.iter().enumerate() {
        let broken = format!("broken for the time {round}");
        fs::write(main_file(data.path()), &broken).unwrap();
        let _first = fs::remove_file(backup(data.path()));
        let id = got(&at(clock, data.path(), GET), "regenerated");
        let names = listing(data.path());
        let times = names.iter().filter_map(|name| name.strip_prefix(NAME)?.parse::<u64>().ok());
        let kept: Vec<_> = times.collect();
        assert_eq!(kept.len(), 5, "{names:?}");
        let newest = file(*kept.iter().max().unwrap());
        assert_eq!(fs::read_to_string(newest).unwrap(), broken, "at {clock}: {kept:?}");
        assert_eq!(fs::read_to_string(main_file(data.path())).unwrap(), file_of(&id));
        assert_eq!(id_of(data.path()), id, "under the right clock");
    }
}

#[test]
fn a_wrong_clock_changes_nothing() {
    if have(&["faketime"]) {
        CLOCKS.iter().for_each(|(_, clocks)| live(clocks));
        break_down(&[EARLY]);
    }
}

#[test]
#[ignore = "two minutes"]
fn full_clocks() {
    if !have(&["faketime"]) {
        return;
    }
    for (name, clocks) in CLOCKS {
        for _ in 0..10 {
            live(clocks);
            break_down(clocks);
        }
        let how = format!("faketime, {name}: create, load, recover, reset, regenerate");
        let held = "the id, the newest five broken files";
        row("a wrong clock", &how, 10, held, "0 violations");
    }
}
