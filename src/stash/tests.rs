//! What the worker asks of the Stash that started it, and what it makes of the answers.

use std::collections::BTreeSet;

use plexsync_harness::fake_stash::{FakeStash, Fault};
use serde_json::{Value, json};

use super::*;
use crate::remote_path::RemotePath;

fn connection(value: Value) -> ServerConnection {
    serde_json::from_value(value).expect("a connection as Go writes it")
}

fn client(fake: &FakeStash) -> Stash {
    let secrets = Secrets::default();
    Stash::new(&connection(fake.connection("/plugins/plexsync")), "plexsync".to_owned(), secrets)
}

fn run<Answer>(question: impl Future<Output = Answer>) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(question)
}

fn settings(stash: &Stash) -> Result<Settings, StashError> {
    run(stash.settings())
}

#[test]
fn settings_are_asked_for_once_and_only_when_wanted() {
    let fake = FakeStash::start();
    fake.configure(
        "plexsync",
        json!({"enabled": true, "plex_url": "http://plex:32400", "plex_token": "T", "path_map": "/a=/b"}),
    );
    fake.configure("other", json!({"plex_url": "http://elsewhere"}));
    let stash = client(&fake);
    assert_eq!(fake.requests().len(), 0);
    for _ in 0..3 {
        let settings = settings(&stash.clone()).unwrap();
        assert_eq!(settings.plex_url.as_deref(), Some("http://plex:32400"));
        assert_eq!(settings.plex_token.unwrap().expose(), "T");
        let path = RemotePath::parse("/a/x").unwrap();
        assert_eq!(settings.path_map.translate(&path), RemotePath::parse("/b/x"));
    }
    assert_eq!(fake.requests().len(), 1);
}

#[test]
fn nothing_saved_is_no_error() {
    let settings = settings(&client(&FakeStash::start())).unwrap();
    assert!(settings.plex_url.is_none() && settings.plex_token.is_none());
}

#[test]
fn a_request_carries_the_cookie_and_nothing_else_of_note() {
    let fake = FakeStash::start();
    let cookie = fake.cookie();
    settings(&client(&fake)).unwrap();
    let request = &fake.requests()[0];
    let names: BTreeSet<_> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    let expected = ["accept", "content-length", "content-type", "cookie", "host"];
    assert!(
        names.iter().all(|name| expected.contains(&name.as_str()) || name == "accept-encoding"),
        "{names:?}"
    );
    assert_eq!(request.header("cookie"), Some(format!("session={cookie}").as_str()));
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[test]
fn scenes_are_found_not_found_and_without_files() {
    let fake = FakeStash::start();
    fake.add_scene("45", &["/media/a.mp4", "/media/ü b.mp4"]);
    fake.add_scene("46", &[]);
    let stash = client(&fake);
    let files = |id| run(stash.scene_files(id)).unwrap();
    assert_eq!(files("45").unwrap(), ["/media/a.mp4", "/media/ü b.mp4"]);
    assert_eq!(files("46").unwrap(), Vec::<String>::new());
    assert_eq!(files("47"), None);
}

#[test]
fn settings_and_files_are_one_question() {
    let fake = FakeStash::start();
    fake.configure("plexsync", json!({"plex_url": "http://plex:32400"}));
    fake.add_scene("45", &["/media/a.mp4"]);
    let stash = client(&fake);
    let told = run(stash.settings_and_files("45"));
    assert_eq!(told.settings.unwrap().plex_url.as_deref(), Some("http://plex:32400"));
    assert_eq!(told.files.unwrap().unwrap(), ["/media/a.mp4"]);
    settings(&stash).unwrap();
    assert_eq!(fake.requests().len(), 1, "the settings are kept");
    assert_eq!(run(stash.settings_and_files("46")).files, Ok(None));
}

#[test]
fn settings_and_files_fail_each_for_itself() {
    let refused = |error: &StashError| matches!(error, StashError::Rejected { status: 200, .. });

    let fake = FakeStash::start();
    fake.add_scene("45", &["/media/a.mp4"]);
    fake.fail_field("findScene", "database is locked");
    let told = run(client(&fake).settings_and_files("45"));
    assert!(told.settings.is_ok());
    assert!(told.files.is_err_and(|error| refused(&error)));

    fake.fail_field("configuration", "no settings");
    let told = run(client(&fake).settings_and_files("45"));
    assert!(told.settings.is_err_and(|error| refused(&error)));
    assert!(told.files.is_err());

    let fake = FakeStash::start();
    fake.add_scene("45", &["/media/a.mp4"]);
    fake.configure("plexsync", json!({"path_map": "media"}));
    let told = run(client(&fake).settings_and_files("45"));
    assert!(matches!(told.settings, Err(StashError::Setting { name: "path_map", .. })));
    assert!(told.files.is_ok());

    for (fault, expected) in [(Fault::Unauthorized, "(401)"), (Fault::Close, "can't be reached")] {
        fake.fault(fault);
        let told = run(client(&fake).settings_and_files("45"));
        assert!(told.settings.unwrap_err().to_string().contains(expected));
        assert!(told.files.unwrap_err().to_string().contains(expected));
    }
}

#[test]
fn the_newest_cookie_of_a_good_answer_is_used() {
    let fake = FakeStash::start();
    fake.accept_only_the_newest_cookie();
    let stash = client(&fake);
    for _ in 0..3 {
        run(stash.scene_files("1")).unwrap();
    }
    // The cookie of a 401 is nobody's: the one before it goes on.
    fake.fault(Fault::Unauthorized);
    assert!(matches!(run(stash.scene_files("1")), Err(StashError::Refused { .. })));
    run(stash.scene_files("1")).unwrap();
}

/// In hexadecimal digits, as a debugger writes bytes.
fn spelled(secret: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_failure_names_the_settings_page_and_is_tried_again() {
    let fake = FakeStash::start();
    let cookie = fake.cookie();
    let faults = [
        (Fault::Unauthorized, "(401)"),
        (Fault::Unprocessable, "(422): Cannot query field"),
        (Fault::Errors(format!("no {cookie} here")), "no REDACTED here"),
        (Fault::Errors(format!("no {} here", spelled(&cookie))), "no REDACTED here"),
        (Fault::Errors("é".repeat(100_000)), "é; expected"),
        (Fault::Answer(200, "<html>".to_owned()), "expected Stash's GraphQL"),
        (Fault::Answer(302, String::new()), "(302)"),
        (Fault::Answer(503, String::new()), "(503)"),
        (Fault::Answer(200, " ".repeat(17 * 1024 * 1024)), "expected at most 16 MiB"),
        (Fault::Close, "can't be reached"),
    ];
    let stash = client(&fake);
    for (fault, expected) in faults {
        fake.fault(fault.clone());
        let message = settings(&stash).unwrap_err().to_string();
        assert!(message.contains(expected), "{fault:?}: {message}");
        assert!(message.contains("Settings > Plugins > PlexSync"), "{message}");
        assert!(!message.contains(&cookie[..20]) && message.chars().count() < 700, "{message}");
    }
    settings(&stash).unwrap();
}

#[test]
fn a_setting_that_can_not_be_used_is_read_again_once_it_is_mended() {
    let fake = FakeStash::start();
    fake.configure("plexsync", json!({"path_map": "media"}));
    let stash = client(&fake);
    assert!(matches!(settings(&stash), Err(StashError::Setting { name: "path_map", .. })));
    fake.configure("plexsync", json!({"path_map": "/media=/m"}));
    assert!(!settings(&stash).unwrap().path_map.is_empty());
}

#[test]
fn a_stash_that_is_gone_is_unreachable() {
    let fake = FakeStash::start();
    let stash = client(&fake);
    drop(fake);
    assert!(matches!(settings(&stash), Err(StashError::Unreachable { .. })));
}

#[test]
fn a_self_signed_certificate_is_good_on_loopback() {
    settings(&client(&FakeStash::start_tls())).unwrap();
}

#[test]
fn without_a_session_cookie_stash_may_refuse() {
    let fake = FakeStash::start();
    let mut value = fake.connection("/p");
    value["SessionCookie"] = Value::Null;
    let stash = Stash::new(&connection(value), "plexsync".to_owned(), Secrets::default());
    assert!(matches!(settings(&stash), Err(StashError::Refused { .. })));
    assert_eq!(fake.requests()[0].header("cookie"), None);
}

#[cfg(unix)]
#[test]
fn a_relative_plugin_folder_is_below_the_working_folder() {
    let cases = [
        ("plugins/community/plexsync", "/opt/stash/plugins/community/plexsync"),
        ("/root/.stash/plugins/plexsync", "/root/.stash/plugins/plexsync"),
        ("", "/opt/stash/"),
    ];
    for (plugin_dir, expected) in cases {
        let connection = ServerConnection {
            dir: "/etc/stash".to_owned(),
            plugin_dir: plugin_dir.to_owned(),
            ..ServerConnection::default()
        };
        let folder = super::plugin_dir(&connection, Path::new("/opt/stash"));
        assert_eq!(folder, Path::new(expected));
    }
}
