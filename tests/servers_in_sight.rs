//! The account's servers as a person sees them: on the command line, in `doctor`, in Stash.

use std::fs;

use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::{FakePlexTv, Fault, Host, HostBuilder};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::servers::searches;
use crate::servers::{at, plex, signed_in, tokens};

/// The same data folder, from the command line.
fn typed(host: &Host, tv: &FakePlexTv, arguments: &[&str]) -> (Option<i32>, String, String) {
    let builder: HostBuilder = at(tv).data_dir(host.data_dir()).env("PLEXSYNC_LOG", "error");
    let output = builder.args(arguments).run("");
    (output.status.code(), output.stdout, output.stderr)
}

fn check(report: &Value, name: &str) -> (String, String) {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no `{name}` in {report}"));
    let text = |member: &str| check[member].as_str().unwrap().to_owned();
    (text("state"), text("message"))
}

#[test]
fn a_person_lists_them_and_chooses_one() {
    let (tv, one, other) = (FakePlexTv::start(), plex("m1"), plex("m2"));
    let resources = vec![Resource::of(&one, "Box"), Resource::of(&other, "Attic")];
    let host = signed_in(&tv, at(&tv), resources);
    let (code, table, first) = typed(&host, &tv, &["servers"]);
    assert_eq!(code, Some(0), "{first}");
    assert!(first.starts_with("data folder `") && first.contains("device `"), "{first}");
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("Box    m1  owned, online, 1."), "{table}");
    assert_eq!(lines[1], format!("  {}  local", one.url()));
    assert!(lines[2].starts_with("Attic  m2  "), "{table}");
    let (_, probed, _) = typed(&host, &tv, &["servers", "--probe"]);
    assert_eq!(probed.matches("reachable, ").count(), 2, "{probed}");
    let (code, said, _) = typed(&host, &tv, &["servers", "choose", "attic"]);
    assert_eq!((code, said), (Some(0), format!("Attic is chosen, at {}.\n", other.url())));
    let (_, json, _) = typed(&host, &tv, &["servers", "--json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&listed["servers"][1]["chosen"], &listed["servers"][1]["in_use"]),
        (&json!(true), &json!(true))
    );
    let (code, _, error) = typed(&host, &tv, &["servers", "choose", "cellar"]);
    assert_eq!(code, Some(1));
    assert!(
        error.contains("`Box`, `Attic`") && error.contains("\"machine_identifier\""),
        "{error}"
    );
    let (code, _, _) = typed(&host, &tv, &["servers", "choose"]);
    assert_eq!(code, Some(2));
    assert!(tokens(&one).is_empty() && tokens(&other).is_empty());
}

#[test]
fn doctor_says_who_is_signed_in_and_walks_to_the_accounts_server() {
    let (tv, server) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&server, "Box")]);
    for how in ["found now", "remembered, and still true"] {
        let report = host.call("doctor.run", json!({})).unwrap();
        assert_eq!(check(&report, "plex_tv"), ("ok".to_owned(), "signed in as `alice`".to_owned()));
        let (state, message) = check(&report, "plex_tv_device");
        assert!(state == "ok" && message.contains("made the sign-in for"), "{message}");
        let (state, way) = check(&report, "plex_way");
        let expected = format!("`Box` (`m1`) at `{}`: {how}", server.url());
        assert_eq!((state.as_str(), way), ("ok", expected));
        assert_eq!(check(&report, "plex_account").0, "ok");
        assert!(
            report["checks"].as_array().unwrap().iter().all(|check| check["name"] != "plex_url")
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = host.data_dir().join("account.json");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let report = host.call("doctor.run", json!({})).unwrap();
        let (state, wide) = check(&report, "sign_in");
        assert!(state == "warning" && wide.contains("account.json"), "{wide}");
    }
    // The list is no longer readable, so who the sign-in was made for is not known; all else still is.
    tv.fault(Fault::answer(503, &[], "").on("/devices.xml"));
    let report = host.call("doctor.run", json!({})).unwrap();
    assert_eq!(check(&report, "plex_tv_device").0, "warning");
    assert_eq!(check(&report, "plex_account").0, "ok");
    let identity = host.call("identity.get", json!({})).unwrap();
    tv.revoke(&tv.token("alice", identity["device_id"].as_str().unwrap()).unwrap());
    let report = host.call("doctor.run", json!({})).unwrap();
    assert_eq!(check(&report, "plex_tv").0, "failure");
}

#[test]
fn doctor_that_may_write_nothing_writes_nothing() {
    let (tv, server) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&server, "Box")]);
    let report = host.call("doctor.run", json!({"create": false})).unwrap();
    assert_eq!(check(&report, "plex_way").0, "ok");
    let stored = fs::read_to_string(host.data_dir().join("server.json")).unwrap_or_default();
    assert!(!stored.contains("m1"), "{stored}");
}

#[test]
fn doctor_tells_which_account_lends_its_token_and_which_server_is_gone() {
    let (tv, server) = (FakePlexTv::start(), plex("m1"));
    let builder = at(&tv).env("PLEX_URL", server.url());
    let mut host = signed_in(&tv, builder, vec![Resource::server("Box", "m1", &server.token())]);
    let report = host.call("doctor.run", json!({})).unwrap();
    let (state, lent) = check(&report, "plex_token");
    assert!(state == "ok" && lent.contains("`Box`"), "{lent}");
    assert_eq!(check(&report, "plex_account").0, "ok");
    server.set_machine_identifier("m9");
    host.restart();
    let report = host.call("doctor.run", json!({})).unwrap();
    let (state, none) = check(&report, "plex_token");
    assert!(state == "warning" && none.contains("none of the account's servers"), "{none}");
    let gone = server.url();
    drop(server);
    tv.set_resources(vec![Resource::server("Box", "m1", "a-token-of-the-box").local(&gone)]);
    let mut host = at(&tv).data_dir(host.data_dir()).start();
    let report = host.call("doctor.run", json!({})).unwrap();
    assert_eq!(check(&report, "plex_way").0, "failure");
}

#[cfg(unix)]
mod in_stash {
    use plexsync_harness::FakePlex;
    use plexsync_harness::fake_plex::Section;
    use plexsync_harness::fake_stash::{FakeStash, Level, Plugin, Run};

    use super::*;
    use crate::package::install_worker;

    fn warnings(run: &Run) -> Vec<&str> {
        let lines = run.log.iter().filter(|line| line.level == Level::Warning);
        lines.map(|line| line.text.as_str()).collect()
    }

    fn refreshes(plex: &FakePlex) -> usize {
        plex.requests().iter().filter(|request| request.path().ends_with("/refresh")).count()
    }

    fn signed_in_plugin(tv: &FakePlexTv, stash: &FakeStash, folder: &std::path::Path) -> Plugin {
        let plugin = install_worker(folder).variable("PLEXSYNC_PLEX_TV", tv.url());
        let run = |arguments: Value| plugin.run_operation(stash, &arguments);
        run(json!({"method": "auth.start"}));
        assert!(tv.claim(&tv.codes()[0], "alice"));
        assert_eq!(run(json!({"method": "auth.finish"})).output["signed_in"], true);
        plugin
    }

    #[test]
    fn after_the_sign_in_a_hook_needs_no_setting_and_asks_plex_tv_once() {
        let (tv, stash, server) = (FakePlexTv::start(), FakeStash::start(), plex("m1"));
        let folder = tempfile::tempdir().unwrap();
        tv.set_resources(vec![Resource::of(&server, "Box")]);
        let plugin = signed_in_plugin(&tv, &stash, folder.path());
        for round in 1..3 {
            let scanned = plugin.run_task(&stash, "Scan Plex library", &json!({}));
            assert_eq!(scanned.error, None, "{:?}", scanned.log);
            assert_eq!(refreshes(&server), round);
        }
        assert_eq!(searches(&tv), 1);
    }

    #[test]
    fn the_setting_names_one_of_several() {
        let (tv, stash) = (FakePlexTv::start(), FakeStash::start());
        let (one, other, folder) = (plex("m1"), plex("m2"), tempfile::tempdir().unwrap());
        tv.set_resources(vec![Resource::of(&one, "Box"), Resource::of(&other, "Attic")]);
        let plugin = signed_in_plugin(&tv, &stash, folder.path());
        let scan = || plugin.run_task(&stash, "Scan Plex library", &json!({}));
        let error = scan().error.unwrap();
        assert!(error.contains("`Box`, `Attic`") && error.contains("plex_server"), "{error}");
        stash.configure("plexsync", json!({"plex_server": "attic"}));
        let run = scan();
        assert_eq!((run.error.as_deref(), warnings(&run)), (None, Vec::new()), "{:?}", run.log);
        assert_eq!((refreshes(&one), refreshes(&other)), (0, 1));
    }

    #[test]
    fn without_a_sign_in_and_without_settings_both_ways_are_named() {
        let (stash, folder) = (FakeStash::start(), tempfile::tempdir().unwrap());
        let plugin = install_worker(folder.path());
        let error = plugin.run_task(&stash, "Scan Plex library", &json!({})).error.unwrap();
        assert!(error.contains("*Sign in to Plex*") && error.contains("`plex_url`"), "{error}");
    }

    /// From the zip to the first scan with nothing typed but four characters; and what was found before that is not lost.
    #[test]
    fn a_hook_waits_for_the_sign_in_and_then_goes_to_the_accounts_server() {
        let (tv, stash, server) = (FakePlexTv::start(), FakeStash::start(), plex("m1"));
        let (folder, media) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let film = media.path().join("film");
        fs::create_dir(&film).unwrap();
        fs::write(film.join("film.mp4"), "film").unwrap();
        let media = media.path().to_str().unwrap();
        server.set_sections(vec![Section::new("1", "Scenes", "movie", &[media])]);
        stash.add_scene("45", &[film.join("film.mp4").to_str().unwrap()]);
        tv.set_resources(vec![Resource::of(&server, "Box")]);
        let plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
        let hook = || {
            let context = json!({"id": 45, "type": "Scene.Create.Post", "input": null});
            let arguments = json!({"method": "plex.scan", "hookContext": context});
            plugin.run_operation(&stash, &arguments)
        };
        for said in [1, 0] {
            let run = hook();
            assert_eq!((&run.error, &run.output["outcome"]), (&None, &json!("waiting")));
            let warnings = warnings(&run);
            assert_eq!(warnings.len(), said, "{warnings:?}");
            let names_both =
                |it: &&str| it.contains("*Sign in to Plex*") && it.contains("plex_url");
            assert!(warnings.iter().all(names_both), "{warnings:?}");
        }
        assert_eq!((tv.requests().len(), server.requests().len()), (0, 0));
        let run = |arguments: Value| plugin.run_operation(&stash, &arguments);
        run(json!({"method": "auth.start"}));
        assert!(tv.claim(&tv.codes()[0], "alice"));
        assert_eq!(run(json!({"method": "auth.finish"})).output["signed_in"], true);
        let first = hook();
        assert_eq!(
            (&first.error, &first.output["outcome"]),
            (&None, &json!("asked")),
            "{:?}",
            first.log
        );
        assert_eq!(server.scans().len(), 1);
        assert_eq!(searches(&tv), 1);
        let (before, plex_tv) = (server.requests().len(), tv.requests().len());
        fs::write(film.join("other.mp4"), "other").unwrap();
        assert_eq!(hook().output["outcome"], "asked");
        assert_eq!(
            (searches(&tv), tv.requests().len()),
            (1, plex_tv),
            "plex.tv is asked nothing more"
        );
        assert!(server.requests().len() > before);
        let stored = fs::read_to_string(plugin.folder.join("data/scans.json")).unwrap();
        assert!(stored.contains("\"m1\""), "by the server's identifier: {stored}");
    }
}
