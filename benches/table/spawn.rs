//! One process per task, as Stash starts them: from the start to the end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use plexsync_harness::FakePlex;
use plexsync_harness::fake_plex::Section;
use plexsync_harness::fake_stash::{FakeStash, hook_args};
use serde_json::{Value, json};

use crate::core;
use crate::nginx::Nginx;
use crate::peers;
use crate::report::{Table, Target};
use crate::stats::{Sample, interleave};
use crate::worker::{IDENTITY, WORKER, command, milliseconds, program as program_at, request};

const ROUNDS: usize = 60;
/// python-plexapi takes its time.
const SLOW_ROUNDS: usize = 15;

pub(crate) fn measure(table: &mut Table) {
    identity(table);
    match Nginx::start() {
        Some(nginx) => requests(table, &nginx),
        None => table.note("spawn, plex.request", "skipped: nginx and curl are not installed"),
    }
    hook(table);
}

fn identity(table: &mut Table) {
    let row = "spawn, identity.get, exit";
    let programs = [("", Ok(PathBuf::from(WORKER)), 1.6), ("; packaged", peers::packaged(), 1.3)];
    for (which, program, most) in programs {
        let program = match program {
            Ok(program) => program,
            Err(reason) => {
                table.note(&format!("{row}{which}"), &format!("skipped: {reason}"));
                continue;
            }
        };
        if let Some([mine, nothing]) = core::on_one(|| beside_nothing(&program)) {
            let contest = (&mine, "/bin/true", &nothing);
            table.ratio(
                &format!("{row}{which}, on one core"),
                " ms",
                contest,
                Target::AtMost(most),
            );
        }
        let [mine, nothing] = beside_nothing(&program);
        table.beside(&format!("{row}{which}"), " ms", (&mine, "/bin/true", &nothing));
    }
    let Some(echo) = peers::rust_echo() else { return };
    if let Some([echo, nothing]) = core::on_one(|| beside_nothing(&echo)) {
        let contest = (&echo, "/bin/true", &nothing);
        table.beside("spawn, echo in Rust, exit, on one core", " ms", contest);
    }
}

/// The program with one line of input, and the least that a process can be.
fn beside_nothing(program: &Path) -> [Sample; 2] {
    let data = tempfile::tempdir().unwrap();
    interleave(
        ROUNDS,
        [
            Box::new(|| {
                let mut command = command(program);
                command.env("PLEXSYNC_DATA_DIR", data.path());
                milliseconds(&mut command, IDENTITY, "\"jsonrpc\":\"2.0\"")
            }),
            Box::new(|| milliseconds(&mut command("/bin/true"), "", "")),
        ],
    )
}

fn requests(table: &mut Table, nginx: &Nginx) {
    let data = tempfile::tempdir().unwrap();
    let spawn = |program: &Path, url: &str| {
        let mut command = program_at(program, data.path(), url);
        command.env("SSL_CERT_FILE", &nginx.bundle);
        milliseconds(&mut command, &request("/identity"), r#""status":200"#)
    };
    let dynamic = PathBuf::from(WORKER);
    let programs = [("", Ok(dynamic.clone())), ("; packaged", peers::packaged())];
    for (which, program) in programs {
        let Ok(program) = program else { continue };
        for (scheme, url, most) in [("http", &nginx.http, 0.35), ("https", &nginx.https, 0.6)] {
            let [mine, curl] = interleave(
                ROUNDS,
                [
                    Box::new(|| spawn(&program, url)),
                    Box::new(|| milliseconds(&mut curl(nginx, url), "", "MediaContainer")),
                ],
            );
            let row = format!("spawn, plex.request over {scheme}, exit{which}");
            table.ratio(&row, " ms", (&mine, "curl", &curl), Target::AtMost(most));
        }
    }
    let row = "spawn, plex.request over http, exit";
    let Some(python) = peers::plexapi() else {
        return table.note(row, "python-plexapi skipped: it can't be installed");
    };
    let [mine, plexapi] = interleave(
        SLOW_ROUNDS,
        [
            Box::new(|| spawn(&dynamic, &nginx.http)),
            Box::new(|| {
                let mut command = command(&python);
                command.arg(peers::source("plexapi_once.py")).arg(&nginx.http);
                milliseconds(&mut command, "", "")
            }),
        ],
    );
    let target = Target::AtMost(1.0 / 60.0);
    table.ratio(row, " ms", (&mine, "python-plexapi", &plexapi), target);
}

fn curl(nginx: &Nginx, url: &str) -> Command {
    let mut command = command("curl");
    command.args(["-sS", "-H", "X-Plex-Token: token", "-H", "Accept: application/json"]);
    command.arg("--cacert").arg(&nginx.bundle).arg(format!("{url}/identity"));
    command
}

/// A hook of `interface: raw`: settings and the scene from Stash, the sections from Plex and the scan itself.
fn hook(table: &mut Table) {
    let (stash, plex) = (FakeStash::start(), FakePlex::start());
    stash.configure("plexsync", json!({"plex_url": plex.url(), "plex_token": plex.token()}));
    let data = tempfile::tempdir().unwrap();
    // A file that is written anew each time: else the second hook would be skipped.
    let file = data.path().join("media/a.mp4");
    std::fs::create_dir(data.path().join("media")).unwrap();
    plex.set_sections(vec![Section::new(
        "1",
        "Films",
        "movie",
        &[file.parent().unwrap().to_str().unwrap()],
    )]);
    stash.add_scene("45", &[file.to_str().unwrap()]);
    let mut args = hook_args("Scene.Create.Post", 45, &Value::Null);
    args["method"] = json!("plex.scan");
    let input = stash.input(data.path(), &args).to_string();
    let requests = || stash.requests().len() + plex.requests().len();
    let run = || {
        std::fs::write(&file, "film").unwrap();
        let mut command = command(WORKER);
        command.env("PLEXSYNC_DATA_DIR", data.path());
        milliseconds(&mut command, &input, r#""outcome":"asked""#)
    };
    run();
    let before = requests();
    run();
    let count = requests() - before;
    let [mine, nothing, trip] = interleave(
        ROUNDS,
        [
            Box::new(run),
            Box::new(|| milliseconds(&mut command("/bin/true"), "", "")),
            Box::new(|| round_trip(plex.port())),
        ],
    );
    let least: Sample = nothing.map(|time| 4.0 * time).plus(&trip.map(|time| count as f64 * time));
    let row = format!("Stash raw hook, {count} requests");
    let against = format!("4 x /bin/true + {count} x round trip");
    table.ratio(&row, " ms", (&mine, &against, &least), Target::AtMost(1.0));
}

/// Milliseconds for one request on a connection of its own, without any library.
fn round_trip(port: u16) -> f64 {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /identity HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    begin.elapsed().as_secs_f64() * 1e3
}
