//! What the worker occupies: on disk, idle, and after a million calls.

use crate::calls::warm;
use crate::report::{Table, Target};
use crate::stats::Sample;
use crate::worker::{IDENTITY, WORKER};

const ROUNDS: usize = 5;
const BULK: usize = 100_000;

pub(crate) fn measure(table: &mut Table) {
    let size = std::fs::metadata(WORKER).unwrap().len() as f64 / 1e6;
    table.absolute("binary", " MB", &Sample::from_iter([size]), Target::AtMost(4.0));
    let data = tempfile::tempdir().unwrap();
    let mut idle = Sample::default();
    for _ in 0..ROUNDS {
        let worker = warm(data.path());
        idle.push(worker.memory("VmRSS"));
        worker.end();
    }
    table.absolute("idle memory", " MB", &idle, Target::AtMost(5.0));
    let bulk = format!("{IDENTITY}\n").repeat(BULK).into_bytes();
    let mut worker = warm(data.path());
    let before = worker.memory("VmRSS");
    (0..1_000_000 / BULK).for_each(|_| {
        worker.pipelined(&bulk, BULK);
    });
    let grown = Sample::from_iter([worker.memory("VmRSS") - before]);
    worker.end();
    table.absolute("memory more after 1,000,000 calls", " MB", &grown, Target::AtMost(1.0));
}
