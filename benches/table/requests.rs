//! Requests of a long-lived worker, beside the same HTTP client without a worker.

use std::path::Path;
use std::time::Instant;

use futures_util::future::join_all;
use reqwest::Client;
use tokio::runtime::Runtime;

use crate::core;
use crate::nginx::Nginx;
use crate::peers;
use crate::report::{Table, Target};
use crate::stats::{Sample, interleave};
use crate::worker::{Living, request, worker};

const ROUNDS: usize = 9;
const CALLS: usize = 500;
const AT_ONCE: usize = 32;
const BATCHES: usize = 20;

pub(crate) fn measure(table: &mut Table) {
    let Some(nginx) = Nginx::start() else {
        return table.note("plex.request warm", "skipped: nginx and curl are not installed");
    };
    let data = tempfile::tempdir().unwrap();
    one_at_a_time(table, &nginx, data.path());
    at_once(table, &nginx, data.path(), &mut Bare::new(&nginx.http));
}

/// reqwest in a loop.
struct Bare {
    runtime: Runtime,
    client: Client,
    url: String,
}

impl Bare {
    fn new(server: &str) -> Self {
        // It may be that somebody has installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client: Client::builder().http1_only().no_proxy().build().unwrap(),
            url: format!("{server}/identity"),
        }
    }

    async fn get(&self) {
        let answer = self.client.get(&self.url).header("X-Plex-Token", "token").send().await;
        assert!(!answer.unwrap().bytes().await.unwrap().is_empty());
    }

    /// The median time of one, in microseconds.
    fn one(&self) -> f64 {
        let time = || {
            let begin = Instant::now();
            self.runtime.block_on(self.get());
            begin.elapsed().as_secs_f64() * 1e6
        };
        (0..CALLS).map(|_| time()).collect::<Sample>().median()
    }

    /// Requests a second, in thousands.
    fn many(&self) -> f64 {
        let begin = Instant::now();
        for _ in 0..BATCHES {
            self.runtime.block_on(join_all((0..AT_ONCE).map(|_| self.get())));
        }
        (AT_ONCE * BATCHES) as f64 / begin.elapsed().as_secs_f64() / 1e3
    }
}

fn warm(nginx: &Nginx, data: &Path) -> Living {
    let mut worker = Living::start(&mut worker(data, &nginx.http));
    worker.call(&request("/identity"));
    worker.expect_last(r#""status":200"#);
    worker
}

fn one_at_a_time(table: &mut Table, nginx: &Nginx, data: &Path) {
    let row = "plex.request one at a time";
    // On one core everything is: the server, too.
    let alone = core::on_one(|| in_turn(&Nginx::start().unwrap(), data));
    match alone {
        None => table.note(row, "on one core skipped: no taskset"),
        Some([mine, bare]) => {
            let contest = (&mine, "bare reqwest", &bare);
            table.ratio(&format!("{row}, on one core"), " us", contest, Target::AtMost(1.8));
        }
    }
    let [mine, bare] = in_turn(nginx, data);
    table.beside(row, " us", (&mine, "bare reqwest", &bare));
}

fn in_turn(nginx: &Nginx, data: &Path) -> [Sample; 2] {
    let (mut worker, bare) = (warm(nginx, data), Bare::new(&nginx.http));
    let line = request("/identity");
    let samples = interleave(
        ROUNDS,
        [Box::new(|| crate::calls::typical(&mut worker, &line, CALLS)), Box::new(|| bare.one())],
    );
    worker.expect_last(r#""status":200"#);
    worker.end();
    samples
}

fn at_once(table: &mut Table, nginx: &Nginx, data: &Path, bare: &mut Bare) {
    let row = "plex.request 32 at once";
    let mut worker = warm(nginx, data);
    let lines = format!("{}\n", request("/identity")).repeat(AT_ONCE);
    let sessions = [peers::plexapi("plexapi_session.py"), peers::ctrl_plex("session.mjs")];
    let [mut python, mut node] =
        sessions.map(|program| program.map(|mut program| Living::start(program.arg(&nginx.http))));
    let turn = |session: &mut Option<Living>| session.as_mut().map_or(f64::NAN, many_of_session);
    let [mine, theirs, plexapi, ctrl_plex] = interleave(
        ROUNDS,
        [
            Box::new(|| many(&mut worker, &lines)),
            Box::new(|| bare.many()),
            Box::new(|| turn(&mut python)),
            Box::new(|| turn(&mut node)),
        ],
    );
    worker.expect_last(r#""status":200"#);
    table.ratio(row, " k/s", (&mine, "bare reqwest", &theirs), Target::AtLeast(0.7));
    match python {
        Some(_) => {
            let contest = (&mine, "python-plexapi's session", &plexapi);
            table.ratio(row, " k/s", contest, Target::AtLeast(8.0));
        }
        None => table.note(row, "python-plexapi skipped: it can't be installed"),
    }
    match node {
        Some(_) => table.beside(row, " k/s", (&mine, "node with @ctrl/plex", &ctrl_plex)),
        None => table.note(row, "node with @ctrl/plex skipped: it can't be installed"),
    }
    [Some(worker), python, node].into_iter().flatten().for_each(Living::end);
}

fn many(worker: &mut Living, lines: &str) -> f64 {
    let begin = Instant::now();
    for _ in 0..BATCHES {
        worker.send(lines);
        (0..AT_ONCE).for_each(|_| {
            worker.reply();
        });
    }
    (AT_ONCE * BATCHES) as f64 / begin.elapsed().as_secs_f64() / 1e3
}

fn many_of_session(session: &mut Living) -> f64 {
    let count = AT_ONCE * 5;
    session.send(&format!("{count}\n"));
    let seconds: f64 = String::from_utf8_lossy(session.reply()).trim().parse().unwrap();
    count as f64 / seconds / 1e3
}
