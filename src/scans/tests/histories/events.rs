//! What happens in a history: to the disk, to Plex, to the clock and to calls.

use super::*;

/// One thing that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Change {
        how: How,
        folder: usize,
        file: usize,
        late: i64,
    },
    Wait(i64),
    /// A call goes one step further.
    Step(usize),
    /// A call goes on until its request was answered, and has not written that down yet.
    Send(usize),
    /// All calls go on to their ends.
    Run,
    Kill(usize),
    /// Plex goes, or comes back.
    Away(bool),
    /// The section refuses, or no longer does.
    Refuse(usize, bool),
    Clock(i64),
    Mount(bool),
    /// A call with no folder of its own.
    Task,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Create,
    CopyOld,
    InPlace,
    Rename,
    Delete,
    Move,
    RemoveFolder,
    Replace,
}

pub(super) fn events(traits: Traits) -> impl Strategy<Value = Vec<Event>> {
    use How::*;
    let how = prop::sample::select(vec![
        Create,
        Create,
        CopyOld,
        CopyOld,
        InPlace,
        InPlace,
        Rename,
        Delete,
        Move,
        RemoveFolder,
        Replace,
    ]);
    let late = prop_oneof![6 => Just(0), 3 => 0..5_000_i64, 1 => 0..400_000_i64];
    let change = (how, 0..FOLDERS.len(), 0..3_usize, late)
        .prop_map(|(how, folder, file, late)| Event::Change { how, folder, file, late });
    let wait = prop_oneof![
        2 => 1..100_i64,
        6 => 100..10_000_i64,
        2 => 10_000..100_000_i64,
        1 => 100_000..700_000_i64,
    ];
    let clock = (30_000..4_000_000_i64, any::<bool>())
        .prop_map(|(step, back)| Event::Clock(if back { -step } else { step }));
    let clock = if traits.clock_steps { clock.boxed() } else { Just(Event::Run).boxed() };
    let event = prop_oneof![
        20 => change,
        16 => wait.prop_map(Event::Wait),
        16 => any::<usize>().prop_map(Event::Step),
        12 => any::<usize>().prop_map(Event::Send),
        12 => Just(Event::Run),
        3 => any::<usize>().prop_map(Event::Kill),
        3 => prop::bool::weighted(0.3).prop_map(Event::Away),
        2 => (0..2_usize, prop::bool::weighted(0.3)).prop_map(|(section, on)| Event::Refuse(section, on)),
        2 => prop::bool::weighted(0.7).prop_map(Event::Mount),
        1 => Just(Event::Task),
        3 => clock,
    ];
    prop::collection::vec(event, 4..60)
}
