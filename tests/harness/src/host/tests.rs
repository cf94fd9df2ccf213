//! The host against workers of a few lines of shell.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::{FakePlex, TlsSetup};

/// Answers every call with the name of its method.
const ECHO: &str = r#"sed -u 's/"method"/"result"/'"#;

fn shell(script: &str) -> HostBuilder {
    Host::builder().without_data_dir().binary("/bin/sh").args(["-c", script])
}

#[test]
fn calls_are_answered_and_replies_matched_by_id() {
    let mut host = shell(ECHO).start();
    assert_eq!(host.call("a", json!({})), Ok(json!("a")));

    let swap = r#"read one; read two; echo "$two"; echo "$one"; read done"#;
    let mut host = shell(&format!("{{ {swap}; }} | {ECHO}")).start();
    let (one, two) = (host.start_call("one", json!({})), host.start_call("two", json!({})));
    assert_eq!(host.wait(one), Ok(json!("one")));
    assert_eq!(host.wait(two), Ok(json!("two")), "the reply that came too early was kept");
}

#[test]
fn an_error_object_is_an_error() {
    let reply = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"m","data":{"path":"p","reason":"r"}}}"#;
    let mut host = shell(&format!("read call; echo '{reply}'; read more")).start();
    let error = host.call("identity.get", json!({})).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (-32001, "m"));
    assert_eq!(error.data, Some(json!({"path": "p", "reason": "r"})));
}

#[test]
fn a_go_client_would_take_a_1_0_reply_or_the_test_fails() {
    let answer = |reply: &str| {
        let mut host = shell(&format!("read call; echo '{reply}'; read more")).start();
        catch_unwind(AssertUnwindSafe(|| host.call_v1("m", json!({})))).ok()
    };
    assert_eq!(answer(r#"{"id":1,"result":2,"error":null}"#), Some(Ok(json!(2))));
    assert_eq!(answer(r#"{"id":1,"result":null,"error":"e (-1)"}"#), Some(Err("e (-1)".into())));
    assert_eq!(answer(r#"{"id":1,"result":2}"#), None, "without `error`");
    assert_eq!(answer(r#"{"id":1,"result":null,"error":null}"#), None, "a null result");
    assert_eq!(answer(r#"{"id":1,"result":null,"error":{}}"#), None, "an error object");
}

#[test]
fn both_framings_go_there_and_back() {
    for wire in [Wire::Lines, Wire::Headers] {
        let mut host = shell("exec cat").wire(wire).start();
        for message in [json!({"a": "ä\n"}), json!([1, 2])] {
            host.send(&message);
            assert_eq!(host.read_reply(), message, "{wire:?}");
        }
        host.close_stdin();
        assert_eq!(host.read_raw_line(), None, "{wire:?}");
        assert!(host.wait_exit(PATIENCE).success());
    }
    let mut host = shell("exec cat").wire(Wire::Headers).start();
    host.send_raw(b"no header\n");
    assert_eq!(host.read_raw_line().unwrap(), b"no header", "what is not framed is shown as it is");
}

#[test]
fn a_restart_starts_the_same_again_and_keeps_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let starts = folder.path().join("starts");
    let script = format!("echo $$ >> '{}'; echo started >&2; cat", starts.display());
    let mut host = shell(&script).start();
    let first = host.pid();
    host.restart();
    assert_ne!(host.pid(), first);
    host.close_stdin();
    host.wait_exit(PATIENCE);
    assert_eq!(host.stderr(), "started\nstarted\n");
    assert_eq!(std::fs::read_to_string(starts).unwrap().lines().count(), 2);
}

#[test]
fn a_worker_that_fails_is_shown_with_its_stderr() {
    let mut host = shell("echo 'it hurts' >&2; exit 3").start();
    let failed = catch_unwind(AssertUnwindSafe(|| host.call("m", json!({})))).unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains("it hurts"), "{said}");
    host.wait_exit(PATIENCE);
    let failed = catch_unwind(AssertUnwindSafe(|| host.read_reply())).unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains("exit status: 3"), "{said}");
}

#[test]
fn a_closed_stdout_reaches_the_worker() {
    let mut host = shell("while echo '{}'; do :; done; exit 0").start();
    host.read_reply();
    host.close_stdout();
    host.wait_exit(PATIENCE);
}

#[test]
fn paused_output_is_not_lost() {
    let line = format!("[{}]", "1,".repeat(50) + "1");
    let script = format!("read go; i=0; while [ $i -lt 3000 ]; do echo '{line}'; i=$((i+1)); done");
    let mut host = shell(&script).start();
    host.pause_reading();
    host.send_raw(b"\n");
    assert_eq!(host.try_read_reply(Duration::from_millis(100)), None);
    host.resume_reading();
    assert_eq!(host.read_to_end().len(), 3000);
}

#[test]
fn signals_arrive_and_a_dropped_host_leaves_no_worker() {
    let mut host = shell("trap 'exit 7' TERM; echo '{}'; while :; do sleep 0.02; done").start();
    host.read_reply();
    host.signal(Signal::Term);
    assert_eq!(host.wait_exit(PATIENCE).code(), Some(7));

    let mut host = shell("trap '' TERM; echo '{}'; exec cat").start();
    host.read_reply();
    let pid = rustix::process::Pid::from_raw(host.pid().cast_signed()).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_ok());
    drop(host);
    assert!(rustix::process::test_kill_process(pid).is_err());
}

#[test]
fn a_tool_is_run_to_its_end() {
    let output = shell("cat; echo done >&2; exit 4").run("hello");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("hello", "done\n"));
}

#[test]
fn a_fake_plex_is_told_by_its_variables() {
    let plex = FakePlex::start_tls(TlsSetup::RightName);
    // Not echoed: a token in the output fails every test.
    let script = r#"[ "$PLEX_TOKEN" = "$1" ] && echo "$PLEX_URL" && cat "$PLEX_CA""#;
    let output = shell(script).args(["sh", &plex.token()]).plex(&plex).run("");
    assert_eq!(output.stdout, format!("{}\n{}", plex.url(), plex.ca_pem().unwrap()));
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_read_from_proc() {
    let mut host = shell("echo '{}'; exec cat").start();
    host.read_reply();
    let memory = host.memory_kib();
    assert!(memory.now > 0 && memory.peak >= memory.now, "{memory:?}");
}
