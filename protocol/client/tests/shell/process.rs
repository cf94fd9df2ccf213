//! The worker as a process: its end, its log, its next life.

use std::process::Command;
use std::time::Duration;

use plexsync_client::{CallError, Client, Event};
use serde_json::{Value, json};

use crate::{ECHO, heard, shell, wait_for};

#[test]
fn a_worker_that_ends_says_why() {
    let client = shell("read call; echo 'it hurts' >&2; exit 3").start().unwrap();
    for _ in 0..2 {
        match client.identity_get().wait() {
            Err(CallError::Ended(ended)) => {
                assert_eq!(ended.log, "it hurts\n");
                assert_eq!(ended.status.unwrap().code(), Some(3));
                assert_eq!(ended.to_string(), "the worker ended (exit status: 3): it hurts");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(client.close().unwrap().code(), Some(3));
}

#[test]
fn a_worker_that_closed_its_stdout_has_ended() {
    let client = shell("read call; exec >&-; exec cat").start().unwrap();
    assert!(matches!(client.identity_get().wait(), Err(CallError::Ended(_))));
}

#[test]
fn a_worker_is_started_again_for_the_next_call_if_that_is_wanted() {
    let script = r#"read -r call; echo "$call" | sed 's/"method"/"result"/'; read -r call; exit 3"#;
    let (client, events) = heard(shell(script).restart(true));
    let mut pids = Vec::new();
    for _ in 0..3 {
        assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "m");
        pids.push(client.pid());
        let error = client.call::<String>("m", &json!({})).wait().unwrap_err();
        assert!(matches!(error, CallError::Ended(_)), "{error}");
        wait_for(&events, |event| matches!(event, Event::Ended { .. }));
    }
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[test]
fn a_worker_that_does_not_reply_can_be_killed_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let hung = folder.path().join("hung");
    let script =
        format!("if mkdir '{}' 2>/dev/null; then exec sleep 1000; fi; {ECHO}", hung.display());
    let client = shell(&script).restart(true).start().unwrap();
    let pending = client.call::<String>("m", &json!({})).start();
    // Not before it hangs: a shell that is killed earlier would hang again.
    while !hung.is_dir() {
        std::thread::sleep(Duration::from_millis(1));
    }
    client.kill();
    assert!(matches!(pending.wait(), Err(CallError::Ended(_))));
    assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "m");
}

#[test]
fn start_and_end_are_events() {
    let (client, events) = heard(shell("read -r call; exit 4"));
    let started = wait_for(&events, |event| matches!(event, Event::Started { .. }));
    assert!(matches!(started, Event::Started { pid } if pid == client.pid()));
    drop(client.identity_get().start());
    match wait_for(&events, |event| matches!(event, Event::Ended { .. })) {
        Event::Ended { status } => assert_eq!(status.unwrap().code(), Some(4)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_log_is_drained_and_its_end_kept() {
    let script = format!(
        r#"i=0; while [ $i -lt 5000 ]; do echo "line $i ........................."; i=$((i+1)); done >&2; exec {ECHO}"#
    );
    let (client, events) = heard(shell(&script));
    client.call::<String>("m", &json!({})).wait().unwrap();
    wait_for(&events, |event| matches!(event, Event::Log(line) if line.starts_with("line 4999 ")));
    assert!(client.log().len() <= 64 * 1024);
    assert!(client.log().contains("line 4999 "));
}

#[test]
fn a_host_that_panics_in_its_handler_still_gets_replies() {
    let script = format!("echo odd; echo odd >&2; {ECHO}");
    let client = shell(&script).on_event(|_| panic!("on purpose")).start().unwrap();
    assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "m");
}

#[test]
fn a_worker_that_reads_nothing_blocks_no_call_and_is_killed() {
    use std::os::unix::process::ExitStatusExt;
    let client = shell("exec sleep 1000").start().unwrap();
    let large = "x".repeat(1024 * 1024);
    let calls: Vec<_> =
        (0..4).map(|_| client.call::<Value>("m", &json!([large])).start()).collect();
    drop(calls);
    let pending = client.call::<Value>("m", &json!({})).start();
    drop(client);
    match pending.wait() {
        Err(CallError::Ended(ended)) => assert_eq!(ended.status.unwrap().signal(), Some(9)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_on_their_way_are_answered_before_a_close() {
    let client = shell(&format!("sleep 0.2; {ECHO}")).start().unwrap();
    let pending = client.call::<String>("m", &json!({})).start();
    assert!(client.close().unwrap().success());
    assert_eq!(pending.wait().unwrap(), "m");
}

#[test]
fn a_program_that_is_not_there_is_said_to_be_so() {
    assert!(Client::builder("/nowhere/plexsync-worker").start().is_err());
    assert!(Client::start(Command::new("/nowhere/plexsync-worker")).is_err());
}
