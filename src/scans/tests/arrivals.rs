//! What a call is told: to ask, to wait, to skip, and whether more waits.

use super::choice::{NOW, answered, later, waiting};
use super::*;
use crate::scans::mark::{Look, Stat};
use crate::scans::state::{Asked, State, What};
use crate::scans::store::Kept;

fn arrival(setup: &Setup, file: &str) -> Arrival {
    let (folder, _) = file.rsplit_once('/').unwrap();
    let folders = vec![Changed { folder: setup.path(folder), files: vec![setup.path(file)] }];
    Arrival { server: Some(SERVER.to_owned()), folders, hook: true, ..Arrival::default() }
}

fn away() -> Outcome {
    Outcome::Away { reason: "gone".to_owned(), restarted: false }
}

#[test]
fn only_a_hook_that_asks_for_nothing_special_is_skipped() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, taken());
    setup.wait(10);
    let hook = || arrival(&setup, "a/1.mp4");
    assert!(matches!(setup.outbox.arrive(&hook()).folders[..], [Verdict::Skipped]));
    for asks in [
        Arrival { fresh: true, ..hook() },
        Arrival { hook: false, ..hook() },
        Arrival { section: Some("1".to_owned()), ..hook() },
    ] {
        let arrived = setup.outbox.arrive(&asks);
        assert!(matches!(arrived.folders[..], [Verdict::Ask(_)]), "{asks:?}");
    }
}

#[test]
fn who_is_no_hook_asks_whatever_is_known_of_the_server() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, away());
    let call = Arrival { hook: false, ..arrival(&setup, "a/1.mp4") };
    let arrived = setup.outbox.arrive(&call);
    assert!(matches!(arrived.folders[..], [Verdict::Ask(_)]));
    assert_eq!((arrived.away, arrived.say), (None, None));
    assert_eq!(setup.outbox.arrive(&Arrival { server: None, ..call }).say, None);
}

#[test]
fn a_call_is_told_whether_more_waits() {
    let setup = Setup::new();
    for name in ["b/1.mp4", "c/1.mp4", "d/1.mp4"] {
        setup.write(name);
    }
    let more = |file: &str| setup.hook(file).more;
    let known = setup.ask("a/1.mp4");
    assert!(!more("b/1.mp4"), "what is asked for now does not wait");
    setup.finish(known, taken());
    setup.wait(40);
    assert!(more("a/1.mp4"), "a skipped hook sends what another left");
    assert!(more("c/1.mp4"));
    setup.outbox.was_slow(SERVER);
    assert!(!more("a/1.mp4"));
    setup.wait(61);
    assert!(more("a/1.mp4"));
    setup.outbox.went_away(SERVER, "gone", false);
    assert!(!more("a/1.mp4"), "a hook that is skipped does not try a server that is away");
    assert!(matches!(setup.hook("d/1.mp4").folders[..], [Verdict::Waiting]));
    setup.wait(61);
    assert!(more("a/1.mp4"));
    let arrived = setup.hook("d/1.mp4");
    assert!(matches!(arrived.folders[..], [Verdict::Ask(_)]));
    assert!(arrived.more, "who tries the server sends the rest, too");
}

#[test]
fn a_server_that_has_answered_anything_is_there() {
    let setup = Setup::new();
    let mut said = [true, false].map(|is_away| {
        let ticket = setup.ask("a/1.mp4");
        let say = setup.finish(ticket, away()).say[&Kind::Away];
        if is_away {
            setup.outbox.answered(SERVER);
        }
        say
    });
    assert_eq!(said, [Say::Now { silent: 0 }; 2]);
    setup.outbox.answered(SERVER);
    let no_section = [(); 2].map(|()| {
        let ticket = setup.ask("a/1.mp4");
        setup.outbox.answered(SERVER);
        setup.finish(ticket, Outcome::NoSection).say[&Kind::NoSection]
    });
    said = no_section;
    assert_eq!(said, [Say::Now { silent: 0 }, Say::Silent]);
}

/// Times of a FAT disk are even seconds.
#[test]
fn what_is_two_seconds_older_than_its_request_may_have_changed_after_it() {
    let at = |time| Stat { device: 1, inode: 1, modified: time, changed: time };
    let mark = |newest, time| Mark { above: 0, stat: at(time), names: 7, times: None, newest };
    for (newest, folder, file, is_known) in [
        (Some(NOW), later(-9), NOW, false),
        (Some(later(-1)), later(-9), later(-1), true),
        (Some(later(-1)), NOW, later(-1), false),
        (Some(later(-1)), later(-1), later(-1), true),
        (None, later(-99), later(-58), false),
        (None, later(-99), later(-59), true),
    ] {
        let mark = mark(newest, folder);
        let asked = Asked { number: 1, sent: later(2), mark: Some(mark.clone()) };
        let mut state = State::default();
        let server = state.servers.entry(SERVER.to_owned()).or_default();
        server.asked.insert("/m/a".to_owned(), asked);
        let look = Look { mark, file };
        assert_eq!(state.is_known(SERVER, "/m/a", Some(&look), later(3)), is_known, "{look:?}");
    }
}

#[test]
fn a_reason_stays_until_there_is_another() {
    let mut state = waiting(["/m/a".to_owned()]);
    let mut note = |reason: Reason| {
        let place = state.note(What::Folder("/m/a".to_owned()), reason, NOW);
        state.waiting[place].reason.clone()
    };
    let away = Reason::Away("gone".to_owned());
    assert_eq!(note(away.clone()), away);
    assert_eq!(note(Reason::Changed), away);
    assert_eq!(note(Reason::MayBeLost), Reason::MayBeLost);
}

#[test]
fn a_call_whose_notes_are_lost_asks_for_all_if_it_has_a_server() {
    for (kept, server, asks) in [
        (Kept::Lost, Some(SERVER), true),
        (Kept::Lost, None, false),
        (Kept::Aside, Some(SERVER), false),
    ] {
        let setup = Setup::new();
        let section = Some("2".to_owned());
        let server = server.map(str::to_owned);
        let arrival = Arrival { server, section: section.clone(), ..arrival(&setup, "a/1.mp4") };
        let folders = vec![Verdict::Waiting];
        let (away, say, sweep) = (None, None, Sweep::default());
        let arrived = Arrived { folders, away, say, more: true, sweep };
        let arrived = arrived.if_kept(kept, &arrival, 5);
        assert!(!arrived.more);
        match &arrived.folders[0] {
            Verdict::Ask(ticket) => assert!(asks && ticket.section == section),
            verdict => assert!(!asks, "{verdict:?}"),
        }
    }
}

#[test]
fn a_request_is_for_its_folder_and_those_that_are_gone_with_it() {
    let mut state = waiting(["/m/a".to_owned(), "/m/a/b".to_owned(), "/m/c".to_owned()]);
    let mut ticket = state.ticket(0, NOW);
    ticket.with = vec!["/m/c".to_owned()];
    let other = |folder: &str, section: Option<&str>| {
        let (folder, section) = (folder.to_owned(), section.map(str::to_owned));
        Ticket { folder, section, ..Ticket::default() }
    };
    assert!(ticket.is_for_other(&other("/m/c", None)));
    assert!(!ticket.is_for_other(&other("/m/c", Some("1"))));
    assert!(!ticket.is_for_other(&other("/m/d", None)));
    let of_section = Ticket { with: ticket.with.clone(), ..other("/m/a", Some("1")) };
    assert!(!of_section.is_for_other(&other("/m/c", None)));
    state.finish(SERVER, true, &[(ticket, answered(&["1"], &[]))], later(1));
    let left: Vec<_> = state.waiting.iter().filter_map(|note| note.what.folder()).collect();
    assert_eq!(left, ["/m/a/b"]);
}
