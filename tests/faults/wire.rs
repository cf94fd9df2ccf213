//! The wire breaks: a stream is closed, full or cut, the host dies, the worker is stopped for a while.

use std::io::Write;
use std::path::Path;
use std::thread;

use crate::rig::{GET, OLD, RESET, Told, ask_behind, folder, have, id_of, lived_in, row};
use crate::talk::{Process, Talk, wait_full, wait_until};

/// What happens to the wire of a worker whose folder was lived in, what must hold, and whether the id must stay.
struct Fault {
    name: &'static str,
    held: &'static str,
    trial: fn(&Path),
    reset: bool,
}

const FAULTS: [Fault; 8] = [
    fault("stdout is closed from the start", "exit 0", |data| {
        closed(data, ">&-", 0);
    }),
    fault("stdout is `/dev/full`", "exit 1, the log tells why", |data| {
        let told = closed(data, ">/dev/full", 1);
        assert!(told.stderr.contains("No space left on device"), "{told:?}");
    }),
    fault("stdin is closed from the start", "exit 0", |data| {
        closed(data, "<&-", 0);
    }),
    fault("nobody reads, stdout is full, then closed", "exit 0", full_then_closed),
    fault(
        "stdin is cut at every byte of a reset",
        "one reply for each whole line, exit 0",
        cut_lines,
    ),
    fault("the host is killed between calls", "the worker ends by itself", |data| {
        host_is_killed(data, "");
    }),
    Fault {
        name: "the host is killed while calls run",
        held: "the worker ends by itself, the id is the old one or the last reset's",
        trial: |data| host_is_killed(data, &format!("{RESET}\n").repeat(20)),
        reset: true,
    },
    fault(
        "SIGSTOP and SIGCONT in the middle of a line",
        "one reply for each line, in order",
        stopped,
    ),
];

const fn fault(name: &'static str, held: &'static str, trial: fn(&Path)) -> Fault {
    Fault { name, held, trial, reset: false }
}

impl Fault {
    fn happens(&self) {
        let data = folder();
        lived_in(data.path());
        (self.trial)(data.path());
        let found = id_of(data.path());
        assert!(self.reset || found == OLD, "{}: {found}", self.name);
        assert_eq!(id_of(data.path()), found, "{}: two clean runs", self.name);
    }
}

fn assert_quiet(told: &Told, code: i32) {
    assert!(!told.panicked() && told.status.code() == Some(code), "{told:?}");
}

/// A shell starts the worker like this; nobody can be told anything.
fn closed(data: &Path, redirected: &str, code: i32) -> Told {
    let told = ask_behind(&["sh", "-c", &format!("exec \"$@\" {redirected}"), "sh"], data, &[GET]);
    assert!(told.replies.is_empty(), "{told:?}");
    assert_quiet(&told, code);
    told
}

fn full_then_closed(data: &Path) {
    let mut talk = Talk::start(&[], data);
    let (mut input, output) = talk.ends();
    let calls = format!("{GET}\n").repeat(1000);
    let writer = thread::spawn(move || while input.write_all(calls.as_bytes()).is_ok() {});
    wait_full(output);
    assert_quiet(&talk.hang_up(), 0);
    writer.join().unwrap();
}

/// A call that was cut is no call: answered, at most, with the error of a line that is no JSON.
fn cut_lines(data: &Path) {
    for cut in 0..RESET.len() {
        let mut talk = Talk::start(&[], data);
        talk.say(&format!("{GET}\n{}", &RESET[..cut]));
        let told = talk.end();
        assert_quiet(&told, 0);
        assert_eq!(told.id(1).as_deref(), Some(OLD), "{told:?}");
        let rest: Vec<_> = told.replies[1..].iter().map(|reply| &reply["error"]["code"]).collect();
        let expected: &[i64] = if cut == 0 { &[] } else { &[-32700] };
        assert_eq!(rest, expected, "cut after {cut} bytes: {told:?}");
    }
}

/// Tells the worker's process, then carries one call and its reply, then calls that nobody waits for.
const HOST: &str = r#"coproc worker { exec "$@"; }
echo "$worker_PID"
read -r call
printf '%s\n' "$call" >&"${worker[1]}"
read -r reply <&"${worker[0]}"
printf '%s\n' "$reply"
while read -r call; do
    printf '%s\n' "$call" >&"${worker[1]}"
done
"#;

fn host_is_killed(data: &Path, unawaited: &str) {
    let mut host = Talk::start(&["bash", "-c", HOST, "bash"], data);
    let worker = Process(host.reply().as_u64().unwrap().try_into().unwrap());
    host.say(&format!("{GET}\n"));
    assert_eq!(host.reply()["result"]["device_id"], OLD);
    assert!(!worker.has_ended());
    host.say(unawaited);
    assert!(host.process().signal("KILL"));
    wait_until("the end of a worker without a host", || worker.has_ended());
    let told = host.hang_up();
    assert!(!told.panicked(), "{told:?}");
}

fn stopped(data: &Path) {
    let mut talk = Talk::start(&[], data);
    let mut call = 0;
    let mut line = || {
        call += 1;
        GET.replace("\"id\":1", &format!("\"id\":{call}")) + "\n"
    };
    talk.say(&line());
    talk.reply();
    for _ in 0..3 {
        let calls: String = (0..50).map(|_| line()).collect();
        let (some, rest) = calls.split_at(calls.len() / 2 + 7);
        talk.say(some);
        assert!(talk.process().signal("STOP"));
        talk.say(rest);
        assert!(talk.process().signal("CONT"));
    }
    let told = talk.end();
    assert_quiet(&told, 0);
    let ids: Vec<_> = told.replies.iter().map(|reply| reply["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=151).collect::<Vec<_>>());
    assert!(told.replies.iter().all(|reply| reply["result"]["device_id"] == OLD), "{told:?}");
}

#[test]
fn a_broken_wire_ends_the_worker_and_changes_nothing() {
    if have(&["bash", "kill"]) {
        for fault in &FAULTS {
            println!("{}", fault.name);
            fault.happens();
        }
    }
}

#[test]
#[ignore = "a minute"]
fn full_broken_wires() {
    if !have(&["bash", "kill"]) {
        return;
    }
    for fault in &FAULTS {
        (0..10).for_each(|_| fault.happens());
        row("the wire", fault.name, 10, fault.held, "0 violations");
    }
}
