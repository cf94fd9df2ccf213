//! Signing in from Stash's tasks: link and code in the log, and nothing typed but four letters elsewhere.

#![cfg(unix)]

use plexsync_harness::FakePlexTv;
use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::fake_stash::{FakeStash, Level, Plugin, Run};
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

/// A user of Stash has no options: what fails names tasks.
#[test]
fn what_fails_names_what_a_user_of_stash_can_do() {
    let (tv, stash) = (FakePlexTv::start(), FakeStash::start());
    let folder = tempfile::tempdir().unwrap();
    let plugin: Plugin = install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let nothing = plugin.run_operation(&stash, &json!({"method": "auth.finish"}));
    let error = nothing.error.unwrap();
    assert!(error.contains("*Sign in to Plex*") && !error.contains("auth.start"), "{error}");
    tv.fault(plexsync_harness::Fault::CloseWithoutAnswer.always());
    let error = plugin.run_task(&stash, "Sign in to Plex", &json!({})).error.unwrap();
    assert!(error.contains("internet connection") && !error.contains("plex_url"), "{error}");
}
