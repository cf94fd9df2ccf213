//! A hook of `interface: raw`, one process for each scene: one that scans, and one that is skipped.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plexsync_harness::FakePlex;
use plexsync_harness::fake_plex::Section;
use plexsync_harness::fake_stash::{FakeStash, hook_args};
use serde_json::{Value, json};

use crate::peers;
use crate::report::{Table, Target};
use crate::stats::{Sample, interleave};
use crate::worker::{WORKER, command, milliseconds, program as program_at, request};

const ROUNDS: usize = 60;

pub(crate) fn measure(table: &mut Table) {
    scans(table);
    beside_a_script(table);
    for (which, program) in [("", Ok(WORKER.into())), ("; packaged", peers::packaged())] {
        match program {
            Ok(program) => skipped(table, which, &program),
            Err(reason) => {
                table.note(&format!("Stash raw hook, skipped{which}"), &format!("none: {reason}"));
            }
        }
    }
}

/// A Stash with a scene whose folder is a section's of a Plex.
pub(crate) struct Rig {
    pub(crate) stash: FakeStash,
    pub(crate) plex: FakePlex,
    folder: tempfile::TempDir,
    input: String,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let (stash, plex) = (FakeStash::start(), FakePlex::start());
        stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": plex.token()}));
        let folder = tempfile::tempdir().unwrap();
        let input = input(&stash, folder.path(), "45");
        let rig = Self { stash, plex, folder, input };
        let media = rig.media("").to_str().unwrap().to_owned();
        rig.plex.set_sections(vec![Section::new("1", "Films", "movie", &[&media])]);
        rig.add_scene("45", "");
        rig
    }

    fn media(&self, folder: &str) -> PathBuf {
        self.folder.path().join("media").join(folder)
    }

    /// Writes the scene's file below the section's folder.
    fn write(&self, folder: &str) -> PathBuf {
        fs::create_dir_all(self.media(folder)).unwrap();
        let file = self.media(folder).join("a.mp4");
        fs::write(&file, "film").unwrap();
        file
    }

    pub(crate) fn add_scene(&self, id: &str, folder: &str) {
        self.stash.add_scene(id, &[self.write(folder).to_str().unwrap()]);
    }

    /// A Plex that was asked for the scene's folder after everything in it was there.
    pub(crate) fn asked(&self) {
        std::thread::sleep(Duration::from_millis(2100));
        self.hook(Path::new(WORKER), "asked");
        self.hook(Path::new(WORKER), "skipped");
    }

    /// One process, from start to end, in ms.
    pub(crate) fn hook(&self, program: &Path, outcome: &str) -> f64 {
        self.hook_with(program, &self.input, outcome)
    }

    /// The same, of another scene.
    pub(crate) fn hook_of(&self, scene: &str, outcome: &str) -> f64 {
        self.hook_with(Path::new(WORKER), &input(&self.stash, self.folder.path(), scene), outcome)
    }

    fn hook_with(&self, program: &Path, input: &str, outcome: &str) -> f64 {
        let mut command = command(program);
        command.env("PLEXSYNC_DATA_DIR", self.data());
        milliseconds(&mut command, input, &format!(r#""outcome":"{outcome}""#))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// How many requests Stash and Plex got.
    fn requests(&self) -> [usize; 2] {
        [self.stash.requests().len(), self.plex.requests().len()]
    }
}

fn input(stash: &FakeStash, folder: &Path, scene: &str) -> String {
    let mut args = hook_args("Scene.Create.Post", scene.parse().unwrap(), &Value::Null);
    args["method"] = json!("plex.scan");
    stash.input(folder.join("plugin"), &args).to_string()
}

/// Settings and the scene from Stash, then the scan itself: Plex's sections are remembered.
fn scans(table: &mut Table) {
    let rig = Rig::new();
    let run = || {
        // Written anew each time: else the second hook would be skipped.
        rig.write("");
        rig.hook(Path::new(WORKER), "asked")
    };
    run();
    let before = rig.requests();
    run();
    let count: usize = rig.requests().iter().sum::<usize>() - before.iter().sum::<usize>();
    let [mine, nothing, trip] = interleave(
        ROUNDS,
        [
            Box::new(run),
            Box::new(|| milliseconds(&mut command("/bin/true"), "", "")),
            Box::new(|| round_trip(rig.plex.port())),
        ],
    );
    let least: Sample = nothing.map(|time| 4.0 * time).plus(&trip.map(|time| count as f64 * time));
    let row = format!("Stash raw hook, {count} requests");
    let against = format!("4 x /bin/true + {count} x round trip");
    table.beside(&row, " ms", (&mine, &against, &least));
}

/// What a user would write by hand. It remembers nothing: each hook asks.
fn beside_a_script(table: &mut Table) {
    let row = "Stash raw hook that scans";
    if !peers::shell_has(&["curl", "jq"]) {
        return table.note(row, "a script skipped: curl and jq are not installed");
    }
    let rig = Rig::new();
    rig.plex.allow_token("token");
    let script = || {
        let mut sh = command("sh");
        sh.arg(peers::source("hook.sh")).args([&rig.plex.url(), "1"]);
        milliseconds(&mut sh, &rig.input, r#""outcome":"asked""#)
    };
    let [mine, theirs] = interleave(
        ROUNDS,
        [
            Box::new(|| {
                rig.write("");
                rig.hook(Path::new(WORKER), "asked")
            }),
            Box::new(script),
        ],
    );
    let folder = rig.media("");
    let asked = rig.plex.scans().into_iter().filter_map(|scan| scan.path);
    assert_eq!(asked.filter(|path| Path::new(path) == folder).count(), 2 * (ROUNDS + 1));
    table.beside(row, " ms", (&mine, "a shell script with curl and jq", &theirs));
}

/// Beside one request of the same program to the same kind of server.
fn skipped(table: &mut Table, which: &str, program: &Path) {
    let (rig, other) = (Rig::new(), FakePlex::start());
    rig.asked();
    let before = rig.requests();
    let data = tempfile::tempdir().unwrap();
    let [mine, plex_request] = interleave(
        ROUNDS,
        [
            Box::new(|| rig.hook(program, "skipped")),
            Box::new(|| {
                let mut command = program_at(program, data.path(), &other.url());
                milliseconds(&mut command, &request("/identity"), r#""status":200"#)
            }),
        ],
    );
    let after = rig.requests();
    assert_eq!(
        after,
        [before[0] + ROUNDS + 1, before[1]],
        "one question to Stash each, none to Plex"
    );
    let row = format!("Stash raw hook, skipped, 1 request{which}");
    let contest = (&mine, "plex.request over http", &plex_request);
    table.ratio(&row, " ms", contest, Target::AtMost(1.3));
}

/// Milliseconds for one request on a connection of its own, without any library.
fn round_trip(port: u16) -> f64 {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /identity HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    begin.elapsed().as_secs_f64() * 1e3
}
