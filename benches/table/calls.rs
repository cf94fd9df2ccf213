//! Many calls to one long-lived worker.

use std::path::{Path, PathBuf};

use crate::core;
use crate::peers;
use crate::report::{Table, Target};
use crate::stats::{Sample, interleave};
use crate::worker::{IDENTITY, Living, WORKER, command};

const ECHO: &str = r#"{"method":"Echo.Echo","params":["hello"],"id":1}"#;
const ROUNDS: usize = 9;
const CALLS: usize = 2_000;
const PIPELINED: usize = 100_000;

pub(crate) fn measure(table: &mut Table) {
    let data = tempfile::tempdir().unwrap();
    let rust = peers::rust_echo();
    let go = peers::go_echo();
    one_at_a_time(table, data.path(), rust.as_ref());
    pipelined(table, data.path(), rust.as_ref(), go.as_ref());
}

/// A worker that has answered its first call.
pub(crate) fn warm(data: &Path) -> Living {
    let mut worker = Living::start(command(WORKER).arg("--data-dir").arg(data));
    worker.call(IDENTITY);
    worker.expect_last("device_id");
    worker
}

/// The median time of some calls, in microseconds.
pub(crate) fn typical(worker: &mut Living, line: &str, calls: usize) -> f64 {
    (0..calls).map(|_| worker.call(line) * 1e6).collect::<Sample>().median()
}

fn one_at_a_time(table: &mut Table, data: &Path, rust: Option<&PathBuf>) {
    let row = "identity.get one at a time";
    match core::on_one(|| in_turn(data, rust)) {
        None => table.note(row, "on one core skipped: no taskset"),
        Some([mine, floor]) => {
            let row = format!("{row}, on one core");
            table.absolute(&row, " us", &mine, Target::AtMost(20.0));
            table.beside(&row, " us", (&mine, "echo in Rust", &floor));
        }
    }
    let [mine, floor] = in_turn(data, rust);
    table.beside(row, " us", (&mine, "echo in Rust", &floor));
}

/// The worker and, where there is one, the echo.
fn in_turn(data: &Path, rust: Option<&PathBuf>) -> [Sample; 2] {
    let mut worker = warm(data);
    let mut echo = rust.map(|program| Living::start(&mut command(program)));
    let samples = interleave(
        ROUNDS,
        [
            Box::new(|| typical(&mut worker, IDENTITY, CALLS)),
            Box::new(|| echo.as_mut().map_or(f64::NAN, |echo| typical(echo, ECHO, CALLS))),
        ],
    );
    [Some(worker), echo].into_iter().flatten().for_each(Living::end);
    samples
}

/// Calls a second, in thousands.
fn rate(worker: &mut Living, calls: &[u8]) -> f64 {
    PIPELINED as f64 / worker.pipelined(calls, PIPELINED) / 1e3
}

fn pipelined(table: &mut Table, data: &Path, rust: Option<&PathBuf>, go: Option<&PathBuf>) {
    let row = "identity.get pipelined";
    let calls = format!("{IDENTITY}\n").repeat(PIPELINED).into_bytes();
    let echoes = format!("{ECHO}\n").repeat(PIPELINED).into_bytes();
    let mut worker = warm(data);
    let peer = |program: Option<&PathBuf>| program.map(|path| Living::start(&mut command(path)));
    let (mut rust, mut go) = (peer(rust), peer(go));
    let turn = |peer: &mut Option<Living>| peer.as_mut().map_or(f64::NAN, |it| rate(it, &echoes));
    let [mine, go_rate, floor] = interleave(
        ROUNDS,
        [
            Box::new(|| rate(&mut worker, &calls)),
            Box::new(|| turn(&mut go)),
            Box::new(|| turn(&mut rust)),
        ],
    );
    table.absolute(row, " k/s", &mine, Target::AtLeast(300.0));
    match go {
        Some(_) => table.ratio(row, " k/s", (&mine, "echo in Go", &go_rate), Target::AtLeast(3.0)),
        None => table.note(row, "the echo in Go is skipped: go is not installed"),
    }
    match rust {
        Some(_) => table.beside(row, " k/s", (&mine, "echo in Rust", &floor)),
        None => table.note(row, "the echo in Rust is skipped: rustc is not installed"),
    }
    [Some(worker), go, rust].into_iter().flatten().for_each(Living::end);
}
