//! One process per task, as Stash starts them: from the start to the end.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::core;
use crate::nginx::Nginx;
use crate::peers;
use crate::report::{Table, Target};
use crate::stats::{Sample, interleave};
use crate::worker::{
    IDENTITY, WORKER, command, milliseconds, program as program_at, request, worker,
};

const ROUNDS: usize = 60;
/// Python and node take their time.
const SLOW_ROUNDS: usize = 15;

pub(crate) fn measure(table: &mut Table) {
    identity(table);
    match Nginx::start() {
        Some(nginx) => requests(table, &nginx),
        None => table.note("spawn, plex.request", "skipped: nginx and curl are not installed"),
    }
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
    for (which, program) in [("", Ok(WORKER.into())), ("; packaged", peers::packaged())] {
        let Ok(program): Result<PathBuf, _> = program else { continue };
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
    beside_libraries(table, nginx);
}

/// A program that uses a library in the worker's place: each starts anew.
fn beside_libraries(table: &mut Table, nginx: &Nginx) {
    let row = "spawn, plex.request over http, exit";
    let python = (peers::plexapi("plexapi_once.py"), Some(Target::AtMost(1.0 / 60.0)));
    let node = (peers::ctrl_plex("once.mjs"), None);
    for (name, (program, target)) in [("python-plexapi", python), ("node with @ctrl/plex", node)] {
        let Some(mut program) = program else {
            table.note(row, &format!("{name} skipped: it can't be installed"));
            continue;
        };
        program.arg(&nginx.http);
        let [mine, theirs] = beside_program(nginx, &mut program);
        let contest = (&mine, name, &theirs);
        match target {
            Some(target) => table.ratio(row, " ms", contest, target),
            None => table.beside(row, " ms", contest),
        }
    }
}

fn beside_program(nginx: &Nginx, program: &mut Command) -> [Sample; 2] {
    let data = tempfile::tempdir().unwrap();
    interleave(
        SLOW_ROUNDS,
        [
            Box::new(|| {
                let mut worker = worker(data.path(), &nginx.http);
                milliseconds(&mut worker, &request("/library/sections"), r#""status":200"#)
            }),
            Box::new(|| milliseconds(program, "", "")),
        ],
    )
}

fn curl(nginx: &Nginx, url: &str) -> Command {
    let mut command = command("curl");
    command.args(["-sS", "-H", "X-Plex-Token: token", "-H", "Accept: application/json"]);
    command.arg("--cacert").arg(&nginx.bundle).arg(format!("{url}/identity"));
    command
}
