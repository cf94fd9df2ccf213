//! Random histories: whatever changes, is killed, is away or goes wrong, Plex has seen every folder as it is when all
//! is well again and one task has run.
//!
//! The calls here are made as the documentation of the room tells real ones to make them.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::fake_disk::{Content, FakeDisk, MILLISECOND, SECOND, Traits, parent};
use crate::scans::pick::is_within;
use crate::scans::time::Time;
use crate::scans::*;

const SERVER: &str = "http://plex:32400";
const FOLDERS: [&str; 3] = ["/m/a", "/m/b", "/m/b/c"];
/// The sections and their one location each.
const SECTIONS: [(&str, &str); 2] = [("1", "/m"), ("2", "/m/b")];

/// One thing that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Event {
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
enum How {
    Create,
    CopyOld,
    InPlace,
    Rename,
    Delete,
    Move,
    RemoveFolder,
    Replace,
}

fn events(traits: Traits) -> impl Strategy<Value = Vec<Event>> {
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

/// Plex as it should know the disk.
#[derive(Default)]
struct FakePlex {
    is_away: bool,
    refuses: [bool; 2],
    seen: BTreeMap<(usize, String), Content>,
    requests: usize,
    /// It was told to look at a library whose disk is away.
    was_emptied: bool,
}

impl FakePlex {
    /// A status; `None` for no answer.
    fn refresh(&mut self, disk: &FakeDisk, section: usize, folder: &str) -> Option<u16> {
        if self.is_away {
            return None;
        }
        self.requests += 1;
        if self.refuses[section] {
            return Some(403);
        }
        self.was_emptied |= !disk.is_mounted() && folder == "/m";
        // What does not exist is not looked at.
        if disk.is_mounted() && disk.exists(folder) {
            self.look(disk, section, folder);
        }
        Some(200)
    }

    fn look(&mut self, disk: &FakeDisk, section: usize, root: &str) {
        let location = SECTIONS[section].1;
        let is_seen = |folder: &str| is_within(folder, root) && is_within(folder, location);
        self.seen.retain(|(of, folder), _| *of != section || !is_seen(folder));
        for folder in disk.folders().into_iter().filter(|folder| is_seen(folder)) {
            let content = disk.content(&folder);
            if !content.is_empty() {
                self.seen.insert((section, folder), content);
            }
        }
    }
}

/// A call in Stash, between two of its steps.
#[expect(clippy::large_enum_variant, reason = "there are few")]
enum Call {
    Hook {
        folder: String,
        file: String,
    },
    Task,
    /// It has these to send; `asking` is on its way, to the sections that are left.
    Sends {
        hook: bool,
        more: bool,
        sweep: Sweep,
        queue: VecDeque<Ticket>,
        asking: Option<Asking>,
    },
}

impl Call {
    fn is_asking(&self) -> bool {
        matches!(self, Self::Sends { asking: Some(_), .. })
    }

    fn is_sent(&self) -> bool {
        matches!(self, Self::Sends { asking: Some(asking), .. } if asking.sections.is_empty())
    }
}

struct Asking {
    ticket: Ticket,
    is_marked: bool,
    sections: Vec<usize>,
    taken: Vec<String>,
    refused: Vec<(String, String)>,
}

struct World {
    disk: Arc<FakeDisk>,
    plex: FakePlex,
    outbox: Outbox,
    calls: Vec<Call>,
    /// When hooks begin, by the true time.
    due: Vec<(i64, String, String)>,
    _data: tempfile::TempDir,
}

impl World {
    fn new(traits: Traits) -> Self {
        let disk = Arc::new(FakeDisk::new(traits, &["/m", "/m/a", "/m/b", "/m/b/c"]));
        for folder in FOLDERS {
            disk.write(&format!("{folder}/0"), None);
        }
        // A location that is gone or empty is a disk that is away.
        SECTIONS.iter().for_each(|(_, location)| disk.write(&format!("{location}/stays"), None));
        disk.wait(1_000 * SECOND);
        let mut plex = FakePlex::default();
        (0..2).for_each(|section| plex.look(&disk, section, "/m"));
        // In memory, if there is such a folder: a history writes a hundred times.
        let memory = Path::new("/dev/shm");
        let data = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let clock = disk.clone();
        let clock = Arc::new(move || Time(clock.our_time()).into());
        let outbox = Outbox::with(data.path(), disk.clone(), clock);
        Self { disk, plex, outbox, calls: Vec::new(), due: Vec::new(), _data: data }
    }

    fn happen(&mut self, event: &Event) {
        // A look between two changes in one tick of a disk's clock sees no difference, and nothing is that quick.
        self.disk.wait(5 * MILLISECOND);
        match *event {
            Event::Change { how, folder, file, late } => self.change(how, folder, file, late),
            Event::Wait(milliseconds) => self.disk.wait(milliseconds * MILLISECOND),
            Event::Step(call) if !self.calls.is_empty() => {
                let call = self.calls.remove(call % self.calls.len());
                let next = self.step(call);
                self.calls.extend(next);
            }
            Event::Send(call) if !self.calls.is_empty() => {
                let mut call = Some(self.calls.remove(call % self.calls.len()));
                for _ in 0..9 {
                    call = call
                        .and_then(|call| if call.is_sent() { Some(call) } else { self.step(call) });
                }
                self.calls.extend(call);
            }
            Event::Run => {
                let _all_end = self.finish_calls();
            }
            Event::Kill(call) if !self.calls.is_empty() => {
                let call = call % self.calls.len();
                // Nobody can remember what a hook was about that was killed before it noted it.
                if !matches!(self.calls[call], Call::Hook { .. }) {
                    self.calls.remove(call);
                }
            }
            Event::Step(_) | Event::Send(_) | Event::Kill(_) => {}
            Event::Away(is_away) => self.plex.is_away = is_away,
            Event::Refuse(section, refuses) => self.plex.refuses[section] = refuses,
            Event::Clock(milliseconds) => self.disk.step_clock(milliseconds * MILLISECOND),
            // Between a look and a request nobody can tell that a disk goes.
            Event::Mount(is_mounted) if is_mounted || !self.calls.iter().any(Call::is_asking) => {
                self.disk.mount(is_mounted);
            }
            Event::Mount(_) => {}
            Event::Task => self.calls.push(Call::Task),
        }
        let now = self.disk.true_time();
        let (begun, due) = self.due.drain(..).partition(|(time, ..)| *time <= now);
        self.due = due;
        let begun: Vec<_> = begun;
        self.calls.extend(begun.into_iter().map(|(_, folder, file)| Call::Hook { folder, file }));
    }

    fn change(&mut self, how: How, folder: usize, file: usize, late: i64) {
        let disk = self.disk.clone();
        if !disk.is_mounted() {
            return;
        }
        let name = FOLDERS[folder];
        let path = format!("{name}/{file}");
        let is_there = disk.exists(&path);
        let mut changed = vec![path.clone()];
        match how {
            How::Create | How::CopyOld => {
                if is_there {
                    disk.remove(&path);
                }
                disk.make_folder(parent(name));
                disk.make_folder(name);
                let old = disk.modified(&format!("{name}/0")).unwrap_or(SECOND);
                disk.write(&path, matches!(how, How::CopyOld).then_some(old));
            }
            How::InPlace if is_there => disk.write(&path, None),
            How::Rename if is_there => {
                let to = format!("{name}/renamed{file}");
                disk.rename(&path, &to);
                changed.push(to);
            }
            How::Delete if is_there => disk.remove(&path),
            How::Move if is_there => {
                let to = FOLDERS[(folder + 1) % FOLDERS.len()];
                if !disk.exists(to) {
                    return;
                }
                let to = format!("{to}/{file}");
                disk.rename(&path, &to);
                changed.push(to);
            }
            How::RemoveFolder if disk.exists(name) && name != SECTIONS[1].1 => {
                let below = disk.folders().into_iter().filter(|below| is_within(below, name));
                changed = below.flat_map(|below| disk.content(&below).into_keys()).collect();
                disk.remove(name);
            }
            How::Replace if disk.exists(name) => {
                changed = disk.content(name).into_keys().collect();
                let names: Vec<_> = (0..=file).map(|file| file.to_string()).collect();
                disk.swap(name, &names);
                changed.extend(names.iter().map(|file| format!("{name}/{file}")));
            }
            _ => return,
        }
        let time = self.disk.true_time() + late * MILLISECOND;
        for file in changed {
            self.due.push((time, parent(&file).to_owned(), file));
        }
    }

    fn step(&mut self, call: Call) -> Option<Call> {
        match call {
            Call::Hook { folder, file } => {
                let arrived = self.outbox.arrive(&Arrival {
                    server: Some(SERVER.to_owned()),
                    folders: vec![Changed { folder, files: vec![file] }],
                    hook: true,
                    ..Arrival::default()
                });
                let queue = arrived.folders.into_iter().filter_map(|verdict| match verdict {
                    Verdict::Ask(ticket) => Some(ticket),
                    Verdict::Skipped | Verdict::Waiting => None,
                });
                let (queue, more, sweep) = (queue.collect(), arrived.more, arrived.sweep);
                Some(Call::Sends { hook: true, more, sweep, queue, asking: None })
            }
            Call::Task => {
                let (queue, sweep) = (VecDeque::new(), Sweep::default());
                Some(Call::Sends { hook: false, more: true, sweep, queue, asking: None })
            }
            Call::Sends { hook, more, sweep, queue, asking: Some(asking) } => {
                self.ask(hook, more, sweep, queue, asking)
            }
            Call::Sends { hook, more, sweep, queue, asking: None } => {
                self.begin(hook, more, sweep, queue)
            }
        }
    }

    /// The next ticket, or what else waits.
    fn begin(
        &mut self,
        hook: bool,
        more: bool,
        mut sweep: Sweep,
        mut queue: VecDeque<Ticket>,
    ) -> Option<Call> {
        let locations: Vec<_> = SECTIONS.map(|(_, location)| location.to_owned()).into();
        let Some(mut ticket) = queue.pop_front() else {
            if !more {
                return None;
            }
            let most = if hook { 50 } else { usize::MAX };
            let pick = Pick { server: SERVER.to_owned(), most, hook, locations };
            let queue: VecDeque<_> = self.outbox.pick(&pick, &mut sweep).into();
            let more = !hook && !queue.is_empty();
            return Some(Call::Sends { hook, more, sweep, queue, asking: None });
        };
        let mut asking = None;
        let is_meant = |(key, _): &&(&str, &str)| {
            ticket.section.as_ref().is_none_or(|only| only == key)
                && !ticket.later.iter().any(|later| later == key)
        };
        let meant: Vec<_> = SECTIONS.iter().filter(is_meant).copied().collect();
        match self.outbox.stand_in(SERVER, &mut ticket, &locations) {
            StandIn::Wait(reason, _) => {
                let outcome = Outcome::NotAsked(Some(reason));
                self.outbox.finish(SERVER, hook, &[(ticket, outcome)]);
            }
            StandIn::Ask => {
                let is_asked = |section: &usize| {
                    let section = &SECTIONS[*section];
                    meant.contains(section) && is_within(ticket.target(), section.1)
                };
                let sections = (0..2).filter(is_asked).collect();
                let (taken, refused) = (Vec::new(), Vec::new());
                asking = Some(Asking { ticket, is_marked: false, sections, taken, refused });
            }
        }
        Some(Call::Sends { hook, more, sweep, queue, asking })
    }

    /// One request, or the end of a ticket.
    fn ask(
        &mut self,
        hook: bool,
        more: bool,
        sweep: Sweep,
        mut queue: VecDeque<Ticket>,
        mut asking: Asking,
    ) -> Option<Call> {
        if !asking.is_marked {
            self.outbox.look(&mut asking.ticket);
            asking.is_marked = true;
            return Some(Call::Sends { hook, more, sweep, queue, asking: Some(asking) });
        }
        let outcome = match asking.sections.pop() {
            Some(section) => {
                let key = SECTIONS[section].0.to_owned();
                match self.plex.refresh(&self.disk, section, asking.ticket.target()) {
                    Some(200) => asking.taken.push(key),
                    Some(status) => asking.refused.push((key, status.to_string())),
                    None => {
                        let reason = "no connection".to_owned();
                        let away = Outcome::Away { reason, restarted: true };
                        let mut done = vec![(asking.ticket, away)];
                        done.extend(queue.into_iter().map(|it| (it, Outcome::NotAsked(None))));
                        self.outbox.finish(SERVER, hook, &done);
                        return None;
                    }
                }
                return Some(Call::Sends { hook, more, sweep, queue, asking: Some(asking) });
            }
            None => {
                let Asking { taken, refused, .. } = asking;
                Outcome::Answered { taken, refused }
            }
        };
        queue.extend(self.outbox.finish(SERVER, hook, &[(asking.ticket, outcome)]).again);
        Some(Call::Sends { hook, more, sweep, queue, asking: None })
    }

    /// All hooks that are to come have come, Plex is well, and one task runs.
    fn end(&mut self) -> Result<(), String> {
        self.disk.wait(401 * SECOND);
        self.happen(&Event::Mount(true));
        self.finish_calls()?;
        self.plex.is_away = false;
        self.plex.refuses = [false; 2];
        self.disk.wait(3_700 * SECOND);
        let mut waits = Vec::new();
        // A location is asked for once a minute in the place of what is gone.
        for _ in 0..3 {
            self.calls.push(Call::Task);
            self.finish_calls()?;
            waits = self.outbox.pending().map_err(|problem| problem.reason)?;
            if waits.is_empty() {
                break;
            }
            self.disk.wait(61 * SECOND);
        }
        if !waits.is_empty() {
            return Err(format!("still waits: {waits:?}"));
        }
        if self.plex.was_emptied {
            return Err("Plex was told to look at a library whose disk is away".to_owned());
        }
        let seen = std::mem::take(&mut self.plex.seen);
        (0..2).for_each(|section| self.plex.look(&self.disk, section, "/m"));
        match seen == self.plex.seen {
            true => Ok(()),
            false => Err(format!("Plex knows {seen:?}, there is {:?}", self.plex.seen)),
        }
    }

    fn finish_calls(&mut self) -> Result<(), String> {
        for _ in 0..10_000 {
            let Some(call) = self.calls.pop() else { return Ok(()) };
            let next = self.step(call);
            self.calls.extend(next);
            self.disk.wait(MILLISECOND);
        }
        Err("a call does not end".to_owned())
    }
}

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
