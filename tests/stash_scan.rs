//! `plex.scan` in a Stash conversation: paths as Stash sees them, and nothing that fails in silence.

#![cfg(unix)]

use plexsync_harness::FakePlex;
use plexsync_harness::fake_plex::{Fault, Section};
use plexsync_harness::fake_stash::{FakeStash, Level, Plugin, Run};
use serde_json::{Value, json};

use crate::package::install_worker;

/// A Stash that sees Plex's `/plex` as `/stash`, and a Plex.
struct Setup {
    stash: FakeStash,
    plex: FakePlex,
    plugin: Plugin,
    _folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let (stash, plex) = (FakeStash::start(), FakePlex::start());
        plex.set_sections(vec![
            Section::new("1", "Scenes", "movie", &["/plex/scenes"]),
            Section::new("2", "All", "movie", &["/plex"]),
            Section::new("3", "Both", "movie", &["/media"]),
        ]);
        let url = plex.url();
        stash.configure(
            "plexsync",
            json!({"plex_url": url, "plex_token": plex.token(), "path_map": "/stash=/plex;/media=/elsewhere"}),
        );
        let folder = tempfile::tempdir().unwrap();
        let plugin = install_worker(folder.path());
        // A first id is announced: not in these tests.
        plugin.run_operation(&stash, &json!({"method": "identity.get"}));
        Self { stash, plex, plugin, _folder: folder }
    }

    fn operation(&self, params: &Value) -> Run {
        let arguments = json!({"method": "plex.scan", "params": params});
        self.plugin.run_operation(&self.stash, &arguments)
    }

    fn hook(&self, trigger: &str, input: &Value) -> Run {
        let context = json!({"id": 45, "type": trigger, "input": input});
        let arguments = json!({"method": "plex.scan", "hookContext": context});
        self.plugin.run_operation(&self.stash, &arguments)
    }

    fn asked(&self) -> Vec<(String, Option<String>)> {
        self.plex.scans().into_iter().map(|scan| (scan.section, scan.path)).collect()
    }
}

fn lines(run: &Run, level: Level) -> Vec<&str> {
    run.log.iter().filter(|line| line.level == level).map(|line| line.text.as_str()).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    expected.iter().map(|&(key, folder)| (key.to_owned(), Some(folder.to_owned()))).collect()
}

#[test]
fn an_operation_names_folders_as_stash_sees_them() {
    for (params, expected) in [
        (
            json!({"path": "/stash/scenes/x/a.mp4"}),
            &[("1", "/plex/scenes/x"), ("2", "/plex/scenes/x")][..],
        ),
        (json!({"folder": "/stash/scenes/x"}), &[("1", "/plex/scenes/x"), ("2", "/plex/scenes/x")]),
        (json!({"folder": "/stash/scenes/x", "section": "2"}), &[("2", "/plex/scenes/x")]),
        // No section holds `/elsewhere/x`, nor is `/plex` mapped: tried as given.
        (json!({"folder": "/media/x"}), &[("3", "/media/x")]),
        (json!({"folder": "/plex/x"}), &[("2", "/plex/x")]),
    ] {
        let setup = Setup::new();
        let run = setup.operation(&params);
        assert_eq!(run.error, None, "{params}");
        assert_eq!(run.output["outcome"], "asked");
        assert_eq!(setup.asked(), pairs(expected), "{params}");
        let info = lines(&run, Level::Info);
        assert_eq!(info.len(), 1, "one line says what was asked for: {:?}", run.log);
        assert!(expected.iter().all(|(_, folder)| info[0].contains(folder)), "{info:?}");
    }
}

#[test]
fn a_task_without_a_folder_is_one_request_and_one_line() {
    let setup = Setup::new();
    for (params, sections, target) in [
        (json!({}), "all", "/library/sections/all/refresh"),
        (json!({"section": ""}), "all", "/library/sections/all/refresh"),
        (json!({"section": "2"}), "2", "/library/sections/2/refresh"),
    ] {
        setup.plex.clear();
        let run = setup.operation(&params);
        assert_eq!(run.error, None);
        assert_eq!(run.output, json!({"outcome": "asked", "sections": sections, "waiting": 0}));
        let targets: Vec<_> = setup.plex.requests().into_iter().map(|it| it.target).collect();
        assert_eq!(targets, [target]);
        let info = lines(&run, Level::Info);
        assert!(info.len() == 1 && info[0].contains("library section"), "{:?}", run.log);
    }
}

/// The statuses of which a Stash user must hear, and what he reads.
const REFUSALS: [(u16, &str); 6] = [
    (401, "set `plex_token` in Settings > Plugins > PlexSync"),
    (403, "set `plex_token` in Settings > Plugins > PlexSync"),
    (404, "set `plex_url` in Settings > Plugins > PlexSync"),
    (301, "use `https://`"),
    (308, "use `https://`"),
    (503, "Plex is starting or in maintenance: wait"),
];

#[test]
fn a_refused_scan_is_an_error_of_a_task() {
    let setup = Setup::new();
    for (status, hint) in REFUSALS {
        for (params, on) in [
            (json!({}), "/library/sections/all/refresh"),
            (json!({"section": "2"}), "/library/sections/2/refresh"),
            (json!({"folder": "/stash/x"}), "/library/sections"),
            (json!({"folder": "/stash/x"}), "/library/sections/2/refresh"),
        ] {
            setup.plex.no_faults();
            setup.plex.fault(Fault::answer(status, &[], "").always().on(on));
            let run = setup.operation(&params);
            let error = run.error.clone().unwrap_or_else(|| panic!("{status} of {on}: {run:?}"));
            assert!(error.contains(&status.to_string()) && error.contains(hint), "{error}");
            assert!(error.ends_with("(-32013)"), "{error}");
            assert!(!error.contains("timeout_ms") && !error.contains("--"), "{error}");
            assert!(lines(&run, Level::Info).is_empty(), "nothing was asked for: {:?}", run.log);
        }
    }
}

#[test]
fn a_refused_scan_is_one_warning_of_a_hook_and_no_error() {
    for (status, hint) in REFUSALS {
        for (on, outcome) in
            [("/library/sections", "waiting"), ("/library/sections/2/refresh", "asked")]
        {
            let setup = Setup::new();
            setup.stash.add_scene("45", &["/stash/scenes/a.mp4", "/stash/b/b.mp4"]);
            setup.plex.fault(Fault::answer(status, &[], "").always().on(on));
            let run = setup.hook("Scene.Create.Post", &Value::Null);
            assert_eq!(run.error, None, "{status} of {on}");
            let warnings = lines(&run, Level::Warning);
            assert_eq!(warnings.len(), 1, "{status} of {on}: {:?}", run.log);
            assert!(warnings.iter().all(|line| line.contains(hint)), "{warnings:?}");
            assert_eq!(run.output["outcome"], outcome, "only what Plex took was asked for");
        }
    }
}

#[test]
fn a_refused_request_is_a_warning() {
    let setup = Setup::new();
    let request =
        json!({"method": "plex.request", "params": {"path": "/library/sections", "retries": 0}});
    for (status, hint) in REFUSALS {
        setup.plex.no_faults();
        setup.plex.fault(Fault::answer(status, &[], "").always());
        let run = setup.plugin.run_operation(&setup.stash, &request);
        assert_eq!((run.error.as_ref(), &run.output["status"]), (None, &json!(status)));
        let warnings = lines(&run, Level::Warning);
        assert!(warnings.len() == 1 && warnings[0].contains(hint), "{:?}", run.log);
    }
    setup.plex.no_faults();
    let run = setup.plugin.run_operation(&setup.stash, &request);
    assert!(lines(&run, Level::Warning).is_empty(), "{:?}", run.log);
}

#[test]
fn only_scenes_whose_files_moved_are_scanned() {
    let setup = Setup::new();
    setup.stash.add_scene("45", &["/stash/scenes/a.mp4"]);
    for (trigger, input) in [
        ("Scene.Update.Post", json!({"id": "45", "title": "x"})),
        ("Scene.Update.Post", json!([{"id": "45"}])),
        ("Scene.Create.Post", json!({"title": "x"})),
        ("Image.Create.Post", Value::Null),
        ("Gallery.Destroy.Post", json!({"path": "/stash/scenes/a.zip"})),
        ("Performer.Update.Post", Value::Null),
    ] {
        let run = setup.hook(trigger, &input);
        assert_eq!(run.error, None);
        assert_eq!(run.output, json!({"outcome": "nothing"}), "{trigger}");
        assert!(run.log.is_empty(), "{:?}", run.log);
    }
    assert_eq!(setup.plex.requests().len() + setup.stash.requests().len(), 0);
    for (trigger, input) in [
        ("Scene.Create.Post", Value::Null),
        ("Scene.Update.Post", Value::Null),
        ("Scene.Destroy.Post", json!({"id": "45", "path": "/stash/scenes/a.mp4"})),
    ] {
        setup.plex.clear();
        assert_eq!(setup.hook(trigger, &input).output["outcome"], "asked", "{trigger}");
        assert_eq!(setup.asked(), pairs(&[("1", "/plex/scenes"), ("2", "/plex/scenes")]));
    }
}

#[test]
fn a_scene_with_several_files_has_each_folder_scanned_once() {
    let setup = Setup::new();
    let files = ["/stash/scenes/a.mp4", "/stash/b/b.mp4", "/stash/scenes/c.mp4", "/nowhere/d.mp4"];
    setup.stash.add_scene("45", &files);
    let run = setup.hook("Scene.Update.Post", &Value::Null);
    let (scenes, b) = ("/plex/scenes", "/plex/b");
    assert_eq!(setup.asked(), pairs(&[("1", scenes), ("2", scenes), ("2", b)]));
    assert_eq!(
        (&run.output["folder"], &run.output["also"][1]["folder"]),
        (&json!(scenes), &json!(b))
    );
    let warnings = lines(&run, Level::Warning);
    assert!(warnings.len() == 1 && warnings[0].contains("/nowhere"), "{:?}", run.log);
    let lists = setup.plex.requests().iter().filter(|it| it.target == "/library/sections").count();
    assert_eq!(lists, 1, "one list a call");
}

#[test]
fn a_folder_in_no_library_is_told_with_path_map_and_the_locations() {
    let setup = Setup::new();
    setup.stash.add_scene("45", &["/Media/a.mp4"]);
    let warning = setup.hook("Scene.Create.Post", &Value::Null);
    assert_eq!(warning.error, None);
    let error = setup.operation(&json!({"folder": "/Media"})).error.unwrap();
    for text in [lines(&warning, Level::Warning)[0], &error] {
        for part in [
            "`/Media`",
            "`/plex/scenes`",
            "`/media` differs in letter case",
            "path_map",
            "Scan Plex library",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

/// Gives a section one item with this file.
fn add_item(setup: &Setup, section: &str, file: &str) {
    let item = json!({"ratingKey": "7", "type": "movie", "title": "T", "Media": [{"Part": [{"file": file}]}]});
    let listing = json!({"MediaContainer": {"size": 1, "Metadata": [item]}});
    setup.plex.set_listing(section, &listing.to_string());
}

#[test]
fn files_are_found_under_stash_s_names() {
    let setup = Setup::new();
    add_item(&setup, "1", "/plex/scenes/x/a.mp4");
    let found = json!([{"path": "/stash/scenes/x/a.mp4", "rating_key": "7", "type": "movie", "title": "T",
        "section": "1", "file": "/plex/scenes/x/a.mp4"}]);
    let call = |params: &Value, hook: Option<Value>| {
        let mut arguments = json!({"method": "plex.find", "params": params});
        if let Some(hook) = hook {
            arguments["hookContext"] = hook;
        }
        setup.plugin.run_operation(&setup.stash, &arguments)
    };
    let paths = json!({"paths": ["/stash/scenes/x/a.mp4", "/stash/scenes/x/b.mp4"]});
    let run = call(&paths, None);
    assert_eq!((&run.error, &run.output["items"]), (&None, &found), "{:?}", run.log);
    assert_eq!(run.output["missing"], json!(["/stash/scenes/x/b.mp4"]));
    assert_eq!(lines(&run, Level::Info).last(), Some(&"Plex has 1 of 2 files"));
    setup.stash.add_scene("45", &["/stash/scenes/x/a.mp4"]);
    let hook = json!({"id": 45, "type": "Scene.Update.Post", "input": null});
    let run = call(&json!({}), Some(hook));
    assert_eq!((&run.error, &run.output["items"]), (&None, &found), "{:?}", run.log);
    assert!(call(&json!({}), None).error.unwrap().contains("give `path` or `paths`"));
}

#[test]
fn an_operation_waits_for_its_file() {
    let setup = Setup::new();
    add_item(&setup, "2", "/plex/scenes/x/a.mp4");
    let run = setup.operation(&json!({"path": "/stash/scenes/x/a.mp4", "wait_ms": 60_000}));
    assert_eq!(run.error, None, "{:?}", run.log);
    assert_eq!((&run.output["outcome"], &run.output["waited"]), (&json!("asked"), &json!("found")));
    assert_eq!(run.output["items"][0]["path"], "/stash/scenes/x/a.mp4");
    assert_eq!(lines(&run, Level::Info).last(), Some(&"Plex has `/stash/scenes/x/a.mp4`"));
    let context = json!({"id": 45, "type": "Scene.Create.Post", "input": null});
    let params = json!({"path": "/stash/scenes/x/a.mp4", "wait_ms": 5});
    let arguments = json!({"method": "plex.scan", "params": params, "hookContext": context});
    let refused = setup.plugin.run_operation(&setup.stash, &arguments).error.unwrap();
    assert!(refused.contains("can't be used in a hook"), "{refused}");
}
