//! What a sign-in costs a call: the account's server, remembered, beside a configured URL and token.

use std::path::Path;
use std::process::Command;

use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::{FakePlex, FakePlexTv, Host, TlsSetup};
use serde_json::json;

use crate::report::{Table, Target};
use crate::stats::interleave;
use crate::worker::{WORKER, command, milliseconds, request};

const ROUNDS: usize = 60;

pub(crate) fn measure(table: &mut Table) {
    let (tv, plex) = (FakePlexTv::start(), FakePlex::start_tls(TlsSetup::PlexDirect));
    tv.set_resources(vec![Resource::of(&plex, "Attic")]);
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, plex.ca_pem().unwrap()).unwrap();
    let builder = Host::builder().binary(WORKER).env("PLEXSYNC_PLEX_TV", tv.url());
    let mut host = builder.env("PLEX_CA", &authority).start();
    let begun = host.call("auth.start", json!({})).unwrap();
    tv.claim(begun["user_code"].as_str().unwrap(), "alice");
    host.call("auth.finish", json!({"timeout_ms": 25_000})).unwrap();
    host.call("plex.request", json!({"path": "/identity"})).unwrap();
    let asked = tv.requests().len();

    let worker = |data: &Path| {
        let mut command: Command = command(WORKER);
        command.env("PLEXSYNC_DATA_DIR", data).env("PLEX_CA", &authority);
        command
    };
    let time = |command: &mut Command| {
        milliseconds(command, &request("/library/sections"), r#""status":200"#)
    };
    let configured = folder.path().join("data");
    let [signed_in, configured] = interleave(
        ROUNDS,
        [
            Box::new(|| time(worker(&host.data_dir()).env("PLEXSYNC_PLEX_TV", tv.url()))),
            Box::new(|| {
                let mut command = worker(&configured);
                time(command.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token()))
            }),
        ],
    );
    assert_eq!(tv.requests().len(), asked, "a remembered server asks plex.tv nothing");
    let row = "spawn, a request over https, signed in, exit";
    let contest = (&signed_in, "URL and token configured", &configured);
    table.ratio(row, " ms", contest, Target::AtMost(1.15));
}
