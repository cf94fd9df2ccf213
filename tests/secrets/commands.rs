//! The commands that a person types: what they print and log of servers that know a token and echo it.

use plexsync_harness::fake_plex_tv::{DeviceRow, Resource, plex_tv_error};
use plexsync_harness::{FakePlex, FakePlexTv, Fault};
use serde_json::json;

use super::echoed::in_every_spelling;
use crate::host;

const COMMANDS: [&[&str]; 14] = [
    &["login"],
    &["login", "--json"],
    &["servers"],
    &["servers", "choose", "m1"],
    &["devices"],
    &["devices", "--json"],
    &["devices", "remove", "1", "--yes"],
    &["doctor"],
    &["doctor", "--json"],
    &["identity", "show"],
    &["call", "auth.status"],
    &["call", "plex.find", r#"{"path": "/data/film.mp4"}"#],
    &["call", "plex.scan", r#"{"path": "/data/film.mp4"}"#],
    &["call", "plex.request", r#"{"path": "/identity", "parse": "none"}"#],
];

#[test]
fn commands_print_and_log_no_token_in_any_spelling() {
    in_every_spelling(|spell, _| {
        let (tv, plex) = (FakePlexTv::start(), FakePlex::start());
        let builder = host().env("PLEXSYNC_PLEX_TV", tv.url()).env("PLEXSYNC_LOG", "trace");
        let begun = builder.run("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.start\"}\n");
        assert!(tv.claim(&tv.codes()[0], "alice"), "{begun:?}");
        let asked = tv.requests().remove(0);
        let device = asked.header("X-Plex-Client-Identifier").unwrap();
        let (token, server) = (tv.token("alice", device).unwrap(), plex.token());
        // A command knows the server's token when it has come to the server.
        let (named, text) = (spell(&token), format!("{} {}", spell(&token), spell(&server)));
        tv.set_user("alice", json!({"username": named, "title": named}));
        tv.set_resources(vec![Resource::of(&plex, &text)]);
        let row = [("id", "1"), ("name", &*named), ("product", "PlexAPI"), ("platform", &*named)];
        tv.add_device(DeviceRow::new(row));
        let page = json!({"message": text, "errors": [{"code": 1, "message": text}]}).to_string();
        let page = Fault::answer(403, &[("Content-Type", "application/json")], page);
        let (mut printed, mut ended) = (String::new(), 0);
        let mut run = || {
            for words in COMMANDS {
                let output = builder.clone().args(words).run("");
                printed += &format!("{words:?}\n{}{}\n", output.stdout, output.stderr);
                ended += usize::from(output.status.success());
            }
        };
        run();
        plex.fault(page.always());
        run();
        tv.fault(plex_tv_error(503, 1, &named).always());
        run();
        plex.no_faults();
        tv.no_faults();
        let output = builder.clone().arg("logout").run("");
        printed += &format!("{}{}", output.stdout, output.stderr);
        assert!(ended >= COMMANDS.len(), "{ended} commands ended well: {printed}");
        assert!(printed.contains("REDACTED") && printed.contains("/api/v2/user"), "{printed}");
        for secret in [&token, &server] {
            for found in [secret.clone(), spell(secret)] {
                let line = printed.lines().find(|line| line.contains(&found));
                assert_eq!(line, None, "`{secret}` got out");
            }
        }
    });
}
