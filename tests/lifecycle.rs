//! The life of a worker: how it ends, and what is still answered then.

use std::time::Duration;

use plexsync_harness::FakePlex;
#[cfg(unix)]
use plexsync_harness::Signal;
use serde_json::json;

use crate::host;

const SOON: Duration = Duration::from_secs(5);

#[test]
fn the_end_of_input_ends_the_worker() {
    let mut host = host().start();
    host.call("identity.get", json!({})).unwrap();
    host.close_stdin();
    assert!(host.wait_exit(SOON).success());
}

#[test]
fn accepted_calls_are_answered_after_the_end_of_input() {
    let plex = FakePlex::start();
    plex.hold();
    let mut host = host().plex(&plex).start();
    for _ in 0..3 {
        let _unawaited = host.start_call("plex.request", json!({"path": "/identity"}));
    }
    host.close_stdin();
    plex.wait_held(3);
    plex.release();
    let replies = host.read_to_end();
    assert_eq!(replies.iter().filter(|reply| reply["result"]["status"] == 200).count(), 3);
    assert!(host.wait_exit(SOON).success());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_worker_and_what_runs_is_answered() {
    for signal in [Signal::Term, Signal::Int] {
        let plex = FakePlex::start();
        plex.hold();
        let mut host = host().plex(&plex).start();
        let _unawaited = host.start_call("plex.request", json!({"path": "/identity"}));
        plex.wait_held(1);
        host.signal(signal);
        let replies = host.read_to_end();
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0]["error"]["code"], -32800);
        assert!(host.wait_exit(SOON).success());
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_worker_that_nobody_reads() {
    let mut host = host().start();
    host.call("identity.get", json!({})).unwrap();
    host.pause_reading();
    // More replies than a pipe holds, and more input behind them than the worker takes ahead.
    let line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}\n";
    host.send_raw_later(line.repeat(100_000).as_bytes());
    host.signal(Signal::Term);
    assert!(host.wait_exit(SOON).code().is_some(), "by itself");
}

#[cfg(unix)]
#[test]
fn an_idle_worker_ends_at_a_signal() {
    let mut host = host().start();
    host.call("identity.get", json!({})).unwrap();
    host.signal(Signal::Term);
    assert!(host.wait_exit(SOON).success());
}

/// Elsewhere a closed pipe shows at the next reply.
#[cfg(unix)]
#[test]
fn a_host_that_hangs_up_ends_the_worker_quietly() {
    let plex = FakePlex::start();
    plex.hold();
    let mut host = host().plex(&plex).start();
    let _unawaited = host.start_call("plex.request", json!({"path": "/identity"}));
    plex.wait_held(1);
    host.close_stdout();
    assert!(host.wait_exit(SOON).success());
    assert!(!host.stderr().contains("panic"), "{}", host.stderr());
}

#[test]
fn a_slow_call_does_not_hold_up_a_quick_one() {
    let plex = FakePlex::start();
    plex.hold();
    let mut host = host().plex(&plex).start();
    let slow = host.start_call("plex.request", json!({"path": "/identity"}));
    plex.wait_held(1);
    host.call("identity.get", json!({})).unwrap();
    plex.release();
    assert_eq!(host.wait(slow).unwrap()["status"], 200);
}

#[test]
fn a_call_can_be_cancelled() {
    let plex = FakePlex::start();
    plex.hold();
    let mut host = host().plex(&plex).start();
    let slow = host.start_call("plex.request", json!({"path": "/identity"}));
    plex.wait_held(1);
    host.cancel(slow);
    assert_eq!(host.wait(slow).unwrap_err().code, -32800);
    host.call("identity.get", json!({})).unwrap();
}

#[test]
fn sixty_four_run_more_wait_and_the_rest_is_refused() {
    let plex = FakePlex::start();
    plex.hold();
    let mut host = host().plex(&plex).start();
    let calls: Vec<_> = (0..64 + 256)
        .map(|_| host.start_call("plex.request", json!({"path": "/identity"})))
        .collect();
    plex.wait_held(64);
    assert_eq!(host.call("plex.request", json!({"path": "/identity"})).unwrap_err().code, -32000);
    host.call("identity.get", json!({})).unwrap();
    assert_eq!(plex.held(), 64);
    host.cancel(calls[0]);
    assert_eq!(host.wait(calls[0]).unwrap_err().code, -32800);
    plex.release();
    for call in &calls[1..] {
        assert_eq!(host.wait(*call).unwrap()["status"], 200);
    }
    assert_eq!(plex.events().len(), 1);
}

#[test]
fn nothing_but_replies_reaches_stdout() {
    let mut host = host().env("PLEXSYNC_LOG", "trace").start();
    host.send_raw(b"nonsense\n{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}\n");
    host.close_stdin();
    let replies = host.read_to_end();
    assert_eq!(replies.len(), 2);
    host.wait_exit(SOON);
    assert!(!host.stderr().is_empty());
}
