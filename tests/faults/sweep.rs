//! Every system call that touches the data folder fails, once or from then on, or is the last one before a `SIGKILL`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use crate::case::Case;
use crate::rig::{folder, have, is_root, row, side_by_side};
use crate::scenario::{ALL, QUICK};
use crate::story;

const ERRORS: [&str; 7] = ["EIO", "ENOSPC", "EACCES", "EMFILE", "EINTR", "EROFS", "EDQUOT"];

/// One call of a system call, counted as strace counts.
type Place = (String, usize);

/// Which calls of which system calls touch the folder when nothing goes wrong.
fn places(case: &impl Case) -> BTreeSet<Place> {
    let (trace, ground) = (folder(), case.prepared());
    let log = trace.path().join("trace");
    let names = "trace=%file,%desc";
    let strace = ["strace", "-f", "-y", "-o", log.to_str().unwrap(), "-e", names];
    case.act(&ground, &strace);
    touching(&fs::read_to_string(log).unwrap(), case.data(&ground).to_str().unwrap())
}

/// A file that may settle is looked at a hundred times: of calls that look alike, the first two and the last stand for
/// all.
fn touching(trace: &str, folder: &str) -> BTreeSet<Place> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut alike: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let count = counts.entry((process, name)).or_default();
        *count += 1;
        if name != "execve" && arguments.contains(folder) {
            alike.entry(call).or_default().push((name.to_owned(), *count));
        }
    }
    let few = |mut places: Vec<Place>| {
        let last = places.len() - 1;
        places.drain(last.min(2)..last);
        places
    };
    alike.into_values().flat_map(few).collect()
}

/// What is thrown at one place.
fn tampered(case: &impl Case, (name, count): &Place, fault: &str, onward: &str) -> usize {
    let ground = case.prepared();
    let (trace, inject) =
        (format!("trace={name}"), format!("inject={name}:{fault}:when={count}{onward}"));
    let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let start = Instant::now();
    let told = case.act(&ground, &strace);
    case.judge(&ground, (&told, start.elapsed()), &format!("{}: {inject}", case.name()));
    usize::from(told.replies.len() == case.calls())
}

/// The trials, and how many calls were answered in them; nothing where the machine allows none.
fn sweep(
    cases: &[impl Case],
    faults: &[String],
    onward: &str,
    step: usize,
) -> Option<(usize, usize)> {
    if !is_root() || !have(&["strace"]) {
        return None;
    }
    let (mut trials, mut answered) = (0, 0);
    for case in cases {
        let places = places(case);
        assert!(places.len() > 5, "{}: {places:?}", case.name());
        let all = places.iter().flat_map(|place| faults.iter().map(move |fault| (place, fault)));
        let all: Vec<_> = all.step_by(step).collect();
        println!("{}: {} trials", case.name(), all.len());
        answered += side_by_side(&all, |(place, fault)| tampered(case, place, fault, onward));
        assert!(!all.is_empty(), "{}: no trial", case.name());
        trials += all.len();
    }
    Some((trials, answered))
}

fn errors() -> Vec<String> {
    ERRORS.iter().map(|error| format!("error={error}")).collect()
}

/// An interrupted call is made again, as POSIX wants it: one that is interrupted for ever is no fault that exists.
fn lasting_errors() -> Vec<String> {
    errors().into_iter().filter(|error| !error.ends_with("EINTR")).collect()
}

fn kill() -> Vec<String> {
    vec!["signal=KILL".to_owned()]
}

#[test]
fn a_system_call_fails() {
    sweep(&QUICK, &errors(), "", 37);
    sweep(&QUICK, &lasting_errors(), "+", 41);
    sweep(&story::QUICK, &errors(), "", 97);
    sweep(&story::QUICK, &lasting_errors(), "+", 101);
}

#[test]
fn a_system_call_is_the_last() {
    sweep(&QUICK, &kill(), "", 9);
    sweep(&story::QUICK, &kill(), "", 19);
}

fn report(fault: &str, how: &str, outcome: Option<(usize, usize)>) {
    let Some((trials, answered)) = outcome else { return };
    let figure =
        format!("0 second ids, 0 panics, 0 hangs; {answered} answered, the rest had ended");
    row(fault, how, trials, "told is found; an old id stays; leftovers go", &figure);
}

#[test]
#[ignore = "minutes"]
fn full_every_system_call_fails_once() {
    report(
        "a system call fails once",
        "strace, 7 scenarios x 7 errors",
        sweep(&ALL, &errors(), "", 1),
    );
}

#[test]
#[ignore = "minutes"]
fn full_every_system_call_fails_from_then_on() {
    report(
        "a system call fails from then on",
        "the same without EINTR",
        sweep(&ALL, &lasting_errors(), "+", 1),
    );
}

#[test]
#[ignore = "minutes"]
fn full_every_system_call_is_the_last() {
    report("`SIGKILL` at a system call", "strace, 7 scenarios", sweep(&ALL, &kill(), "", 1));
}

fn report_stories(fault: &str, how: &str, outcome: Option<(usize, usize)>) {
    let Some((trials, answered)) = outcome else { return };
    let figure = format!("0 violations, {answered} answered");
    let held = "signed in or told why not, no lost folder, tokens at home, leftovers go";
    row(fault, how, trials, held, &figure);
}

#[test]
#[ignore = "many minutes"]
fn full_stories_every_system_call_fails_once() {
    let outcome = sweep(&story::ALL, &errors(), "", 1);
    report_stories("a system call fails once", "strace, 11 stories x 7 errors", outcome);
}

#[test]
#[ignore = "many minutes"]
fn full_stories_every_system_call_fails_from_then_on() {
    let outcome = sweep(&story::ALL, &lasting_errors(), "+", 3);
    let how = "the same without `EINTR`, each third";
    report_stories("a system call fails from then on", how, outcome);
}

#[test]
#[ignore = "minutes"]
fn full_stories_every_system_call_is_the_last() {
    let outcome = sweep(&story::ALL, &kill(), "", 1);
    report_stories("`SIGKILL` at a system call", "strace, 11 stories", outcome);
}
