//! Scans in Stash: asked once, never lost. What a Stash user sees of a Plex that is away, and what Plex sees afterwards.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plexsync_harness::FakePlex;
use plexsync_harness::fake_plex::{Fault, Section};
use plexsync_harness::fake_stash::{
    self, FakeStash, Launch, Level, Plugin, RawTask, Run, hook_args,
};
use plexsync_harness::http::Silent;
use serde_json::{Value, json};

use crate::package::install_worker;

/// A Stash whose folder `media` is Plex's `/plex`, with the plugin installed, and that Plex.
struct Setup {
    stash: FakeStash,
    plex: FakePlex,
    plugin: Plugin,
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let (stash, plex) = (FakeStash::start(), FakePlex::start());
        plex.set_sections(vec![Section::new("1", "Scenes", "movie", &["/plex"])]);
        let folder = tempfile::tempdir().unwrap();
        let plugin = install_worker(folder.path());
        let setup = Self { stash, plex, plugin, folder };
        fs::create_dir(setup.media()).unwrap();
        setup.configure(json!({}));
        setup
    }

    /// The usual settings, and these.
    fn configure(&self, other: Value) {
        let path_map = format!("{}=/plex", self.media().display());
        let mut settings = json!({"plex_url": self.plex.url(), "plex_token": self.plex.token(), "path_map": path_map});
        settings.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        self.stash.configure("plexsync", settings);
    }

    fn media(&self) -> PathBuf {
        self.folder.path().join("media")
    }

    fn data(&self, name: &str) -> PathBuf {
        self.plugin.folder.join("data").join(name)
    }

    /// Writes a file below `media`; its path as Stash has it.
    fn file(&self, name: &str) -> String {
        let path = self.media().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "film").unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A scene with these files.
    fn scene(&self, id: u64, names: &[&str]) {
        let paths: Vec<_> = names.iter().map(|name| self.file(name)).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        self.stash.add_scene(&id.to_string(), &paths);
    }

    fn created(&self, id: u64) -> Run {
        self.hook("Scene.Create.Post", id, &Value::Null)
    }

    fn destroyed(&self, path: &str) -> Run {
        self.hook("Scene.Destroy.Post", 6, &json!({"id": "6", "delete_file": true, "path": path}))
    }

    fn hook(&self, trigger: &str, id: u64, input: &Value) -> Run {
        let run = self.plugin.run_hooks(&self.stash, trigger, id, input).remove(0);
        assert_eq!((&run.error, &run.swallowed), (&None, &None), "{:?}", run.log);
        run
    }

    /// A hook's process, as Stash may kill it.
    fn start_hook(&self, id: u64) -> RawTask {
        let mut args = hook_args("Scene.Create.Post", id, &Value::Null);
        args["method"] = json!("plex.scan");
        let program = self.plugin.folder.join("plexsync-worker");
        Launch::new(program).start_raw(&self.stash.input(&self.plugin.folder, &args))
    }

    fn task(&self, name: &str) -> Run {
        self.plugin.run_task(&self.stash, name, &json!({}))
    }

    fn operation(&self, method: &str, params: &Value) -> Run {
        self.plugin.run_operation(&self.stash, &json!({"method": method, "params": params}))
    }

    /// Plex's folders that it was asked to look at, each as often as it was asked.
    fn asked(&self) -> Vec<String> {
        self.plex.scans().into_iter().filter_map(|scan| scan.path).collect()
    }

    fn lists(&self) -> usize {
        self.plex.requests().iter().filter(|it| it.target == "/library/sections").count()
    }

    /// What waits, below `media`.
    fn waiting(&self) -> BTreeSet<String> {
        let pending = self.operation("scan.pending", &json!({}));
        assert_eq!(pending.error, None);
        let below = |one: &Value| {
            let folder = one["folder"].as_str().unwrap();
            let media = self.media();
            folder.strip_prefix(media.to_str().unwrap()).unwrap_or(folder).to_owned()
        };
        pending.output["waiting"].as_array().unwrap().iter().map(below).collect()
    }

    /// Time passes: every time on disk is this much older.
    fn later(&self, seconds: u64) {
        let path = self.data("scans.json");
        let mut state: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        age(&mut state, seconds);
        fs::write(&path, state.to_string()).unwrap();
    }
}

/// Takes so many seconds from every number that is a time of these days, in seconds or in parts of them.
fn age(value: &mut Value, seconds: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| age(value, seconds)),
        // What is known of a folder is the disk's.
        Value::Object(values) => {
            let times = values.iter_mut().filter(|(name, _)| *name != "mark");
            times.for_each(|(_, value)| age(value, seconds));
        }
        Value::Number(number) => {
            let Some(time) = number.as_u64() else { return };
            let units = [1, 1_000, 1_000_000, 1_000_000_000];
            let unit = units.iter().find(|unit| (time / *unit).abs_diff(now) < 365 * 86_400);
            if let Some(unit) = unit {
                *value = json!(time - seconds * unit);
            }
        }
        _ => {}
    }
}

fn lines(runs: &[Run], level: Level) -> Vec<&str> {
    let lines = runs.iter().flat_map(|run| &run.log);
    lines.filter(|line| line.level == level).map(|line| line.text.as_str()).collect()
}

fn set(folders: &[&str]) -> BTreeSet<String> {
    folders.iter().map(ToString::to_string).collect()
}

fn distinct(asked: &[String]) -> BTreeSet<String> {
    asked.iter().cloned().collect()
}

/// What was written a moment ago may be written again within the same tick of a disk's clock.
fn let_the_files_grow_old() {
    std::thread::sleep(Duration::from_millis(2100));
}

#[test]
fn new_scenes_in_three_folders_are_three_requests_and_one_list() {
    let setup = Setup::new();
    let folder = |id: u64| ["a", "b", "c & ü"][usize::try_from(id).unwrap() % 3];
    for id in 1..=30 {
        setup.scene(id, &[&format!("{}/{id}.mp4", folder(id))]);
    }
    let_the_files_grow_old();
    let runs: Vec<_> = (1..=30).map(|id| setup.created(id)).collect();
    assert_eq!(setup.asked(), ["/plex/b", "/plex/c & ü", "/plex/a"]);
    assert_eq!(setup.lists(), 1);
    assert_eq!(setup.plex.requests().len(), 4);
    let outcomes: Vec<_> = runs.iter().map(|run| run.output["outcome"].clone()).collect();
    assert!(outcomes[..3].iter().all(|outcome| outcome == "asked"), "{outcomes:?}");
    assert!(outcomes[3..].iter().all(|outcome| outcome == "skipped"), "{outcomes:?}");
    assert!(setup.waiting().is_empty());
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_scan_that_was_asked_for_is_asked_for_again_when_something_changed_or_it_must_be_fresh() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    let_the_files_grow_old();
    setup.created(1);
    assert_eq!(setup.created(1).output["outcome"], "skipped");
    setup.scene(2, &["a/2.mp4"]);
    assert_eq!(setup.created(2).output["outcome"], "asked", "a new file");
    let args = json!({"method": "plex.scan", "params": {"fresh": true}});
    let_the_files_grow_old();
    setup.created(1);
    assert_eq!(setup.created(1).output["outcome"], "skipped");
    let mut fresh = hook_args("Scene.Create.Post", 1, &Value::Null);
    fresh.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
    assert_eq!(setup.plugin.run_operation(&setup.stash, &fresh).output["outcome"], "asked");
    setup.later(601);
    assert_eq!(setup.created(1).output["outcome"], "asked", "too long ago");
}

#[test]
fn each_folder_of_a_scene_is_asked_for_once() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4", "b/1.mp4", "a/2.mp4"]);
    let_the_files_grow_old();
    let run = setup.created(1);
    assert_eq!(
        (&run.output["outcome"], &run.output["folder"]),
        (&json!("asked"), &json!("/plex/a"))
    );
    assert_eq!(run.output["also"][0]["folder"], "/plex/b");
    setup.created(1);
    assert_eq!(setup.asked(), ["/plex/a", "/plex/b"]);
}

/// How Plex can be away, how it comes back, and what the one warning names.
struct Away {
    name: &'static str,
    go: fn(&Setup),
    back: fn(&Setup),
    told: &'static str,
}

const AWAY: [Away; 5] = [
    Away {
        name: "off",
        go: |setup| setup.plex.turn_off(),
        back: |setup| setup.plex.turn_on(),
        told: "refused",
    },
    Away {
        name: "hanging",
        go: |setup| setup.plex.hold(),
        back: |setup| setup.plex.release(),
        told: "did not answer in time; Plex may be busy",
    },
    Away {
        name: "in maintenance",
        go: |setup| setup.plex.fault(Fault::Maintenance.always()),
        back: |setup| setup.plex.no_faults(),
        told: "Plex is starting or in maintenance: wait",
    },
    Away {
        name: "refusing the token",
        go: |setup| setup.configure(json!({"plex_token": "wrong"})),
        back: |setup| setup.configure(json!({})),
        told: "set `plex_token` in Settings > Plugins > PlexSync",
    },
    Away {
        name: "asked too often",
        go: |setup| setup.plex.fault(Fault::RateLimited(None).always()),
        back: |setup| setup.plex.no_faults(),
        told: "wait, then try again",
    },
];

#[test]
fn a_plex_that_is_away_is_one_warning_and_no_folder_is_lost() {
    for Away { name, go, back, told } in AWAY {
        let setup = Setup::new();
        for id in 1..=8 {
            setup.scene(id, &[&format!("{}/{id}.mp4", id % 4)]);
        }
        go(&setup);
        let runs: Vec<_> = (1..=8).map(|id| setup.created(id)).collect();
        for run in &runs {
            assert_eq!(run.output["outcome"], "waiting", "{name}: {:?}", run.log);
        }
        let warnings = lines(&runs, Level::Warning);
        assert!(warnings.len() == 1 && warnings[0].contains(told), "{name}: {warnings:?}");
        assert!(!warnings[0].contains("timeout_ms"), "{name}: {warnings:?}");
        assert!(lines(&runs, Level::Error).is_empty(), "{name}");
        assert!(setup.plex.requests().len() <= 1, "{name}: only the first hook asked");
        assert_eq!(setup.waiting(), set(&["/0", "/1", "/2", "/3"]), "{name}");
        let kept = fs::read_to_string(setup.data("scans.json")).unwrap();
        let secrets = [setup.plex.token(), setup.stash.cookie()];
        assert!(secrets.iter().all(|secret| !kept.contains(secret)), "{name}: {kept}");
        back(&setup);
        setup.later(61);
        let run = setup.created(1);
        assert_eq!(run.output["outcome"], "asked", "{name}: {:?}", run.log);
        let folders = set(&["/plex/0", "/plex/1", "/plex/2", "/plex/3"]);
        assert_eq!(distinct(&setup.asked()), folders, "{name}");
        assert!(setup.waiting().is_empty(), "{name}");
    }
}

#[test]
fn a_machine_that_is_switched_off_costs_the_first_hook_two_seconds_and_the_others_nothing() {
    let (setup, silent) = (Setup::new(), Silent::start());
    setup.configure(json!({"plex_url": silent.url(), "plex_token": "T"}));
    for id in 1..=5 {
        setup.scene(id, &[&format!("{id}/{id}.mp4")]);
    }
    setup.created(1);
    let mut runs = Vec::new();
    for id in 2..=5 {
        let begin = Instant::now();
        runs.push(setup.created(id));
        assert!(begin.elapsed() < Duration::from_secs(2), "one hook waits for a connection");
    }
    assert!(lines(&runs, Level::Warning).is_empty());
    assert_eq!(setup.waiting().len(), 5);
}

#[test]
fn after_ten_minutes_of_silence_one_line_counts() {
    let setup = Setup::new();
    setup.plex.turn_off();
    for id in 1..=6 {
        setup.scene(id, &[&format!("{id}/{id}.mp4")]);
    }
    let first: Vec<_> = (1..=5).map(|id| setup.created(id)).collect();
    assert_eq!(lines(&first, Level::Warning).len(), 1);
    setup.later(601);
    let run = setup.created(6);
    let warnings = lines(std::slice::from_ref(&run), Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("4 more"), "{warnings:?}");
    // A success ends the silence.
    setup.plex.turn_on();
    setup.later(61);
    setup.created(6);
    setup.plex.turn_off();
    setup.scene(7, &["7/7.mp4"]);
    let run = setup.created(7);
    assert_eq!(lines(std::slice::from_ref(&run), Level::Warning).len(), 1, "{:?}", run.log);
}

#[test]
fn an_unconfigured_plugin_warns_once_makes_no_identity_and_loses_nothing() {
    let setup = Setup::new();
    setup.stash.configure("plexsync", json!({}));
    for id in 1..=20 {
        setup.scene(id, &[&format!("{}/{id}.mp4", id % 2)]);
    }
    let runs: Vec<_> = (1..=20).map(|id| setup.created(id)).collect();
    assert!(runs.iter().all(|run| run.output["outcome"] == "waiting"));
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("set `plex_url`"), "{warnings:?}");
    assert!(!setup.data("device_id.json").exists(), "no identity for what is not sent");
    setup.configure(json!({}));
    setup.scene(21, &["2/21.mp4"]);
    assert_eq!(setup.created(21).output["outcome"], "asked");
    assert_eq!(distinct(&setup.asked()), set(&["/plex/0", "/plex/1", "/plex/2"]));
    assert!(setup.waiting().is_empty());
    // A success ends the silence.
    setup.stash.configure("plexsync", json!({}));
    setup.scene(22, &["3/22.mp4"]);
    assert_eq!(lines(&[setup.created(22)], Level::Warning).len(), 1);
}

#[test]
fn hooks_that_are_skipped_or_noted_make_no_identity() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    let_the_files_grow_old();
    setup.created(1);
    fs::remove_file(setup.data("device_id.json")).unwrap();
    fs::remove_file(setup.data("device_id.json.bak")).unwrap();
    assert_eq!(setup.created(1).output["outcome"], "skipped");
    assert!(!setup.data("device_id.json").exists());
    setup.scene(2, &["b/2.mp4"]);
    setup.plex.turn_off();
    setup.created(2);
    fs::remove_file(setup.data("device_id.json")).unwrap();
    fs::remove_file(setup.data("device_id.json.bak")).unwrap();
    assert_eq!(setup.created(2).output["outcome"], "waiting");
    assert!(!setup.data("device_id.json").exists());
}

#[test]
fn hooks_that_start_together_are_one_or_two_scans() {
    let setup = Setup::new();
    for id in 1..=8 {
        setup.scene(id, &[&format!("a/{id}.mp4")]);
    }
    let_the_files_grow_old();
    setup.plex.fault(Fault::Delay(Duration::from_millis(500)).always());
    std::thread::scope(|scope| {
        for id in 1..=8 {
            let setup = &setup;
            scope.spawn(move || setup.created(id));
        }
    });
    assert!((1..=2).contains(&setup.asked().len()), "{:?}", setup.asked());
    assert!(setup.waiting().is_empty());
}

#[test]
fn a_hook_that_is_killed_loses_no_folder() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    for held in ["/library/sections", "/library/sections/1/refresh"] {
        setup.plex.clear();
        setup.plex.hold_on(held);
        let mut hook = setup.start_hook(1);
        setup.plex.wait_held(1);
        hook.stop();
        hook.finish();
        setup.plex.release();
        assert_eq!(setup.waiting(), set(&["/a"]), "{held}");
        // Whoever asks has a claim of 30 s, dead or alive.
        setup.later(31);
        setup.plex.clear();
        setup.task("Scan Plex library");
        assert_eq!(setup.asked(), ["/plex/a"], "{held}");
        assert!(setup.waiting().is_empty());
    }
}

#[test]
fn a_folder_that_is_gone_means_the_nearest_one_that_is_there() {
    let setup = Setup::new();
    let file = setup.file("tv/show/season/1.mp4");
    setup.file("tv/other/1.mp4");
    fs::remove_dir_all(setup.media().join("tv/show")).unwrap();
    assert_eq!(setup.destroyed(&file).output["outcome"], "asked");
    assert_eq!(setup.asked(), ["/plex/tv"]);
}

#[test]
fn a_location_that_is_empty_is_a_disk_that_is_away_and_plex_is_not_asked_to_look() {
    let setup = Setup::new();
    let file = setup.file("tv/1.mp4");
    fs::remove_dir_all(setup.media().join("tv")).unwrap();
    let runs = [setup.destroyed(&file), setup.destroyed(&file)];
    assert_eq!(setup.asked(), Vec::<String>::new());
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("Scan Plex library"), "{warnings:?}");
    assert_eq!(setup.waiting(), set(&["/tv"]));
    setup.operation("scan.pending", &json!({"send": true}));
    assert_eq!(setup.asked(), Vec::<String>::new());
    // The disk is back; or the user says that nothing is missing.
    for is_back in [true, false] {
        setup.plex.clear();
        setup.destroyed(&file);
        assert_eq!(setup.waiting(), set(&["/tv"]));
        if is_back {
            setup.file("tv/1.mp4");
        }
        setup.task("Scan Plex library");
        assert_eq!(setup.asked(), ["/plex/tv"]);
        assert!(setup.waiting().is_empty());
        let _ = fs::remove_dir_all(setup.media().join("tv"));
    }
}

#[test]
fn a_location_that_is_not_there_is_a_disk_that_is_away_too() {
    let setup = Setup::new();
    let file = setup.file("tv/1.mp4");
    fs::remove_dir_all(setup.media()).unwrap();
    let runs = [setup.destroyed(&file), setup.destroyed(&file)];
    assert!(runs.iter().all(|run| run.output["outcome"] == "waiting"));
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("Scan Plex library"), "{warnings:?}");
    assert_eq!(setup.waiting(), set(&["/tv"]));
    let runs = [(); 2].map(|()| setup.operation("plex.scan", &json!({"path": file})));
    assert!(lines(&runs, Level::Warning).len() == 2, "each time: {runs:?}");
    assert_eq!(setup.asked(), Vec::<String>::new());
    setup.file("other/1.mp4");
    setup.task("Scan Plex library");
    assert_eq!(setup.asked(), ["/plex"]);
    assert!(setup.waiting().is_empty());
    // Plex's own name, which leads nowhere on Stash's machine.
    setup.operation("plex.scan", &json!({"folder": "/plex/x"}));
    assert_eq!(setup.asked(), ["/plex", "/plex/x"]);
}

#[test]
fn folders_that_are_gone_below_one_that_stays_are_one_request() {
    let setup = Setup::new();
    setup.file("tv/stays.mp4");
    let names = (1..=15).map(|id| format!("tv/{id}/season/1.mp4"));
    let files: Vec<_> = names.map(|name| setup.file(&name)).collect();
    for id in 1..=15 {
        fs::remove_dir_all(setup.media().join(format!("tv/{id}"))).unwrap();
    }
    setup.plex.turn_off();
    files.iter().for_each(|file| drop(setup.destroyed(file)));
    assert_eq!(setup.waiting().len(), 15);
    setup.plex.turn_on();
    setup.task("Scan Plex library");
    assert_eq!(setup.asked(), ["/plex/tv"]);
    assert!(setup.waiting().is_empty());
}

#[test]
fn an_identity_that_can_not_be_read_is_one_warning_and_no_folder_is_lost() {
    let setup = Setup::new();
    fs::create_dir_all(setup.data("device_id.json/in the way")).unwrap();
    for id in 1..=3 {
        setup.scene(id, &[&format!("{id}/1.mp4")]);
    }
    let runs: Vec<_> = (1..=3).map(|id| setup.created(id)).collect();
    assert!(runs.iter().all(|run| run.output["outcome"] == "waiting"));
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("device_id.json"), "{warnings:?}");
    let pending = setup.operation("scan.pending", &json!({}));
    let reason = pending.output["waiting"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("device_id.json"), "{reason}");
    let error = setup.task("Scan Plex library").error.unwrap();
    assert!(error.ends_with("(-32001)"), "each time: {error}");
    fs::remove_dir_all(setup.data("device_id.json")).unwrap();
    setup.created(1);
    assert_eq!(distinct(&setup.asked()), set(&["/plex/1", "/plex/2", "/plex/3"]));
    assert!(setup.waiting().is_empty());
    // A success ends the silence.
    for name in ["device_id.json", "device_id.json.bak"] {
        let _ = fs::remove_file(setup.data(name));
    }
    fs::create_dir_all(setup.data("device_id.json/in the way")).unwrap();
    setup.scene(4, &["4/1.mp4"]);
    assert_eq!(lines(&[setup.created(4)], Level::Warning).len(), 1);
}

#[test]
fn a_location_is_asked_for_folders_that_are_gone_once_a_minute() {
    let setup = Setup::new();
    setup.file("stays.mp4");
    let files: Vec<_> = (1..=5).map(|id| setup.file(&format!("{id}/1.mp4"))).collect();
    for id in 1..=5 {
        fs::remove_dir_all(setup.media().join(id.to_string())).unwrap();
    }
    files.iter().for_each(|file| drop(setup.destroyed(file)));
    assert_eq!(setup.asked(), ["/plex"]);
    setup.later(61);
    setup.scene(9, &["9/1.mp4"]);
    setup.created(9);
    assert!(setup.waiting().is_empty(), "{:?}", setup.waiting());
    assert_eq!(distinct(&setup.asked()), set(&["/plex", "/plex/9"]));
    assert!(setup.asked().len() <= 3, "{:?}", setup.asked());
}

#[test]
fn a_path_map_that_is_mended_mends_what_waits() {
    let setup = Setup::new();
    setup.configure(json!({"path_map": "/nowhere=/plex"}));
    setup.plex.turn_off();
    setup.scene(1, &["a/1.mp4"]);
    assert_eq!(setup.created(1).output["outcome"], "waiting");
    setup.plex.turn_on();
    setup.configure(json!({}));
    let run = setup.task("Scan Plex library");
    assert_eq!((run.error, &run.output["waiting"]), (None, &json!(0)));
    assert_eq!(setup.asked(), ["/plex/a"]);
}

#[test]
fn a_folder_in_no_library_is_one_warning_and_does_not_wait() {
    let setup = Setup::new();
    setup.configure(json!({"path_map": ""}));
    for id in 1..=3 {
        setup.scene(id, &[&format!("{id}/1.mp4")]);
    }
    let runs: Vec<_> = (1..=3).map(|id| setup.created(id)).collect();
    let warnings = lines(&runs, Level::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for part in ["/1`", "path_map", "Scan Plex library", "`/plex`"] {
        assert!(warnings[0].contains(part), "{part}: {warnings:?}");
    }
    assert!(runs.iter().all(|run| run.output["outcome"] == "nothing"));
    assert!(setup.waiting().is_empty());
}

#[test]
fn a_plex_that_restarts_is_asked_again_for_what_it_forgot() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    setup.scene(2, &["b/1.mp4"]);
    setup.created(1);
    setup.plex.turn_off();
    assert_eq!(setup.created(2).output["outcome"], "waiting");
    assert_eq!(setup.waiting(), set(&["/a", "/b"]));
    setup.plex.turn_on();
    setup.plex.clear();
    setup.task("Scan Plex library");
    assert_eq!(distinct(&setup.asked()), set(&["/plex/a", "/plex/b"]));
}

#[test]
fn one_section_that_refuses_holds_up_no_other() {
    let setup = Setup::new();
    setup.plex.set_sections(vec![
        Section::new("1", "Scenes", "movie", &["/plex"]),
        Section::new("2", "Odd", "movie", &["/plex/a"]),
    ]);
    let odd = "/library/sections/2/refresh";
    setup.plex.fault(Fault::answer(500, &[], "").always().on(odd));
    setup.scene(1, &["a/1.mp4"]);
    setup.scene(2, &["b/1.mp4"]);
    let runs: Vec<_> = [1, 2, 1, 2, 1, 2].map(|id| setup.created(id)).into_iter().collect();
    assert!(runs.iter().all(|run| run.output["outcome"] != "waiting" || run.log.len() <= 1));
    assert_eq!(distinct(&setup.asked()), set(&["/plex/a", "/plex/b"]));
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("section `2`"), "{warnings:?}");
    let refused = || setup.plex.requests().iter().filter(|it| it.target.starts_with(odd)).count();
    let before = refused();
    assert!((1..=3).contains(&before), "from the third in a row once an hour: {before}");
    assert_eq!(setup.waiting(), set(&["/a"]));
    setup.plex.no_faults();
    setup.later(3601);
    setup.created(2);
    assert!(refused() > before && setup.waiting().is_empty(), "{:?}", setup.waiting());
}

#[test]
fn a_folder_that_a_section_refused_goes_to_the_one_that_takes_its_place() {
    let setup = Setup::new();
    setup.plex.fault(Fault::answer(500, &[], "").always().on("/library/sections/1/refresh"));
    setup.scene(1, &["a/1.mp4"]);
    for _ in 0..4 {
        assert_eq!(setup.created(1).output["outcome"], "waiting");
    }
    setup.plex.no_faults();
    setup.plex.set_sections(vec![Section::new("9", "Scenes", "movie", &["/plex"])]);
    setup.later(3601);
    setup.scene(2, &["b/1.mp4"]);
    setup.plex.clear();
    setup.created(2);
    assert_eq!(distinct(&setup.asked()), set(&["/plex/a", "/plex/b"]));
    assert!(setup.waiting().is_empty());
}

#[test]
fn a_scene_that_stash_can_not_tell_about_waits_by_its_id() {
    for fault in [fake_stash::Fault::Unauthorized, fake_stash::Fault::Answer(503, String::new())] {
        let setup = Setup::new();
        setup.scene(1, &["a/1.mp4"]);
        setup.stash.fault(fault.clone());
        let run = setup.created(1);
        assert_eq!(run.output["outcome"], "waiting", "{fault:?}");
        assert_eq!(lines(&[run], Level::Warning).len(), 1);
        setup.scene(2, &["b/1.mp4"]);
        setup.created(2);
        assert_eq!(distinct(&setup.asked()), set(&["/plex/a", "/plex/b"]), "{fault:?}");
        assert!(setup.waiting().is_empty());
    }
}

#[test]
fn every_call_in_stash_sends_what_waits() {
    for call in [
        |setup: &Setup| setup.hook("Scene.Update.Post", 1, &json!({"id": "1", "title": "x"})),
        |setup: &Setup| setup.operation("plex.request", &json!({"path": "/identity"})),
        |setup: &Setup| setup.operation("plex.scan", &json!({"folder": setup.file("b")})),
        |setup: &Setup| setup.task("Check Plex connection"),
        |setup: &Setup| setup.operation("scan.pending", &json!({"send": true})),
    ] {
        let setup = Setup::new();
        setup.scene(1, &["a/1.mp4"]);
        setup.plex.turn_off();
        setup.created(1);
        setup.plex.turn_on();
        setup.later(61);
        assert_eq!(call(&setup).error, None);
        assert!(setup.asked().contains(&"/plex/a".to_owned()), "{:?}", setup.asked());
        assert!(setup.waiting().is_empty());
    }
}

#[test]
fn a_task_asks_for_all_and_for_what_waits() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    setup.plex.turn_off();
    setup.created(1);
    let error = setup.task("Scan Plex library").error.unwrap();
    assert!(error.contains("refused") && error.ends_with("(-32010)"), "{error}");
    setup.plex.turn_on();
    let run = setup.task("Scan Plex library");
    assert_eq!(run.output, json!({"outcome": "asked", "sections": "all", "waiting": 0}));
    assert_eq!(setup.asked(), ["/plex/a"]);
    let info = lines(std::slice::from_ref(&run), Level::Info);
    assert!(info.iter().any(|line| line.contains("all its library sections")), "{info:?}");
    assert_eq!(setup.plex.scans().iter().filter(|scan| scan.path.is_none()).count(), 1);
}

#[test]
fn a_folder_that_an_operation_asks_for_in_vain_is_its_error_and_waits() {
    let setup = Setup::new();
    let folder = setup.file("a/1.mp4");
    setup.plex.turn_off();
    for _ in 0..2 {
        let error = setup.operation("plex.scan", &json!({"path": folder})).error.unwrap();
        assert!(error.ends_with("(-32010)"), "each time: {error}");
    }
    assert_eq!(setup.waiting(), set(&["/a"]));
}

#[test]
fn what_waits_can_be_seen_sent_and_forgotten() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    setup.scene(2, &["b/1.mp4"]);
    setup.plex.turn_off();
    setup.created(1);
    setup.created(2);
    let run = setup.task("Show waiting scans");
    assert_eq!(run.error, None);
    let waiting = run.output["waiting"].as_array().unwrap();
    assert_eq!(waiting.len(), 2);
    assert!(waiting[0]["since"].is_string() && waiting[0]["reason"].is_string(), "{waiting:?}");
    let info = lines(std::slice::from_ref(&run), Level::Info);
    assert!(info.iter().any(|line| line.contains("/a`")), "{info:?}");
    let tried = setup.operation("scan.pending", &json!({"send": true}));
    assert!(tried.error.unwrap().ends_with("(-32010)"));
    let left = setup.operation("scan.pending", &json!({"forget": true}));
    assert_eq!((left.error, left.output), (None, json!({"waiting": []})));
    setup.plex.turn_on();
    setup.later(61);
    setup.task("Scan Plex library");
    assert_eq!(setup.asked(), Vec::<String>::new());
}

#[test]
fn the_doctor_says_how_many_folders_wait_since_when_and_why() {
    let setup = Setup::new();
    let check = |run: &Run| {
        let checks = run.output["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "waiting_scans").unwrap().clone()
    };
    assert_eq!(check(&setup.task("Check Plex connection"))["state"], "ok");
    setup.scene(1, &["a/1.mp4"]);
    setup.plex.turn_off();
    setup.created(1);
    let waiting = check(&setup.task("Check Plex connection"));
    assert_eq!(waiting["state"], "warning");
    let message = waiting["message"].as_str().unwrap();
    assert!(message.contains("1 folder") && message.contains("since"), "{message}");
}

#[test]
fn deletes_however_quick_are_one_scan_of_their_folder() {
    let setup = Setup::new();
    setup.file("other/stays.mp4");
    for (folder, is_removed, asked) in [("a", false, "/plex/a"), ("b/c", true, "/plex/b")] {
        setup.file("b/stays.mp4");
        let files: Vec<_> = (1..=20).map(|id| setup.file(&format!("{folder}/{id}.mp4"))).collect();
        files.iter().for_each(|file| fs::remove_file(file).unwrap());
        if is_removed {
            fs::remove_dir(setup.media().join(folder)).unwrap();
        }
        setup.plex.clear();
        files.iter().for_each(|file| drop(setup.destroyed(file)));
        assert_eq!(setup.asked(), [asked], "20 deletes");
        assert!(setup.waiting().is_empty());
    }
}

#[test]
fn every_file_of_a_scene_is_looked_at_before_its_folder_is_skipped() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4", "a/2.mp4"]);
    let_the_files_grow_old();
    setup.created(1);
    assert_eq!(setup.created(1).output["outcome"], "skipped");
    // In place: neither the folder's time nor its names tell.
    fs::write(setup.media().join("a/2.mp4"), "another film").unwrap();
    assert_eq!(setup.created(1).output["outcome"], "asked");
}

#[test]
fn a_plex_that_takes_its_time_is_not_tried_by_every_hook_for_what_waits() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    setup.scene(2, &["b/1.mp4"]);
    let_the_files_grow_old();
    setup.created(1);
    setup.later(61);
    setup.plex.turn_off();
    setup.created(2);
    setup.plex.turn_on();
    setup.later(61);
    setup.plex.clear();
    setup.plex.fault(Fault::Delay(Duration::from_millis(1500)).always());
    for _ in 0..5 {
        setup.hook("Scene.Update.Post", 1, &json!({"id": "1", "title": "x"}));
    }
    assert!(setup.plex.requests().len() <= 1, "one hook a minute");
    assert_eq!(setup.waiting(), set(&["/b"]));
    setup.task("Scan Plex library");
    assert!(setup.waiting().is_empty());
}

#[test]
fn what_no_library_holds_is_an_error_of_an_operation_each_time_and_does_not_wait() {
    let setup = Setup::new();
    for _ in 0..2 {
        let error = setup.operation("plex.scan", &json!({"folder": "/nowhere"})).error.unwrap();
        assert!(error.contains("`/plex`") && error.ends_with("(-32602)"), "{error}");
    }
    assert!(setup.waiting().is_empty());
}

#[test]
fn a_list_that_can_not_be_kept_is_one_warning_and_every_folder_is_asked_for() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    fs::create_dir_all(setup.data("scans.json/in the way")).unwrap();
    let_the_files_grow_old();
    for _ in 0..2 {
        let run = setup.created(1);
        assert_eq!(run.output["outcome"], "asked", "{:?}", run.log);
        let warnings = lines(std::slice::from_ref(&run), Level::Warning);
        assert!(warnings.len() == 1 && warnings[0].contains("scans.json"), "{warnings:?}");
    }
    assert_eq!(setup.asked(), ["/plex/a", "/plex/a"]);
}

#[test]
fn a_list_that_is_torn_is_begun_anew() {
    let setup = Setup::new();
    setup.scene(1, &["a/1.mp4"]);
    fs::create_dir_all(setup.data("")).unwrap();
    fs::write(setup.data("scans.json"), r#"{"next":5,"waiting":[{"fol"#).unwrap();
    let run = setup.created(1);
    assert_eq!(run.output["outcome"], "asked");
    let warnings = lines(std::slice::from_ref(&run), Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("Scan Plex library"), "{warnings:?}");
    assert!(lines(&[setup.created(1)], Level::Warning).is_empty());
}

#[test]
fn settings_that_can_not_be_read_are_told_as_such_and_the_folder_waits() {
    let setup = Setup::new();
    setup.configure(json!({"path_map": "nonsense"}));
    setup.scene(1, &["a/1.mp4"]);
    let runs = [setup.created(1), setup.created(1)];
    let warnings = lines(&runs, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("`path_map`"), "{warnings:?}");
    let pending = setup.operation("scan.pending", &json!({}));
    let reason = pending.output["waiting"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`path_map`"), "{reason}");
    setup.configure(json!({}));
    setup.created(1);
    assert_eq!(setup.asked(), ["/plex/a"]);
}
