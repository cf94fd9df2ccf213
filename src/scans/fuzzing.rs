//! Entry points for fuzzers: `scans.json`.

use super::call::{Arrival, Changed, Outcome, Sweep, Verdict};
use super::pick::Pick;
use super::state::State;
use super::time::Time;

/// What became of a folder that changed, in a state that a file held.
#[derive(Debug)]
pub struct Course {
    /// It was in the file before it was asked for.
    pub is_noted: bool,
    /// It is not after Plex has taken all there was.
    pub is_taken: bool,
    /// The file could be read again, with the same meaning.
    pub is_kept: bool,
}

/// A hook and a task at `now`, in nanoseconds since 1970; `None` if the file is begun anew.
pub fn course(bytes: &[u8], now: i64) -> Option<Course> {
    const FOLDER: &str = "/media/changed";
    let (mut state, now) = (State::from_bytes(bytes).ok()?, Time(now));
    let arrival = Arrival {
        server: Some("http://plex:32400".to_owned()),
        folders: vec![Changed { folder: FOLDER.to_owned(), files: Vec::new() }],
        ..Arrival::default()
    };
    let server = arrival.server.clone().unwrap_or_default();
    let arrived = state.arrive(&arrival, &[None], now);
    let waits = |state: &State| state.folders_below(FOLDER).any(|folder| folder == FOLDER);
    let is_noted = waits(&state);
    state.tidy(now);
    let read = State::from_bytes(&state.to_bytes());
    let is_kept = read.is_ok_and(|read| read == state);
    let ticket = |verdict| match verdict {
        Verdict::Ask(ticket) => Some(ticket),
        Verdict::Skipped | Verdict::Waiting => None,
    };
    let mut tickets: Vec<_> = arrived.folders.into_iter().filter_map(ticket).collect();
    let locations = vec!["/media".to_owned()];
    let pick = Pick { server: server.clone(), most: usize::MAX, hook: false, locations };
    let mut sweep = Sweep::default();
    tickets.extend(state.pick(&pick, &mut sweep, now));
    let taken = |section: Option<String>| section.into_iter().chain(["1".to_owned()]).collect();
    let outcome = |section| Outcome::Answered { taken: taken(section), refused: Vec::new() };
    let done: Vec<_> = tickets.into_iter().map(|it| (it.section.clone(), it)).collect();
    let done: Vec<_> = done.into_iter().map(|(section, it)| (it, outcome(section))).collect();
    let again = state.finish(&server, false, &done, now).again;
    let is_whole = |note: &super::state::Note| {
        note.what.folder() == Some(FOLDER) && note.what.section().is_none()
    };
    let is_taken = again.is_empty() && !state.waiting.iter().any(is_whole);
    Some(Course { is_noted, is_taken, is_kept })
}
