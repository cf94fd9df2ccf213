//! `kill -9` at a moment that nobody has chosen.

use std::thread::sleep;
use std::time::Duration;

use crate::rig::{
    GET, RESET, Told, ask, command, feed, folder, id_of, row, temporary_files, worker,
};
use crate::talk::Process;

/// Kills workers after one delay after another; tells how many died before they had answered.
fn kills(line: &str, lived_in: bool, trials: usize) -> usize {
    let mut landed = 0;
    let mut data = folder();
    for trial in 0..trials {
        if !lived_in {
            data = folder();
        }
        let before = lived_in.then(|| id_of(data.path()));
        let mut started = command(&[], worker(), data.path());
        let mut child = started.spawn().unwrap();
        feed(&mut child, &[line]);
        sleep(Duration::from_micros(trial as u64 * 173 % 12_000));
        let _ended = Process::below(child.id()).map(|process| process.signal("KILL"));
        let told = Told::of(&child.wait_with_output().unwrap());
        landed += usize::from(told.replies.is_empty());
        assert!(temporary_files(data.path()) <= 2);
        let found = id_of(data.path());
        let id = told.id(1).or_else(|| told.id(2));
        assert!(id.as_ref().is_none_or(|id| *id == found), "{told:?}, then {found}");
        // A first run may die before anything is there; what is there from now on stays.
        assert_eq!(id_of(data.path()), found, "after {before:?}");
    }
    assert!(ask(data.path(), &[RESET]).id(2).is_some());
    assert_eq!(temporary_files(data.path()), 0, "the next writer cleans up");
    landed
}

#[test]
fn a_killed_worker_leaves_one_identity() {
    kills(GET, false, 20);
    kills(RESET, true, 20);
}

#[test]
#[ignore = "minutes"]
fn full_kills() {
    for (what, line, lived_in) in [("first runs", GET, false), ("resets", RESET, true)] {
        let landed = kills(line, lived_in, 1000);
        let (how, figure) = (
            format!("{what}, 0 to 12 ms after the call"),
            format!("0 violations, {landed} died unanswered"),
        );
        row("`kill -9` at random", &how, 1000, "told is found, leftovers go", &figure);
    }
}
