//! The plugin as Stash runs it: installed from its package, a process for every task and hook, one device throughout.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use plexsync_harness::FakePlex;
use plexsync_harness::fake_plex::Fault;
use plexsync_harness::fake_stash::{FakeStash, Level, PackageManager, Plugin, Run};
use plexsync_protocol::message::DRAIN;
use serde_json::{Value, json};

use crate::package::install_worker;

/// A Stash with the plugin and its settings, and a Plex.
struct Setup {
    stash: FakeStash,
    plex: FakePlex,
    plugin: Plugin,
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let (stash, plex) = (FakeStash::start(), FakePlex::start());
        stash.add_scene("45", &["/stash/movies/new/a & b.mp4"]);
        let folder = tempfile::tempdir().unwrap();
        let plugin = install_worker(folder.path());
        let setup = Self { stash, plex, plugin, folder };
        setup.configure(json!({}));
        setup
    }

    fn configure(&self, more: Value) {
        let (url, token) = (self.plex.url(), self.plex.token());
        let mut settings =
            json!({"plex_url": url, "plex_token": token, "path_map": "/stash=/media"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.stash.configure("plexsync", settings);
    }

    fn hook(&self, trigger: &str, id: u64, input: &Value) -> Run {
        let mut runs = self.plugin.run_hooks(&self.stash, trigger, id, input);
        assert_eq!(runs.len(), 1);
        runs.remove(0)
    }

    fn task(&self, name: &str) -> Run {
        self.plugin.run_task(&self.stash, name, &json!({}))
    }

    fn scanned(&self) -> Vec<(String, Option<String>)> {
        self.plex.scans().into_iter().map(|scan| (scan.section, scan.path)).collect()
    }
}

fn folder(section: &str, path: &str) -> (String, Option<String>) {
    (section.to_owned(), Some(path.to_owned()))
}

/// What the plugin said, and that Stash took it as it was meant.
fn output(run: Run) -> Value {
    assert_eq!(run.error, None, "{:?}", run.log);
    assert_eq!(run.swallowed, None);
    assert!(run.log.iter().all(|line| line.marked), "{:?}", run.log);
    run.output
}

#[test]
fn the_device_outlives_update_uninstall_and_reinstall() {
    let setup = Setup::new();
    let manager = PackageManager::new(setup.folder.path(), "community");
    let index = setup.folder.path().join("source/index.yml");
    let mut ids = BTreeSet::new();
    let mut check = || {
        let id = output(setup.task("Show identity"))["device_id"].as_str().unwrap().to_owned();
        output(setup.task("Check Plex connection"));
        ids.insert(id);
    };
    check();
    manager.install(&index, "plexsync").unwrap();
    check();
    manager.uninstall("plexsync").unwrap();
    manager.install(&index, "plexsync").unwrap();
    check();
    assert_eq!(ids.len(), 1);
    let devices = setup.plex.devices();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].identifier, ids.pop_first());
}

#[test]
fn hooks_that_start_together_are_one_device() {
    let setup = Setup::new();
    let data = setup.plugin.folder.join("data");
    for round in 1..=100 {
        let _ = fs::remove_dir_all(&data);
        setup.plex.clear();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| output(setup.hook("Scene.Create.Post", 45, &Value::Null)));
            }
        });
        let kept = fs::read_to_string(data.join("device_id.json")).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        let devices: Vec<_> = setup.plex.devices().into_iter().map(|it| it.identifier).collect();
        assert_eq!(devices, [kept["device_id"].as_str().map(str::to_owned)], "round {round}");
        let scans = setup.scanned().len();
        assert!((2..=16).contains(&scans), "round {round}: two sections hold the folder: {scans}");
    }
}

#[test]
fn a_new_moved_or_destroyed_scene_has_its_folder_scanned() {
    let setup = Setup::new();
    output(setup.hook("Scene.Create.Post", 45, &Value::Null));
    output(setup.hook("Scene.Update.Post", 45, &Value::Null));
    let destroyed = json!({"id": "6", "delete_file": false, "path": "/stash/tv/show/é 1.mp4"});
    output(setup.hook("Scene.Destroy.Post", 6, &destroyed));
    let (movies, show) = ("/media/movies/new", "/media/tv/show");
    let created = [folder("1", movies), folder("3", movies)];
    let destroyed = [folder("2", show), folder("3", show)];
    assert_eq!(setup.scanned(), [&created[..], &created, &destroyed].concat());
}

#[test]
fn an_edit_asks_nobody_anything() {
    let setup = Setup::new();
    for input in [json!({"id": "45", "title": "x"}), json!([{"id": "45"}, {"id": "46"}])] {
        output(setup.hook("Scene.Update.Post", 45, &input));
    }
    assert_eq!(setup.plex.requests().len(), 0);
    assert_eq!(setup.stash.requests().len(), 0);
    assert!(!setup.plugin.folder.join("data").exists(), "no identity is needed");
}

#[test]
fn a_folder_may_have_another_name_in_plex() {
    let setup = Setup::new();
    setup.configure(json!({"path_map": "/stash=/media/movies"}));
    setup.stash.add_scene("7", &["/stash/new/a.mp4"]);
    output(setup.hook("Scene.Create.Post", 7, &Value::Null));
    let new = "/media/movies/new";
    assert_eq!(setup.scanned(), [folder("1", new), folder("3", new)]);
}

#[test]
fn a_folder_that_no_section_holds_is_a_warning() {
    let setup = Setup::new();
    setup.stash.add_scene("8", &["/elsewhere/a.mp4"]);
    let run = setup.hook("Scene.Create.Post", 8, &Value::Null);
    let warnings: Vec<_> =
        run.log.iter().filter(|line| line.level == Level::Warning).map(|line| &line.text).collect();
    assert_eq!(warnings.len(), 1, "{:?}", run.log);
    assert!(warnings[0].contains("path_map") && warnings[0].contains("/media/tv"), "{warnings:?}");
    output(run);
}

#[test]
fn without_plex_or_settings_the_error_says_what_to_do() {
    let setup = Setup::new();
    setup.configure(json!({"plex_url": "http://127.0.0.1:1"}));
    let run = setup.hook("Scene.Create.Post", 45, &Value::Null);
    assert!(run.log.iter().any(|line| line.text.contains("127.0.0.1:1")), "{:?}", run.log);
    output(run);
    let error = setup.task("Scan Plex library").error.unwrap();
    assert!(error.contains("127.0.0.1:1") && error.ends_with("(-32010)"), "{error}");
    setup.stash.configure("plexsync", json!({}));
    let run = setup.task("Check Plex connection");
    let hint = run.log.iter().find(|line| line.text.starts_with("plex_url: ")).unwrap();
    assert!(hint.text.contains("Settings > Plugins > PlexSync"), "{hint:?}");
    output(run);
    setup.stash.end_sessions();
    output(setup.task("Show identity"));
}

#[test]
fn a_scan_of_everything_is_one_request() {
    let setup = Setup::new();
    output(setup.task("Scan Plex library"));
    assert_eq!(setup.plex.requests().len(), 1);
    assert!(setup.scanned().len() > 1 && setup.scanned().iter().all(|(_, path)| path.is_none()));
}

/// Stash closes stdin at once in the raw interface: that ends the message, not the call.
#[test]
fn a_call_has_its_own_time_though_stash_closes_stdin() {
    let setup = Setup::new();
    setup.plex.fault(Fault::Delay(DRAIN + Duration::from_secs(2)).always());
    let params = json!({"path": "/identity", "timeout_ms": 25_000});
    let arguments = json!({"method": "plex.request", "params": params});
    let run = setup.plugin.run_operation(&setup.stash, &arguments);
    assert_eq!(output(run)["status"], 200);
}

#[test]
fn a_reset_makes_one_more_device() {
    let setup = Setup::new();
    output(setup.task("Check Plex connection"));
    let reset = output(setup.task("Reset identity: yes, become a new device"));
    output(setup.task("Check Plex connection"));
    assert_ne!(reset["device_id"], reset["previous"]);
    assert_eq!(setup.plex.devices().len(), 2);
}

#[test]
fn no_secret_is_ever_logged() {
    let setup = Setup::new();
    let plugin = setup.plugin.clone().variable("PLEXSYNC_LOG", "trace");
    let (cookie, token) = (setup.stash.cookie(), setup.plex.token());
    for run in plugin.run_hooks(&setup.stash, "Scene.Create.Post", 45, &Value::Null) {
        for line in &run.log {
            assert!(!line.text.contains(&cookie) && !line.text.contains(&token), "{}", line.text);
        }
    }
}

/// What a flag or a call leaves open, Stash is asked for, and nothing else.
#[test]
fn a_server_named_elsewhere_gets_the_token_that_stash_has_for_it() {
    let (stash, plex) = (FakeStash::start(), FakePlex::start());
    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": plex.token()}));
    let all = crate::host().plex(&plex);
    let by_flag = crate::host().arg("--plex-url").arg(plex.url());
    let by_call = Some(plex.url());
    for (host, server, asked) in
        [(all, None, false), (by_flag, None, true), (crate::host(), by_call, true)]
    {
        let before = stash.requests().len();
        let params = json!({"path": "/library/sections", "server": server});
        let run = host.start().call(
            "RPCRunner.Run",
            json!({
                "server_connection": stash.connection("/plugins/plexsync"),
                "args": {"method": "plex.request", "params": params},
            }),
        );
        let run = run.unwrap();
        assert_eq!(run["output"]["status"], 200, "{run}");
        assert_eq!(plex.requests().last().unwrap().header("X-Plex-Token"), Some(&*plex.token()));
        assert_eq!(stash.requests().len() > before, asked);
    }
}
