//! What becomes of what was asked for, and of marks.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::choice::{NOW, SECOND, answered, folders, later, picked, waiting};
use super::fake_disk::{FakeDisk, Traits};
use super::*;
use crate::scans::mark::{Disk, Stat};
use crate::scans::state::{Asked, Refused, State, What};

fn finish(state: &mut State, ticket: Ticket, outcome: Outcome) -> Finished {
    state.finish(SERVER, true, &[(ticket, outcome)], later(1))
}

fn note(state: &mut State, what: What) -> Ticket {
    let place = state.note(what, Reason::Changed, NOW);
    state.ticket(place, NOW)
}

fn folder(name: &str) -> What {
    What::Folder(name.to_owned())
}

fn waits(state: &State) -> Vec<What> {
    state.waiting.iter().map(|note| note.what.clone()).collect()
}

#[test]
fn what_has_changed_meanwhile_is_asked_for_again_only_if_plex_answers() {
    for (outcome, again) in [
        (answered(&["1"], &[]), 1),
        (Outcome::NoSection, 1),
        (Outcome::NotAsked(None), 0),
        (Outcome::Away { reason: "gone".to_owned(), restarted: true }, 0),
    ] {
        let mut state = State::default();
        let ticket = note(&mut state, folder("/m/a"));
        state.note(folder("/m/a"), Reason::Changed, NOW);
        assert_eq!(finish(&mut state, ticket, outcome.clone()).again.len(), again, "{outcome:?}");
        assert_eq!(waits(&state), [folder("/m/a")]);
    }
}

#[test]
fn where_the_section_that_refused_is_gone_the_folder_waits_for_another() {
    let of_two = |name: &str| What::of(name, Some("2"));
    let mut state = State::default();
    let ticket = note(&mut state, folder("/m/a"));
    finish(&mut state, ticket, answered(&["1"], &["2"]));
    let ticket = note(&mut state, of_two("/m/b"));
    finish(&mut state, ticket, Outcome::NoSection);
    assert_eq!(waits(&state), [of_two("/m/a")], "nothing was refused for the other");
    let ticket = note(&mut state, of_two("/m/a"));
    finish(&mut state, ticket, Outcome::NoSection);
    assert_eq!(waits(&state), [folder("/m/a")]);
    let ticket = note(&mut state, folder("/m/a"));
    finish(&mut state, ticket, answered(&["1"], &["2"]));
    let ticket = note(&mut state, folder("/m/a"));
    finish(&mut state, ticket, Outcome::NoSection);
    assert_eq!(waits(&state), [], "no section holds it");
}

#[test]
fn what_is_over_is_said_anew_when_it_comes_again() {
    let mut state = State::default();
    let kinds = [Kind::Away, Kind::NotSent, Kind::Refused, Kind::EmptyLocation];
    let mut said = |refused: &[&str]| {
        let first = kinds.map(|kind| state.say(SERVER, kind, NOW));
        assert!(!first.contains(&Say::Silent) || refused.is_empty());
        let ticket = note(&mut state, folder("/m/a"));
        finish(&mut state, ticket, answered(&["1"], refused));
        kinds.map(|kind| state.say(SERVER, kind, NOW) != Say::Silent)
    };
    assert_eq!(said(&["2"]), [true, true, false, false], "it is still refused");
    assert_eq!(said(&[]), [true, true, false, false]);
    let ticket = picked(&mut state, 9, &[]).remove(0);
    finish(&mut state, ticket, answered(&["2"], &[]));
    assert_ne!(state.say(SERVER, Kind::Refused, NOW), Say::Silent);
    assert_eq!(state.say(SERVER, Kind::EmptyLocation, NOW), Say::Silent);
}

#[test]
fn a_reason_is_noted_for_what_was_asked_for_alone() {
    let mut state = waiting(["/m/a".to_owned(), "/m/b".to_owned()]);
    let ticket = state.ticket(0, NOW);
    let reason = Reason::AskedAbove("/m".to_owned());
    for ticket in [ticket, Ticket::default()] {
        finish(&mut state, ticket, Outcome::NotAsked(Some(reason.clone())));
        let reasons: Vec<_> = state.waiting.iter().map(|note| note.reason.clone()).collect();
        assert_eq!(reasons, [reason.clone(), Reason::Changed]);
    }
}

#[test]
fn a_hook_picks_nothing_while_the_server_is_away() {
    let mut state = waiting(["/m/a".to_owned(), "/m/b".to_owned()]);
    let ticket = state.ticket(0, NOW);
    let away = Outcome::Away { reason: "gone".to_owned(), restarted: false };
    state.finish(SERVER, true, &[(ticket, away)], NOW);
    assert_eq!(picked(&mut state, 9, &["/m"]), []);
}

#[test]
fn a_parent_that_is_asked_for_leaves_out_the_section_that_refuses_it() {
    let mut state = waiting((0..21).map(|at| format!("/m/a/{at}")));
    let place = state.note(What::of("/m/a", Some("2")), Reason::Changed, NOW);
    state.waiting[place].refused = Some(Refused { times: 3, last: NOW });
    let tickets = picked(&mut state, 9, &["/m"]);
    assert_eq!(folders(&tickets), ["/m/a"]);
    assert_eq!(tickets[0].later, ["2"]);
}

#[test]
fn a_tree_goes_as_the_locations_in_it_or_as_itself() {
    let tree = |name: &str| What::Tree(name.to_owned());
    for (name, locations, expected) in [
        ("/a", &["/a/x", "/b"][..], &["/a/x"][..]),
        ("/m/a", &["/m"], &["/m/a"]),
        ("/m/a", &["/m/a"], &["/m/a"]),
        ("/m/a", &["/m", "/m/a/b"], &["/m/a", "/m/a/b"]),
    ] {
        let mut state = State::default();
        state.note(tree(name), Reason::Changed, NOW);
        let mut tickets = picked(&mut state, 9, locations);
        tickets.sort_by(|one, other| one.folder.cmp(&other.folder));
        assert_eq!(folders(&tickets), expected, "{name} in {locations:?}");
    }
    let mut state = State::default();
    state.note(folder("/m/a"), Reason::Changed, NOW);
    state.note(folder("/m/a/b"), Reason::Changed, NOW);
    let ticket = note(&mut state, tree("/m/a"));
    finish(&mut state, ticket, answered(&["1"], &[]));
    assert_eq!(waits(&state), [], "all below it was asked for");
}

#[test]
fn of_what_was_asked_for_the_latest_are_remembered() {
    let mut state = State::default();
    let server = state.servers.entry(SERVER.to_owned()).or_default();
    for number in 0..2_003 {
        let sent = Time(NOW.0 + i64::try_from(number).unwrap());
        server.asked.insert(format!("/m/{number}"), Asked { number, sent, mark: None });
    }
    state.tidy(later(1));
    let asked = &state.servers[SERVER].asked;
    assert_eq!(asked.len(), 2_000);
    assert!(!asked.contains_key("/m/2") && asked.contains_key("/m/3"));
}

#[test]
fn a_scene_that_came_again_waits_on_and_so_does_all_else() {
    let setup = Setup::new();
    let _ticket = setup.ask("a/1.mp4");
    setup.outbox.wait_for_stash("45", "Stash is busy");
    let first = setup.outbox.scenes().remove(0);
    setup.outbox.scene_is_known(&first, &[]);
    assert_eq!(setup.waiting().len(), 1);
    setup.outbox.wait_for_stash("45", "Stash is busy");
    setup.outbox.scene_is_known(&first, &[]);
    assert_eq!(setup.outbox.scenes().len(), 1);
}

#[test]
fn a_folder_that_is_gone_goes_with_those_that_are_gone_below_the_same() {
    let setup = Setup::new();
    setup.write("lib/b/1.mp4");
    for name in ["lib/gone/1", "lib/gone too/1", "lib/b/1.mp4"] {
        setup.hook(name);
    }
    let mut ticket = Ticket { folder: setup.path("lib/gone"), ..Ticket::default() };
    assert_eq!(setup.outbox.stand_in(SERVER, &mut ticket, &[setup.path("lib")]), StandIn::Ask);
    ticket.with.sort();
    assert_eq!(ticket.with, [setup.path("lib/gone"), setup.path("lib/gone too")]);
}

#[test]
fn who_can_not_have_the_lock_asks_for_nothing_again() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Waiting]));
    let lock = fs::File::create(setup.data.path().join("data/scans.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(setup.finish(ticket, taken()).again, []);
}

#[test]
fn times_are_those_of_the_system() {
    for seconds in [0, 1, 1_700_000_000] {
        for time in [
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            SystemTime::UNIX_EPOCH - Duration::from_secs(seconds),
        ] {
            assert_eq!(SystemTime::from(Time::from(time)), time);
        }
    }
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_900);
    assert_eq!(rfc3339(time), "2023-11-14T22:13:20Z");
}

#[test]
fn of_a_large_folder_only_the_names_are_known() {
    for (count, times, newest, at_a_look) in
        [(200, true, true, true), (201, false, true, false), (2_001, false, false, false)]
    {
        let disk = FakeDisk::new(Traits::default(), &["/m"]);
        (0..count).for_each(|number| disk.write(&format!("/m/{number}"), None));
        let mark = Mark::take(&disk, Path::new("/m"), true).unwrap();
        assert_eq!((mark.times.is_some(), mark.newest.is_some()), (times, newest), "{count}");
        let look = Mark::take(&disk, Path::new("/m"), false).unwrap();
        assert_eq!(look.newest.is_some(), at_a_look, "{count}");
    }
}

/// A folder with one file, and an error for all else.
struct Broken(ErrorKind);

impl Disk for Broken {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let time = Time(5 * SECOND);
        let stat = Stat { device: 1, inode: 1, modified: time, changed: time };
        if path == Path::new("/m") { Ok(stat) } else { Err(self.0.into()) }
    }

    fn names(&self, _: &Path, each: &mut dyn FnMut(&OsStr) -> bool) -> io::Result<()> {
        each(OsStr::new("file"));
        Ok(())
    }
}

#[test]
fn what_can_not_be_looked_at_is_not_taken_for_missing() {
    for (error, is_missing) in [
        (ErrorKind::NotFound, true),
        (ErrorKind::NotADirectory, true),
        (ErrorKind::PermissionDenied, false),
        (ErrorKind::TimedOut, false),
    ] {
        let take = |folder: &str| Mark::take(&Broken(error), Path::new(folder), true);
        assert_eq!(take("/m/a/b").map(|mark| mark.above), is_missing.then_some(2), "{error}");
        assert_eq!(take("/m").unwrap().newest.is_some(), is_missing, "{error}");
    }
    let mark = Mark::take(&Broken(ErrorKind::NotFound), Path::new("/m/a/b"), true).unwrap();
    let written = serde_json::to_string(&mark).unwrap();
    assert_eq!(serde_json::from_str::<Mark>(&written).unwrap(), mark);
}
