//! Random histories: whatever changes, is killed, is away or goes wrong, Plex has seen every folder as it is when all
//! is well again and one task has run.

mod call;
mod events;
mod fake_plex;
mod world;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::call::{Asking, Call};
use self::events::{Event, How, events};
use self::fake_plex::FakePlex;
use self::world::World;
use super::SERVER;
use super::fake_disk::{Content, FakeDisk, MILLISECOND, SECOND, Traits, parent};
use crate::scans::pick::is_within;
use crate::scans::time::Time;
use crate::scans::*;

const FOLDERS: [&str; 3] = ["/m/a", "/m/b", "/m/b/c"];
/// The sections and their one location each.
const SECTIONS: [(&str, &str); 2] = [("1", "/m"), ("2", "/m/b")];

fn live(traits: Traits, events: &[Event]) -> Result<usize, String> {
    let mut world = World::new(traits);
    events.iter().for_each(|event| world.happen(event));
    world.end().map(|()| world.plex.requests)
}

const LOCAL: Traits =
    Traits { offset: None, step: 0, no_ctime: false, still: false, clock_steps: false };

const KINDS: [(&str, Traits); 7] = [
    ("local", LOCAL),
    ("20 s behind", Traits { offset: Some(-20 * SECOND), ..LOCAL }),
    ("20 s ahead", Traits { offset: Some(20 * SECOND), ..LOCAL }),
    ("2 s steps", Traits { step: 2 * SECOND, ..LOCAL }),
    ("no ctime", Traits { no_ctime: true, ..LOCAL }),
    ("clock steps", Traits { clock_steps: true, ..LOCAL }),
    ("times stand still", Traits { still: true, ..LOCAL }),
];

/// The time of the request is in the future only until the clock has caught up.
#[test]
fn a_clock_that_was_set_back_and_has_caught_up_loses_nothing() {
    use Event::{Change, Clock, Run, Wait};
    let (folder, file) = (0, 0);
    let asked = [Change { how: How::Create, folder, file, late: 5_000 }, Wait(6_000), Run];
    let change = Change { how: How::InPlace, folder, file, late: 350_000 };
    let events = [&asked[..], &[Clock(-300_000), change, Wait(360_000), Run]].concat();
    live(LOCAL, &events).unwrap();
}

/// Plex sees it when it looks at the folder above; by names and times nothing has happened. Where a folder's times stand
/// still, nobody can tell.
#[test]
fn a_file_that_comes_and_goes_within_a_step_of_a_disk_s_clock_is_not_lost() {
    use Event::{Change, Run};
    let change = |how, folder, file, late| Change { how, folder, file, late };
    let delete = || change(How::Delete, 2, 0, 0);
    let come = change(How::Create, 2, 0, 399_000);
    let events = [delete(), Run, come, change(How::Create, 1, 1, 0), Run, delete(), Run];
    for (name, traits) in KINDS.into_iter().filter(|(_, traits)| !traits.still) {
        live(traits, &events).unwrap_or_else(|lost| panic!("{name}: {lost}"));
    }
}

#[test]
fn no_history_loses_a_change() {
    for (name, traits) in KINDS {
        let cases = variable("HISTORIES").unwrap_or(40);
        let (failure_persistence, max_shrink_iters) = (None, 4_000);
        let config = Config { cases, failure_persistence, max_shrink_iters, ..Config::default() };
        let mut runner = TestRunner::new(config);
        let outcome = runner.run(&events(traits), |events| {
            live(traits, &events).map(drop).map_err(TestCaseError::fail)
        });
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// What a person who runs this has set.
#[expect(clippy::disallowed_methods, reason = "no option of the program")]
fn variable(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many of `HISTORIES` lose a change, by kind of disk: to see what a rule is for, take it out and run this.
#[test]
#[ignore = "a table for people"]
fn table_of_losses() {
    let histories = variable("HISTORIES").unwrap_or(1000) as usize;
    let seed = [u8::try_from(variable("SEED").unwrap_or(11)).unwrap(); 32];
    let shows = variable("SHOW").is_some();
    for (name, traits) in KINDS {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let (mut lost, mut requests, mut shortest) = (0, 0, None::<(usize, String)>);
        for _ in 0..histories {
            let events = events(traits).new_tree(&mut runner).unwrap().current();
            match live(traits, &events) {
                Ok(asked) => requests += asked,
                Err(reason) => {
                    lost += 1;
                    if shortest.as_ref().is_none_or(|(length, _)| *length > events.len()) {
                        shortest = Some((events.len(), format!("{reason}\n{events:?}")));
                    }
                }
            }
        }
        println!("{name}: {lost} of {histories} lost, {} requests each", requests / histories);
        if let Some((_, shortest)) = shortest.filter(|_| shows) {
            println!("{shortest}");
        }
    }
}
