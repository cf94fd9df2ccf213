//! What a scan of Stash costs by its hooks, one process for each new scene, whatever state Plex is in.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use plexsync_harness::FakePlex;
use plexsync_harness::fake_plex::{Fault, Section};
use plexsync_harness::fake_stash::{FakeStash, hook_args};
use plexsync_harness::http::Silent;
use serde_json::{Value, json};

use crate::report::{Table, Target};
use crate::stats::Sample;
use crate::worker::{WORKER, command};

const SCENES: usize = 300;
const FOLDERS: usize = 3;
const DELETES: usize = 1000;
/// The list of sections, and one scan.
const MOST_ASKED: f64 = 2.0;
/// Most that a scene may cost where Plex can't be asked, in ms.
const MOST: f64 = 20.0;

pub(crate) fn measure(table: &mut Table) {
    let silent = Silent::start();
    scan(table, "up", |_| (), |_| ());
    scan(table, "off", |it| it.plex.turn_off(), |it| it.plex.turn_on());
    scan(
        table,
        "without an answer to SYN",
        |it| it.configure(&silent.url()),
        Library::configure_well,
    );
    scan(table, "hanging", |it| it.plex.hold(), |it| it.plex.release());
    let late = || Fault::Delay(Duration::from_secs(2)).always();
    scan(table, "answering after 2 s", |it| it.plex.fault(late()), |it| it.plex.no_faults());
    let answer = |status| Fault::answer(status, &[], "").always();
    scan(table, "answering 401", |it| it.plex.fault(answer(401)), |it| it.plex.no_faults());
    scan(table, "answering 503", |it| it.plex.fault(answer(503)), |it| it.plex.no_faults());
    scan(table, "not configured", |it| it.configure(""), Library::configure_well);
    deletes(table);
}

/// A Stash with a library that Plex has, too.
struct Library {
    stash: FakeStash,
    plex: FakePlex,
    folder: tempfile::TempDir,
    lines: usize,
}

impl Library {
    fn new() -> Self {
        let (stash, plex) = (FakeStash::start(), FakePlex::start());
        plex.set_sections(vec![Section::new("1", "Films", "movie", &["/plex"])]);
        let library = Self { stash, plex, folder: tempfile::tempdir().unwrap(), lines: 0 };
        library.configure_well();
        library
    }

    fn configure_well(&self) {
        self.configure(&self.plex.url());
    }

    fn configure(&self, url: &str) {
        let path_map = format!("{}=/plex", self.folder.path().join("media").display());
        let settings =
            json!({"plex_url": url, "plex_token": self.plex.token(), "path_map": path_map});
        self.stash.configure("plexsync", settings);
    }

    fn file(&self, folder: usize, name: usize) -> PathBuf {
        let file = self.folder.path().join(format!("media/{folder}/{name}.mp4"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "film").unwrap();
        file
    }

    /// One process, from start to end, in ms.
    fn run(&mut self, args: &Value) -> f64 {
        let input = self.stash.input(self.folder.path().join("plugin"), args).to_string();
        let mut command = command(WORKER);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begin = Instant::now();
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let time = begin.elapsed().as_secs_f64() * 1e3;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(r#""error":null"#), "{said}");
        self.lines += output.stderr.iter().filter(|byte| **byte == b'\n').count();
        time
    }

    fn hook(&mut self, trigger: &str, id: usize, input: &Value) -> f64 {
        let mut args = hook_args(trigger, id as u64, input);
        args["method"] = json!("plex.scan");
        self.run(&args)
    }

    /// The folders that Plex was asked for, once the task has run.
    fn folders_after(&mut self) -> usize {
        self.run(&json!({"method": "plex.scan"}));
        let asked = self.plex.scans().into_iter().filter_map(|scan| scan.path);
        asked.collect::<BTreeSet<_>>().len()
    }
}

/// New scenes, one hook after the other; then Plex comes back, and the user runs *Scan Plex library*.
fn scan(table: &mut Table, state: &str, go: impl Fn(&Library), back: impl Fn(&Library)) {
    let mut library = Library::new();
    for id in 1..=SCENES {
        let file = library.file(id % FOLDERS, id);
        library.stash.add_scene(&id.to_string(), &[file.to_str().unwrap()]);
    }
    // What was written a moment ago may be written again within one step of the disk's clock.
    std::thread::sleep(Duration::from_millis(2100));
    go(&library);
    let mut hook = |id| library.hook("Scene.Create.Post", id, &Value::Null);
    let first = hook(1);
    let others: Sample = (2..=SCENES).map(hook).collect();
    let (requests, lines) = (library.plex.requests().len(), library.lines);
    back(&library);
    let folders = library.folders_after();
    let row = format!("Stash, {SCENES} scenes in {FOLDERS} folders, Plex {state}");
    table.absolute(
        &format!("{row}: a scene after the first"),
        " ms",
        &others,
        Target::AtMost(MOST),
    );
    let told = format!(
        "first {first:.0} ms, longest of the others {:.0} ms; requests to Plex: {requests}; lines in the log: {lines}; \
         folders asked for once Plex is back: {folders} of {FOLDERS}",
        others.quantile(1.0)
    );
    table.note(&row, &told);
}

/// Scenes of one folder that were deleted with their files, one hook after the other.
fn deletes(table: &mut Table) {
    for (which, with_folder) in [("in one folder", false), ("with their folder", true)] {
        let mut library = Library::new();
        library.file(1, 0);
        let files: Vec<_> = (1..=DELETES).map(|name| library.file(0, name)).collect();
        files.iter().for_each(|file| fs::remove_file(file).unwrap());
        if with_folder {
            fs::remove_dir(files[0].parent().unwrap()).unwrap();
        }
        let mut delete = |file: &PathBuf| {
            library.hook("Scene.Destroy.Post", 0, &json!({"id": "", "path": file}))
        };
        let times: Sample = files.iter().map(&mut delete).collect();
        let (requests, lines) = (library.plex.requests().len(), library.lines);
        let row = format!("Stash, {DELETES} deletes {which}");
        table.absolute(&format!("{row}: one"), " ms", &times, Target::AtMost(MOST));
        let asked = [requests as f64].into_iter().collect();
        table.absolute(&format!("{row}: requests to Plex"), "", &asked, Target::AtMost(MOST_ASKED));
        let longest = times.quantile(1.0);
        table.note(&row, &format!("longest {longest:.0} ms; lines in the log: {lines}"));
    }
}
