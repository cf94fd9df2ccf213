//! More calls than any host makes, one behind the other: nothing grows, and a signal in the middle cuts no reply.

use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::process::{ChildStdin, ChildStdout};
use std::thread;

use crate::rig::{folder, have, id_of, is_root, row};
use crate::talk::{Process, Talk, wait_full};

const BEGIN: &str = "{\"jsonrpc\":\"2.0\",\"id\":";
/// Calls that are written together.
const TOGETHER: usize = 1000;

/// Writes calls of these numbers, until they are all written or nobody reads them any more.
fn write(input: &mut ChildStdin, mut numbers: Range<u64>) {
    while !numbers.is_empty() {
        let some = numbers.by_ref().take(TOGETHER);
        let lines: String =
            some.map(|id| format!("{BEGIN}{id},\"method\":\"identity.get\"}}\n")).collect();
        if input.write_all(lines.as_bytes()).is_err() {
            return;
        }
    }
}

/// Replies in the order of the calls, that differ in nothing but their number.
struct Replies<'a> {
    output: &'a mut BufReader<ChildStdout>,
    line: Vec<u8>,
    /// What is behind the number.
    rest: Vec<u8>,
}

impl<'a> Replies<'a> {
    fn new(output: &'a mut BufReader<ChildStdout>) -> Self {
        Self { output, line: Vec::new(), rest: Vec::new() }
    }

    /// Reads the reply to the call of this number; false at the end.
    fn next(&mut self, number: u64) -> bool {
        self.line.clear();
        self.output.read_until(b'\n', &mut self.line).unwrap();
        let rest = self.line.strip_prefix(format!("{BEGIN}{number},").as_bytes());
        if self.rest.is_empty() {
            self.rest = rest.unwrap().to_vec();
        }
        let same = rest == Some(&self.rest);
        assert!(same || self.line.is_empty(), "{number}: {}", String::from_utf8_lossy(&self.line));
        same
    }
}

/// What the worker holds.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// In KiB.
    memory: u64,
    files: usize,
    threads: usize,
}

impl Size {
    fn of(process: Process) -> Self {
        let (memory, files) = (process.memory("VmRSS"), process.open_files());
        Self { memory, files, threads: process.threads() }
    }
}

/// Memory that may come and go, in KiB.
const SLACK: u64 = 1536;

/// The size after the first calls and after all of them, when each is answered and none is on its way.
fn sizes(first: u64, all: u64) -> [Size; 2] {
    let data = folder();
    let id = id_of(data.path());
    let mut talk = Talk::start(&[], data.path());
    talk.say("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"identity.get\"}\n");
    assert_eq!(talk.reply()["result"]["device_id"], id.as_str());
    let process = talk.process();
    let (mut input, output) = talk.ends();
    let mut replies = Replies::new(output);
    let sizes = [1..first, first..all].map(|mut numbers| {
        thread::scope(|scope| {
            let (input, calls) = (&mut input, numbers.clone());
            scope.spawn(|| write(input, calls));
            // All that can wait, waits: what is needed for that is no growth later.
            wait_full(replies.output);
            assert!(numbers.all(|number| replies.next(number)), "too few replies");
        });
        Size::of(process)
    });
    drop(input);
    assert!(!replies.next(all), "one reply too many");
    let told = talk.end();
    assert!(told.status.success() && !told.panicked(), "{told:?}");
    assert_eq!(id_of(data.path()), id);
    let [before, after] = sizes;
    assert!(after.memory <= before.memory + SLACK, "{sizes:?}");
    assert_eq!((after.files, after.threads), (before.files, before.threads), "{sizes:?}");
    sizes
}

/// How many calls were answered before a SIGTERM in the middle of a flood had its effect.
fn terminated(after: u64) -> u64 {
    let data = folder();
    let id = id_of(data.path());
    let mut talk = Talk::start(&[], data.path());
    talk.say("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"identity.get\"}\n");
    talk.reply();
    let process = talk.process();
    let (mut input, output) = talk.ends();
    let mut replies = Replies::new(output);
    let writer = thread::spawn(move || write(&mut input, 1..u64::MAX));
    assert!((1..after).all(|number| replies.next(number)));
    // In the middle of a write, as far as anybody can tell.
    wait_full(replies.output);
    assert!(process.signal("TERM"));
    let ended = (after..).find(|number| !replies.next(*number)).unwrap();
    writer.join().unwrap();
    let told = talk.end();
    assert!(told.status.success() && !told.panicked(), "{told:?}");
    assert_eq!(id_of(data.path()), id);
    ended
}

#[test]
fn calls_leave_nothing_behind() {
    if is_root() {
        sizes(30_000, 60_000);
    }
}

#[test]
fn a_signal_in_a_flood_cuts_no_reply() {
    if have(&["kill"]) {
        terminated(1_000);
    }
}

#[test]
#[ignore = "a minute"]
fn full_signals_in_a_flood() {
    if !have(&["kill"]) {
        return;
    }
    let most = (1..=10).map(|trial| terminated(trial * 3_000)).max().unwrap();
    let held = "replies in order, none twice or cut, exit 0";
    row(
        "the wire",
        "SIGTERM in a flood of calls",
        10,
        held,
        &format!("0 violations, {most} answered at most"),
    );
}

#[test]
#[ignore = "minutes"]
fn full_ten_million_calls() {
    if !is_root() {
        return;
    }
    let [before, after] = sizes(100_000, 10_000_000);
    let held = "each is answered, in order; memory, files and threads stay";
    let (files, threads) = (after.files, after.threads);
    let figure = format!(
        "0 violations; {} KiB after 100,000, {} KiB at the end; {files} files, {threads} threads",
        before.memory, after.memory
    );
    row("a flood", "10,000,000 calls to one worker", 1, held, &figure);
}
