//! That nothing gets slower: by the number of calls, and by the size of a body.

use std::fs;

use crate::bodies::json;
use crate::calls::warm;
use crate::nginx::Nginx;
use crate::report::{Table, Target};
use crate::stats::interleave;
use crate::worker::{IDENTITY, Living, request, request_with, worker};

const ROUNDS: usize = 9;
const BULK: usize = 99_000;

pub(crate) fn measure(table: &mut Table) {
    calls(table);
    match Nginx::start() {
        Some(nginx) => bytes(table, &nginx),
        None => table.note("growth by byte", "skipped: nginx and curl are not installed"),
    }
}

/// A young worker and an old one, turn by turn; the old one answers a hundred thousand calls between its turns.
fn calls(table: &mut Table) {
    let data = tempfile::tempdir().unwrap();
    let bulk = format!("{IDENTITY}\n").repeat(BULK).into_bytes();
    let mut old = warm(data.path());
    (0..10).for_each(|_| {
        old.pipelined(&bulk, BULK);
    });
    let [young_time, old_time] = interleave(
        ROUNDS,
        [
            Box::new(|| {
                let mut young = warm(data.path());
                let time = together(&mut young);
                young.end();
                time
            }),
            Box::new(|| {
                old.pipelined(&bulk, BULK);
                together(&mut old)
            }),
        ],
    );
    old.end();
    let contest = (&old_time, "the first 20,000", &young_time);
    table.ratio("a pipelined call after 1,000,000", " us", contest, Target::AtMost(1.3));
}

/// Microseconds for each of some calls sent together. Of calls one at a time the time would tell rather on which cores
/// the scheduler has put the two processes: that alone makes a factor of four, at any age.
fn together(worker: &mut Living) -> f64 {
    const CALLS: usize = 20_000;
    let lines = format!("{IDENTITY}\n").repeat(CALLS);
    worker.pipelined(lines.as_bytes(), CALLS) * 1e6 / CALLS as f64
}

fn bytes(table: &mut Table, nginx: &Nginx) {
    const SIZES: [usize; 4] = [1_000, 1_000_000, 10_000_000, 100_000_000];
    for size in SIZES {
        fs::write(nginx.files.join(format!("{size}.json")), json(size)).unwrap();
    }
    let data = tempfile::tempdir().unwrap();
    let fetch = |size: usize| {
        let mut worker = Living::start(&mut worker(data.path(), &nginx.http));
        let line = request_with(&format!("/files/{size}.json"), r#","max_bytes":200000000"#);
        // The first one connects.
        worker.call(&request("/identity"));
        let seconds = worker.call(&line);
        worker.expect_last(r#""body_encoding":"json""#);
        worker.end();
        seconds * 1e9 / size as f64
    };
    let samples = interleave(
        ROUNDS,
        SIZES.map(|size| -> crate::stats::Turn<'_> { Box::new(move || fetch(size)) }),
    );
    let [small, one, ten, hundred] = &samples;
    // Nanoseconds a byte, of a thousand bytes, are microseconds.
    table.note("1 kB JSON, whole call", &crate::report::spread(small, " us"));
    let row = "100 MB JSON, time per byte";
    table.ratio(row, " ns", (hundred, "1 MB", one), Target::AtMost(1.5));
    table.ratio(row, " ns", (hundred, "10 MB", ten), Target::AtMost(1.5));
}
