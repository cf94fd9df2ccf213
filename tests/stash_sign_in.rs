//! Signing in from Stash's tasks: link and code in the log, and nothing typed but four characters elsewhere.

#![cfg(unix)]

use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::fake_stash::{FakeStash, Launch, Level, Plugin, Run};
use plexsync_harness::{FakePlex, FakePlexTv, Fault};
use serde_json::json;

use crate::package::install_worker;

fn said(run: &Run, level: Level) -> Vec<&str> {
    run.log.iter().filter(|line| line.level == level).map(|line| line.text.as_str()).collect()
}

#[test]
fn a_task_signs_in_and_another_signs_out() {
    let (tv, stash) = (FakePlexTv::start(), FakeStash::start());
    tv.set_resources(vec![Resource::server("Attic", "m1", "a-server-token-of-attic")]);
    let folder = tempfile::tempdir().unwrap();
    let plugin: Plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let task = |name: &str| plugin.run_task(&stash, name, &json!({}));
    let run = std::thread::scope(|scope| {
        let running = scope.spawn(|| task("Sign in to Plex"));
        tv.wait_for_requests(1, "GET", "/api/v2/pins/");
        assert!(tv.claim(&tv.codes()[0], "alice"));
        running.join().unwrap()
    });
    assert_eq!((&run.error, &run.output["signed_in"]), (&None, &json!(true)), "{:?}", run.log);
    let lines = said(&run, Level::Info);
    let code = lines
        .iter()
        .position(|line| line.contains("https://plex.tv/link and enter the code"))
        .unwrap();
    assert!(lines[code + 1].contains("other tasks wait"), "{lines:?}");
    let last =
        "Signed in to Plex as alice, with the servers Attic. Check that this is your account";
    assert_eq!(lines.last(), Some(&last));
    assert!(run.log.iter().any(|line| matches!(line.level, Level::Progress(_))), "{:?}", run.log);
    assert_eq!(said(&run, Level::Warning), [""; 0]);
    assert_eq!(
        said(&task("Sign in to Plex"), Level::Info),
        ["Signed in to Plex as alice. Check that this is your account"]
    );
    assert_eq!(said(&task("Sign out of Plex"), Level::Info), ["Signed out of Plex"]);
}

/// Stash stops a task of a raw plugin with SIGKILL.
#[test]
fn a_task_that_was_stopped_goes_on_with_the_same_code() {
    let (tv, stash) = (FakePlexTv::start(), FakeStash::start());
    let folder = tempfile::tempdir().unwrap();
    let plugin: Plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let program = plugin.folder.join("plexsync-worker");
    let launch =
        Launch::new(program).working_folder(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let arguments = json!({"method": "auth.start", "wait": "true"});
    let mut task = launch.start_raw(&stash.input(&plugin.folder, &arguments));
    tv.wait_for_requests(1, "GET", "/api/v2/pins/");
    task.stop();
    let run = task.finish();
    let code = tv.codes().pop().unwrap();
    assert!(said(&run, Level::Info)[0..2].iter().any(|line| line.contains(&code)), "{:?}", run.log);
    assert!(tv.claim(&code, "alice"));
    let again = plugin.run_task(&stash, "Sign in to Plex", &json!({}));
    assert_eq!(again.output["signed_in"], true, "{:?}", again.log);
    assert_eq!(tv.requests_of("POST", "/api/v2/pins").len(), 1);
}

#[test]
fn an_operation_tells_the_code_and_does_not_wait() {
    let (tv, stash) = (FakePlexTv::start(), FakeStash::start());
    let folder = tempfile::tempdir().unwrap();
    let plugin: Plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let begun = plugin.run_operation(&stash, &json!({"method": "auth.start"}));
    assert_eq!(begun.output["user_code"], tv.codes()[0]);
    assert!(tv.claim(&tv.codes()[0], "alice"));
    let done = plugin.run_operation(&stash, &json!({"method": "auth.finish"}));
    assert_eq!(done.output["signed_in"], true);
}

/// Without a configured URL there is none to mend.
#[test]
fn a_server_of_the_account_that_is_away_is_named_and_no_url_is() {
    for was_found in [true, false] {
        let (tv, stash, plex) = (FakePlexTv::start(), FakeStash::start(), FakePlex::start());
        tv.set_resources(vec![Resource::of(&plex, "Attic")]);
        let folder = tempfile::tempdir().unwrap();
        let plugin: Plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
        let scan = || plugin.run_task(&stash, "Scan Plex library", &json!({})).error;
        plugin.run_operation(&stash, &json!({"method": "auth.start"}));
        assert!(tv.claim(&tv.codes()[0], "alice"));
        plugin.run_operation(&stash, &json!({"method": "auth.finish"}));
        if was_found {
            assert_eq!(scan(), None);
            plex.fault(Fault::answer(401, &[], "").always().on("/library"));
            let error = scan().unwrap();
            assert!(error.contains("`Attic`") && error.contains("*Sign in to Plex*"), "{error}");
            assert!(!error.contains("plex_token"), "{error}");
            plex.no_faults();
        }
        plex.turn_off();
        let error = scan().unwrap();
        assert!(error.contains("a server of the account"), "{error}");
        assert!(error.contains("*Check Plex connection*"), "{error}");
        assert!(!error.contains("plex_url"), "{error}");
    }
}

/// A user of Stash has no options: what fails names tasks.
#[test]
fn what_fails_names_what_a_user_of_stash_can_do() {
    let (tv, stash) = (FakePlexTv::start(), FakeStash::start());
    let folder = tempfile::tempdir().unwrap();
    let plugin: Plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let nothing = plugin.run_operation(&stash, &json!({"method": "auth.finish"}));
    let error = nothing.error.unwrap();
    assert!(error.contains("*Sign in to Plex*") && !error.contains("auth.start"), "{error}");
    tv.fault(Fault::CloseWithoutAnswer.always());
    let error = plugin.run_task(&stash, "Sign in to Plex", &json!({})).error.unwrap();
    assert!(error.contains("internet connection") && !error.contains("plex_url"), "{error}");
}
