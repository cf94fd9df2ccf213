//! What a hook costs while `scans.json` holds much: folders that Plex was asked for, and folders that wait for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::hook::Rig;
use crate::report::{Table, Target};
use crate::stats::{Turn, interleave};
use crate::worker::WORKER;

const ROUNDS: usize = 15;
/// The store remembers 2,000 folders that were asked for, and lets 10,000 wait; what is more goes as common parents.
const REMEMBERED: [usize; 3] = [10, 1_000, 2_000];
/// One more each than there are when a hook begins.
const WAITING: [usize; 3] = [10, 1_000, 10_000];
/// Where Plex is away, a hook's folder is noted.
const NEW_FOLDER: (&str, &str) = ("46", "new");

pub(crate) fn measure(table: &mut Table) {
    let outbox = Outbox::new();
    let states = REMEMBERED.map(|count| outbox.remembers(count));
    let skipped = || outbox.rig.hook(Path::new(WORKER), "skipped");
    rows(
        table,
        "a hook that is skipped, folders remembered",
        REMEMBERED,
        &outbox,
        states,
        &skipped,
    );
    let states = WAITING.map(|count| outbox.lets_wait(count - 1));
    rows(
        table,
        "a hook that is skipped, folders waiting",
        WAITING,
        &outbox,
        states.clone(),
        &skipped,
    );
    let noted = || outbox.rig.hook_of(NEW_FOLDER.0, "waiting");
    rows(table, "a hook that notes one more, folders waiting", WAITING, &outbox, states, &noted);
}

/// One row a size: the middle one is not to be slower than the smallest by half; what the largest takes is told.
fn rows(
    table: &mut Table,
    name: &str,
    sizes: [usize; 3],
    outbox: &Outbox,
    states: [Value; 3],
    hook: &dyn Fn() -> f64,
) {
    let samples = interleave(
        ROUNDS,
        states.map(|state| -> Turn<'_> {
            Box::new(move || {
                outbox.holds(state.clone());
                hook()
            })
        }),
    );
    let [few, many, most] = &samples;
    let against = sizes[0].to_string();
    let row = |size: usize| format!("{name}: {size}");
    table.ratio(&row(sizes[1]), " ms", (many, &against, few), Target::AtMost(1.5));
    table.beside(&row(sizes[2]), " ms", (most, &against, few));
}

/// A data folder whose `scans.json` was written by the worker, and then filled with more of the same.
struct Outbox {
    rig: Rig,
    file: PathBuf,
    /// The scene's folder was asked for, and Plex is away since.
    state: Value,
    /// A folder that waits.
    note: Value,
}

impl Outbox {
    fn new() -> Self {
        let rig = Rig::new();
        let file = rig.data().join("scans.json");
        rig.asked();
        let mut state = read(&file);
        rig.add_scene(NEW_FOLDER.0, NEW_FOLDER.1);
        rig.plex.turn_off();
        rig.hook_of(NEW_FOLDER.0, "waiting");
        let later = read(&file);
        let note = later["waiting"][0].clone();
        server(&mut state)["away"] = server(&mut later.clone())["away"].clone();
        Self { rig, file, state, note }
    }

    /// With so many folders that were asked for.
    fn remembers(&self, count: usize) -> Value {
        let mut state = self.state.clone();
        let asked = server(&mut state)["asked"].as_object_mut().unwrap();
        let one = asked.values().next().unwrap().clone();
        let more = (asked.len()..count).map(|at| (folder(at), one.clone()));
        asked.extend(more);
        state
    }

    /// With so many that wait.
    fn lets_wait(&self, count: usize) -> Value {
        let mut state = self.state.clone();
        let note = |at| {
            let mut note = self.note.clone();
            note["what"] = json!({"folder": folder(at)});
            note
        };
        state["waiting"] = (0..count).map(note).collect();
        state
    }

    /// Writes it, as if a hook had tried Plex just now: none does within a minute.
    fn holds(&self, mut state: Value) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        server(&mut state)["away"]["tried"] = json!(i64::try_from(now.as_nanos()).unwrap());
        fs::write(&self.file, state.to_string()).unwrap();
    }
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The one server.
fn server(state: &mut Value) -> &mut Value {
    state["servers"].as_object_mut().unwrap().values_mut().next().unwrap()
}

fn folder(at: usize) -> String {
    format!("/data/library/studio {}/a scene with a longer name {at}", at / 15)
}
