//! What Plex's answer means for what waits.

use super::choice::{NOW, SECOND, answered, later, picked, waiting};
use super::*;
use crate::scans::state::What;

#[test]
fn a_section_that_refuses_waits_alone_and_from_the_third_time_on_for_an_hour() {
    let mut state = waiting(["/m/a".to_owned()]);
    let mut now = NOW;
    let pick = Pick { server: SERVER.to_owned(), most: 9, hook: true, locations: Vec::new() };
    for time in 1..=4 {
        let mut tickets = state.pick(&pick, &mut Sweep::default(), now);
        let ticket = tickets.pop().unwrap();
        assert_eq!(ticket.section.as_deref(), (time > 1).then_some("2"));
        let taken = if time > 1 { &[][..] } else { &["1"] };
        let finished = state.finish(SERVER, true, &[(ticket, answered(taken, &["2"]))], now);
        assert_eq!(finished.again, []);
        assert_eq!(state.waiting[0].what, What::of("/m/a", Some("2")));
        now = Time(now.0 + if time < 3 { SECOND } else { 3_601 * SECOND });
        if time == 3 {
            let soon = Time(now.0 - 10 * SECOND);
            assert_eq!(state.pick(&pick, &mut Sweep::default(), soon), []);
            let place = state.note(What::of("/m/a", None), Reason::Changed, soon);
            // The folder's next hook leaves that section out, and what waits for it stays.
            let ticket = state.ticket(place, soon);
            assert_eq!(ticket.later, ["2"]);
            state.finish(SERVER, true, &[(ticket, answered(&["1"], &[]))], soon);
            assert_eq!(state.waiting.len(), 1);
        }
    }
    // After thirty days one more refusal is the last.
    let month = Time(now.0 + 31 * 24 * 3_600 * SECOND);
    let ticket = state.pick(&pick, &mut Sweep::default(), month).pop().unwrap();
    state.finish(SERVER, true, &[(ticket, answered(&[], &["2"]))], month);
    assert_eq!(state.waiting, []);
}

#[test]
fn a_request_for_one_section_takes_out_nothing_of_others() {
    let mut state = waiting(["/m/a".to_owned()]);
    let place = state.note(What::of("/m/a", Some("2")), Reason::Changed, NOW);
    let ticket = state.ticket(place, NOW);
    state.finish(SERVER, false, &[(ticket, answered(&["2"], &[]))], NOW);
    assert_eq!(state.waiting.len(), 1);
    assert_eq!(state.waiting[0].what, What::of("/m/a", None));
    assert!(state.servers[SERVER].asked.is_empty());
}

#[test]
fn what_was_asked_for_shortly_before_plex_went_away_waits_again() {
    let mut state = waiting(["/m/a".to_owned(), "/m/b".to_owned(), "/m/c".to_owned()]);
    let mut tickets = picked(&mut state, 9, &[]);
    let mut last = tickets.pop().unwrap();
    for (ticket, sent) in tickets.iter_mut().zip([-70, -50]) {
        ticket.sent = Some(later(sent));
    }
    let done: Vec<_> = tickets.into_iter().map(|it| (it, answered(&["1"], &[]))).collect();
    state.finish(SERVER, true, &done, NOW);
    last.sent = Some(NOW);
    let away = Outcome::Away { reason: "gone".to_owned(), restarted: true };
    state.finish(SERVER, true, &[(last, away)], NOW);
    let mut waits: Vec<_> = state.waiting.iter().filter_map(|note| note.what.folder()).collect();
    waits.sort_unstable();
    assert_eq!(waits, ["/m/b", "/m/c"]);
    assert!(!state.servers[SERVER].asked.contains_key("/m/b"), "it would be skipped");
}

#[test]
fn of_two_requests_the_later_sent_one_counts() {
    let mut state = waiting(["/m/a".to_owned()]);
    let mut first = state.ticket(0, NOW);
    let mut second = state.ticket(0, NOW);
    (first.sent, second.sent) = (Some(later(1)), Some(later(2)));
    state.finish(SERVER, true, &[(second, answered(&["1"], &[]))], later(3));
    state.finish(SERVER, true, &[(first, answered(&["1"], &[]))], later(4));
    assert_eq!(state.servers[SERVER].asked["/m/a"].sent, later(2));
}

#[test]
fn an_old_answer_of_a_section_takes_out_no_newer_refusal() {
    let mut state = waiting(["/m/a".to_owned()]);
    let first = state.ticket(0, NOW);
    state.finish(SERVER, true, &[(first, answered(&["1"], &["2"]))], NOW);
    let part = picked(&mut state, 9, &[]).remove(0);
    // It was sent; then the folder changes once more, and the section refuses that.
    let place = state.note(What::of("/m/a", None), Reason::Changed, NOW);
    let whole = state.ticket(place, NOW);
    state.finish(SERVER, true, &[(whole, answered(&["1"], &["2"]))], NOW);
    state.finish(SERVER, true, &[(part, answered(&["2"], &[]))], NOW);
    assert_eq!(state.waiting[0].what, What::of("/m/a", Some("2")));
}
