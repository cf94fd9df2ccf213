//! `doctor.run` as a task of Stash, whose user sees log lines and has settings, not options.

use plexsync_harness::FakePlex;
use plexsync_harness::fake_stash::FakeStash;
use serde_json::{Value, json};

use super::expect;
use crate::host;

/// The task *Check Plex connection*: what the method returns to Stash, and the log lines that its user sees.
fn in_stash(input: &Value) -> (Vec<(String, String, String)>, String) {
    let output = host().without_data_dir().run(input.to_string());
    assert!(output.status.success(), "{}", output.stderr);
    let reply: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(reply["error"], Value::Null, "{reply}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = reply["output"]["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .map(|check| (text(&check["name"]), text(&check["state"]), text(&check["message"])));
    (found.collect(), output.stderr)
}

#[test]
fn a_stash_user_reads_the_checks_in_the_log() {
    let (folder, plex, stash) =
        (tempfile::tempdir().unwrap(), FakePlex::start(), FakeStash::start());
    let plugin = folder.path().join("plugin");
    let input = stash.input(&plugin, &json!({"method": "doctor.run"}));

    let (found, log) = in_stash(&input);
    expect(&found, "stash", "ok", "v0.30.1");
    expect(&found, "plex_url", "warning", "no Plex server");
    assert!(log.contains("Settings > Plugins > PlexSync") && !log.contains("--plex-url"), "{log}");
    assert!(log.contains("are not well"), "{log}");

    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": plex.token()}));
    let (found, log) = in_stash(&input);
    expect(&found, "plex_url", "ok", "from `Settings > Plugins > PlexSync`");
    expect(&found, "plex_token", "ok", "from `Settings > Plugins > PlexSync`");
    expect(&found, "data_folder", "ok", "from `PluginDir`");
    expect(&found, "identity", "ok", "was created in");
    expect(&found, "plex_account", "ok", "`Attic`");
    assert!(!format!("{found:?}{log}").contains(&plex.token()));

    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": "another-server-s"}));
    let (found, log) = in_stash(&input);
    expect(&found, "plex_account", "failure", "401");
    assert!(log.contains("\u{1}e\u{2}plex_account: the token is not accepted"), "{log}");

    stash.end_sessions();
    let (found, _) = in_stash(&input);
    expect(&found, "stash", "failure", "refused the session");
}
