//! What is picked of what waits, and what goes in the place of what.

use super::*;
use crate::scans::state::{Sections, State, What};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const NOW: Time = Time(1_700_000_000 * SECOND);

pub(super) fn waiting(folders: impl IntoIterator<Item = String>) -> State {
    let mut state = State::default();
    for folder in folders {
        state.note(What::Folder(folder), Reason::Changed, NOW);
    }
    state
}

pub(super) fn picked(state: &mut State, most: usize, locations: &[&str]) -> Vec<Ticket> {
    let locations = locations.iter().map(|location| (*location).to_owned()).collect();
    let pick = Pick { server: SERVER.to_owned(), most, hook: true, locations };
    state.pick(&pick, &mut Sweep::default(), NOW)
}

pub(super) fn folders(tickets: &[Ticket]) -> Vec<&str> {
    tickets.iter().map(|ticket| ticket.folder.as_str()).collect()
}

pub(super) fn answered(taken: &[&str], refused: &[&str]) -> Outcome {
    Outcome::Answered {
        taken: taken.iter().map(|key| (*key).to_owned()).collect(),
        refused: refused.iter().map(|key| ((*key).to_owned(), "no".to_owned())).collect(),
    }
}

pub(super) fn later(seconds: i64) -> Time {
    Time(NOW.0 + seconds * SECOND)
}

#[test]
fn many_below_one_parent_go_as_the_parent_but_never_above_a_location() {
    let below = |root: &'static str, count: usize| (0..count).map(move |at| format!("{root}/{at}"));
    for (count, root, locations, expected) in [
        (20, "/m/a", &["/m"][..], 20),
        (21, "/m/a", &["/m"], 1),
        // The location itself is a whole library.
        (21, "/m", &["/m"], 21),
        (1_000, "/m", &["/m"], 1_000),
        (1_001, "/m", &["/m"], 1),
        // Above a location nobody would look.
        (21, "/m", &["/m/1", "/m/2"], 21),
        (21, "/m/a", &["/m", "/m/a/7"], 21),
        (21, "/m/a", &["/m", "/m/b"], 1),
        (21, r"\\nas\media", &[r"\\nas\media"], 21),
        (21, r"D:\media", &[r"D:\"], 1),
    ] {
        let mut state = waiting(below(root, count));
        let tickets = picked(&mut state, 5_000, locations);
        assert_eq!(tickets.len(), expected, "{count} below {root} in {locations:?}");
        if expected == 1 {
            assert_eq!(folders(&tickets), [root]);
            let done: Vec<_> = tickets.into_iter().map(|it| (it, answered(&["1"], &[]))).collect();
            state.finish(SERVER, true, &done, NOW);
            assert_eq!(state.waiting, []);
        }
    }
}

#[test]
fn a_change_below_a_parent_that_is_asked_for_waits_on() {
    let mut state = waiting((0..21).map(|at| format!("/m/a/{at}")));
    let tickets = picked(&mut state, 50, &["/m"]);
    state.note(What::Folder("/m/a/7".to_owned()), Reason::Changed, NOW);
    state.note(What::Folder("/m/a/new".to_owned()), Reason::Changed, NOW);
    let done: Vec<_> = tickets.into_iter().map(|it| (it, answered(&["1"], &[]))).collect();
    let again = state.finish(SERVER, true, &done, NOW).again;
    assert_eq!(folders(&again), ["/m/a/7"]);
    assert_eq!(state.waiting.len(), 2);
}

#[test]
fn the_oldest_come_first_and_each_once() {
    let mut state = State::default();
    for (folder, since) in [("/m/b", 5), ("/m/a", 1), ("/m/future", 1_000), ("/m/c", 9)] {
        state.note(What::Folder(folder.to_owned()), Reason::Changed, later(since - 10));
    }
    assert_eq!(folders(&picked(&mut state, 3, &["/m"])), ["/m/a", "/m/b", "/m/c"]);
    assert_eq!(folders(&picked(&mut state, 3, &["/m"])), ["/m/future"]);
    assert_eq!(picked(&mut state, 3, &["/m"]), []);
}

#[test]
fn a_claim_ends_after_thirty_seconds() {
    let mut state = waiting(["/m/a".to_owned()]);
    let lost = picked(&mut state, 9, &[]);
    let pick = Pick { server: SERVER.to_owned(), most: 9, ..Pick::default() };
    assert_eq!(state.pick(&pick, &mut Sweep::default(), later(29)), []);
    let second = state.pick(&pick, &mut Sweep::default(), later(31));
    assert_eq!(folders(&second), ["/m/a"]);
    // The one that was so slow takes out what was noted before it was sent, and asks for nothing.
    state.note(What::Folder("/m/a".to_owned()), Reason::Changed, later(32));
    let done: Vec<_> = lost.into_iter().map(|it| (it, answered(&["1"], &[]))).collect();
    assert_eq!(state.finish(SERVER, true, &done, later(33)), Finished::default());
    assert_eq!(state.waiting.len(), 1);
}

#[test]
fn what_is_more_than_ten_thousand_becomes_its_common_parents() {
    let mut state = waiting((0..10_050).map(|at| format!("/m/{}/{at}", at / 100)));
    state.note(What::Scene("1".to_owned()), Reason::Changed, NOW);
    state.tidy(NOW);
    assert!(state.waiting.len() <= 10_000);
    let trees: Vec<_> =
        state.waiting.iter().filter(|note| matches!(note.what, What::Tree(_))).collect();
    assert_eq!(trees.len(), 1);
    assert!(state.waiting.iter().any(|note| note.what == What::Scene("1".to_owned())));
    // A parent above locations goes as those.
    let mut state = State::default();
    state.note(What::Tree("/".to_owned()), Reason::Changed, NOW);
    let mut tickets = picked(&mut state, 9, &["/a", "/b/c"]);
    tickets.sort_by(|one, other| one.folder.cmp(&other.folder));
    assert_eq!(folders(&tickets), ["/a", "/b/c"]);
    // All the way up, if need be.
    let mut state = waiting((0..10_050).map(|at| format!("/{at}/{at}/{at}")));
    state.tidy(NOW);
    assert!(state.waiting.len() <= 10_000);
}

#[test]
fn a_scene_waits_by_its_id_until_stash_tells_its_folders() {
    let setup = Setup::new();
    assert_eq!(setup.outbox.wait_for_stash("45", "Stash is busy"), Say::Now { silent: 0 });
    assert_eq!(setup.outbox.wait_for_stash("45", "Stash is busy"), Say::Silent);
    let scene = setup.outbox.scenes().remove(0);
    assert_eq!(scene.id, "45");
    setup.outbox.scene_is_known(&scene, &["/m/a".to_owned(), "/m/b".to_owned()]);
    let waits: Vec<_> = setup.waiting().into_iter().map(|(what, _)| what).collect();
    assert_eq!(waits, ["/m/a", "/m/b"].map(|folder| Waits::Folder(folder.to_owned())));
    assert_eq!(setup.outbox.forget(), 2);
    assert_eq!(setup.waiting(), []);
}

#[test]
fn an_unconfigured_server_lets_everything_wait() {
    let setup = Setup::new();
    let changed = Changed { folder: setup.path("a"), files: Vec::new() };
    let no_server = "no Plex server is configured".to_owned();
    let folders = vec![changed];
    let arrival = Arrival { folders, no_server, hook: true, ..Arrival::default() };
    for say in [Say::Now { silent: 0 }, Say::Silent] {
        let arrived = setup.outbox.arrive(&arrival);
        assert!(matches!(arrived.folders[..], [Verdict::Waiting]));
        assert_eq!((arrived.say, arrived.more), (Some(say), false));
    }
    let reason = "no Plex server is configured".to_owned();
    assert_eq!(setup.waiting(), [(Waits::Folder(setup.path("a")), reason)]);
}

#[test]
fn the_nearest_folder_above_stands_in_for_one_that_is_gone() {
    let setup = Setup::new();
    setup.write("lib/b/1.mp4");
    fs::create_dir_all(setup.disk.path().join("empty")).unwrap();
    let locations = [
        setup.path("lib"),
        setup.path("empty"),
        setup.path("away/lib"),
        "/of another machine/lib".to_owned(),
    ];
    let ticket = |folder: &str| Ticket { folder: setup.path(folder), ..Ticket::default() };
    let stand_in = |ticket: &mut Ticket| setup.outbox.stand_in(SERVER, ticket, &locations);
    for (folder, target) in [
        ("lib/b", "lib/b"),
        ("lib/b/gone/deep", "lib/b"),
        ("elsewhere/gone", "elsewhere/gone"),
        ("elsewhere/lib/x", "elsewhere/lib/x"),
        ("lib/gone", "lib"),
    ] {
        let mut ticket = ticket(folder);
        assert_eq!(stand_in(&mut ticket), StandIn::Ask, "{folder}");
        assert_eq!(ticket.target(), setup.path(target), "{folder}");
    }
    let asked = Reason::AskedAbove(setup.path("lib"));
    assert_eq!(stand_in(&mut ticket("lib/gone too")), StandIn::Wait(asked, None));
    setup.wait(61);
    assert_eq!(stand_in(&mut ticket("lib/gone too")), StandIn::Ask);
    let empty = Reason::EmptyLocation(setup.path("empty"));
    let wait = StandIn::Wait(empty, Some(Say::Now { silent: 0 }));
    assert_eq!(stand_in(&mut ticket("empty/a/b")), wait);
    let away = Reason::EmptyLocation(setup.path("away/lib"));
    for folder in ["away/lib/a/b", "away/lib"] {
        let wait = stand_in(&mut ticket(folder));
        assert_eq!(wait, StandIn::Wait(away.clone(), Some(Say::Silent)), "{folder}");
    }
    let folder = "/of another machine/lib/a".to_owned();
    let mut foreign = Ticket { folder, ..Ticket::default() };
    assert_eq!(stand_in(&mut foreign), StandIn::Ask, "no `path_map` leads to it");
}

#[test]
fn sections_are_good_for_five_minutes() {
    let setup = Setup::new();
    let section =
        Section { key: "1".to_owned(), kind: String::new(), locations: vec!["/m".to_owned()] };
    setup.outbox.keep_sections(SERVER, vec![section.clone()]);
    assert_eq!(setup.outbox.sections(SERVER).unwrap().1, [section]);
    assert_eq!(setup.outbox.sections("http://another"), None);
    setup.wait(301);
    assert_eq!(setup.outbox.sections(SERVER), None);
    let mut state = State::default();
    let sections = Some(Sections { read: NOW, list: Vec::new() });
    state.servers.entry(SERVER.to_owned()).or_default().sections = sections;
    state.tidy(later(301));
    assert!(state.servers.is_empty());
}

#[test]
fn a_folder_that_goes_before_it_is_asked_for_has_no_mark() {
    let setup = Setup::new();
    for (is_there, has_mark) in [(true, true), (false, false)] {
        let mut ticket = Ticket { folder: setup.path("a"), ..Ticket::default() };
        let locations = [setup.path("")];
        assert_eq!(setup.outbox.stand_in(SERVER, &mut ticket, &locations), StandIn::Ask);
        if !is_there {
            fs::remove_dir_all(setup.path("a")).unwrap();
        }
        setup.outbox.look(&mut ticket);
        assert_eq!(ticket.mark.is_some(), has_mark);
    }
}
