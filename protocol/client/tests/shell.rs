//! The client against workers of a few lines of shell.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::future::IntoFuture;
use std::pin::pin;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use plexsync_client::{Builder, CallError, Client, Event};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers every call with the name of its method.
const ECHO: &str = r#"sed -u 's/"method"/"result"/'"#;

fn shell(script: &str) -> Builder {
    Client::builder("/bin/sh").args(["-c", script])
}

/// Answers every call with this, instead of `RESULT`.
fn answering(rest: &str) -> String {
    format!(r#"while read -r line; do id=${{line#*'"id":'}}; id=${{id%%,*}}; {rest}; done"#)
}

/// A client whose events can be waited for.
fn heard(builder: Builder) -> (Client, Receiver<Event>) {
    let (sender, events) = channel();
    let client = builder.on_event(move |event| drop(sender.send(event))).start().unwrap();
    (client, events)
}

fn wait_for(events: &Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(left).unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

#[test]
fn calls_from_many_threads_get_their_own_answers() {
    let client = shell(ECHO).start().unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for round in 0..50 {
                    let name = format!("method {number} {round}");
                    assert_eq!(client.call::<String>(&name, &json!({})).wait().unwrap(), name);
                }
            });
        }
    });
    assert!(client.close().unwrap().success());
}

#[test]
fn a_result_that_a_value_does_not_hold_is_kept() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for result in ["1e400", "123456789012345678901234567890", r#"{"a":1,"a":2}"#, "null", &deep] {
        let script = answering(&format!(
            r#"printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n' $id '{result}'"#
        ));
        let client = shell(&script).start().unwrap();
        let kept: Box<RawValue> = client.call("m", &json!({})).wait().unwrap();
        assert_eq!(kept.get(), result);
    }
}

#[test]
fn a_reply_that_cannot_be_read_is_the_error_of_its_call_at_once() {
    let script = answering(r#"printf '{"jsonrpc":"2.0","id":%s,"result":{"secret":}}\n' $id"#);
    let client = shell(&script).start().unwrap();
    match client.identity_get().wait() {
        Err(error @ CallError::Unreadable(_)) => {
            assert!(!format!("{error} {error:?}").contains("secret"))
        }
        other => panic!("{other:?}"),
    }

    let client = shell(ECHO).start().unwrap();
    match client.identity_get().wait() {
        Err(CallError::Unreadable(reply)) => {
            assert_eq!(reply.result.unwrap().get(), r#""identity.get""#);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_belongs_to_no_call_is_an_event_and_in_the_log() {
    let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"invalid JSON"}}"#;
    for (line, reason) in [
        ("no JSON", "invalid JSON"),
        (r#"{"jsonrpc":"2.0","id":77,"result":1}"#, "77"),
        (error, "invalid JSON (-32700)"),
    ] {
        let (client, events) = heard(shell(&format!("echo '{line}'; {ECHO}")));
        match wait_for(&events, |event| matches!(event, Event::Unexpected { .. })) {
            Event::Unexpected { reason: said, bytes } => {
                assert!(said.contains(reason), "{said}");
                assert_eq!(bytes, line.len() + 1);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "m");
        assert!(client.log().contains(reason), "{}", client.log());
    }
}

#[test]
fn every_code_is_an_error_by_what_its_caller_does_next() {
    let client = shell(&answering(
        r#"code=${line#*'"code":'}; printf '{"jsonrpc":"2.0","id":%s,"error":{"code":%s,"message":"m","data":{"device_id":"d"}}}\n' $id ${code%%\}*}"#,
    ));
    let client = client.start().unwrap();
    for (code, name) in [
        (-32700, "Invalid"),
        (-32602, "Invalid"),
        (-32000, "Retry"),
        (-32010, "Retry"),
        (-32011, "Retry"),
        (-32001, "User"),
        (-32013, "User"),
        (-32014, "User"),
        (-32015, "User"),
        (-32002, "Changed"),
        (-32012, "TooLarge"),
        (-32800, "Cancelled"),
        (-32603, "Other"),
        (-1, "Other"),
    ] {
        let error = client.call::<Value>("m", &json!({"code": code})).wait().unwrap_err();
        assert!(format!("{error:?}").starts_with(&format!("{name}(")), "{code}: {error:?}");
        assert_eq!((error.code(), error.to_string()), (Some(code), format!("m ({code})")));
        let data: plexsync_client::protocol::error::IdentityChanged = error.data().unwrap();
        assert_eq!(data.device_id.as_deref(), Some("d"));
    }
}

/// A worker that writes what it hears into a file and answers nothing.
fn listener(folder: &tempfile::TempDir) -> (Builder, impl Fn(ExitStatus) -> Vec<Value>) {
    let path = folder.path().join("heard");
    let builder = shell(&format!("cat > '{}'; exit 0", path.display()));
    let lines = move |ended: ExitStatus| {
        assert!(ended.success());
        let text = std::fs::read_to_string(&path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    (builder, lines)
}

fn assert_cancelled(heard: &[Value]) {
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(heard[1]["method"], "$/cancelRequest");
    assert_eq!(heard[1]["params"]["id"], heard[0]["id"]);
}

#[test]
fn a_call_that_takes_too_long_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, lines) = listener(&folder);
    let client = builder.timeout(Duration::from_millis(50)).start().unwrap();
    assert!(matches!(client.identity_get().wait(), Err(CallError::Timeout)));
    assert_cancelled(&lines(client.close().unwrap()));
}

#[test]
fn a_future_that_takes_too_long_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, lines) = listener(&folder);
    let client = builder.timeout(Duration::from_millis(50)).start().unwrap();
    assert!(matches!(block_on(client.identity_get()), Err(CallError::Timeout)));
    assert_cancelled(&lines(client.close().unwrap()));
}

#[test]
fn a_dropped_call_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, lines) = listener(&folder);
    let client = builder.start().unwrap();
    drop(client.identity_get().start());
    assert_cancelled(&lines(client.close().unwrap()));
}

#[test]
fn a_dropped_future_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, lines) = listener(&folder);
    let client = builder.start().unwrap();
    {
        let mut future = pin!(client.identity_get().into_future());
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_cancelled(&lines(client.close().unwrap()));
}

#[test]
fn an_answered_call_is_not_cancelled_and_an_unsent_one_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard");
    let client = shell(&format!("tee '{}' | {ECHO}", path.display())).start().unwrap();
    drop(client.call::<String>("unsent", &json!({})));
    let pending = client.call::<String>("sent", &json!({})).start();
    let handle = pending.cancel_handle();
    assert_eq!(pending.wait().unwrap(), "sent");
    handle.cancel();
    client.close().unwrap();
    let heard = std::fs::read_to_string(path).unwrap();
    assert_eq!(heard.lines().count(), 1, "{heard}");
}

#[test]
fn a_call_can_be_cancelled_while_another_thread_waits_for_it() {
    let reply = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32800,"message":"cancelled"}}"#;
    let client = shell(&format!("read -r call; read -r cancel; echo '{reply}'; cat >/dev/null"));
    let client = client.start().unwrap();
    let pending = client.identity_get().start();
    let handle = pending.cancel_handle();
    let waiting = std::thread::spawn(move || pending.wait());
    handle.cancel();
    assert!(matches!(waiting.join().unwrap(), Err(CallError::Cancelled(_))));
}

#[test]
fn a_late_result_is_an_event_and_a_late_cancelled_is_none() {
    for (rest, late) in [
        (r#""result":1"#, true),
        (r#""error":{"code":-32001,"message":"m"}"#, true),
        (r#""error":{"code":-32800,"message":"m"}"#, false),
    ] {
        let script = format!(
            r#"read -r call; read -r cancel; echo '{{"jsonrpc":"2.0","id":1,{rest}}}'; echo end >&2; cat >/dev/null"#
        );
        let (client, events) = heard(shell(&script));
        drop(client.identity_get().start());
        client.close().unwrap();
        let events: Vec<_> = events.into_iter().collect();
        let is_late =
            |event: &Event| matches!(event, Event::Late { method, .. } if method == "identity.get");
        assert_eq!(events.iter().any(is_late), late, "{events:?}");
    }
}

#[test]
fn progress_comes_to_the_call_that_asked_for_it() {
    let script = answering(
        r#"case $line in *progress_token*) printf '{"jsonrpc":"2.0","method":"$/progress","params":{"token":%s,"done":1,"total":2}}\n' $id; sleep 0.1;; esac; printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' $id "$line""#,
    );
    let client = shell(&script).start().unwrap();
    let (sender, reports) = channel();
    let call = client.call::<Value>("m", &json!({"a": 1, "progress_token": "mine"}));
    let echoed = call.on_progress(move |progress| sender.send(progress).unwrap()).wait().unwrap();
    let reports: Vec<_> = reports.iter().map(|report| (report.done, report.total)).collect();
    assert_eq!(reports, [(1, Some(2))]);
    assert_eq!(echoed["params"], json!({"a": 1, "progress_token": echoed["id"]}));

    let echoed = client.call::<Value>("m", &json!({"a": 1})).wait().unwrap();
    assert_eq!(echoed["params"], json!({"a": 1}), "no token without a listener");
    let error = client.call::<Value>("m", &json!(1)).on_progress(drop).wait().unwrap_err();
    assert!(matches!(error, CallError::Invalid(_)), "{error}");
}

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
fn a_call_that_the_worker_would_not_read_is_not_sent() {
    let script = format!(r#"[ "$1 $2" = "--max-message 1000" ] && exec {ECHO}"#);
    let client = shell(&script).args(["sh"]).max_message(1000).start().unwrap();
    let error = client.call::<String>("m", &json!(["x".repeat(1000)])).wait().unwrap_err();
    assert!(matches!(error, CallError::Invalid(_)), "{error}");
    assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "m");
}

#[test]
fn clients_and_calls_go_from_thread_to_thread() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send + Unpin + 'static>() {}
    shared::<Client>();
    shared::<CallError>();
    sent::<plexsync_client::Call<Box<RawValue>>>();
    sent::<plexsync_client::Pending<Box<RawValue>>>();
    sent::<plexsync_client::CancelHandle>();
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
fn a_line_end_in_a_body_does_not_end_the_message() {
    let client = shell(ECHO).start().unwrap();
    let body = RawValue::from_string("{\n\"a\":\r\n1}".to_owned()).unwrap();
    assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "m");
    assert_eq!(client.call::<String>("m", &body).wait().unwrap(), "m");
}

#[test]
fn nothing_shows_the_token() {
    let builder = shell(ECHO).plex_token("SECRET").plex_url("http://127.0.0.1:1").data_dir("/x");
    let mut shown = format!("{builder:?}");
    let client = builder.start().unwrap();
    let call = client.call::<String>("m", &json!({"token": "SECRET"}));
    shown += &format!("{client:?} {call:?}");
    let pending = call.start();
    shown += &format!("{pending:?} {:?}", pending.cancel_handle());
    assert!(!shown.contains("SECRET"), "{shown}");

    let script =
        r#"[ "$PLEX_TOKEN$PLEX_URL$PLEXSYNC_DATA_DIR" = SECREThttp://127.0.0.1:1/x ] && exec "#;
    let client = shell(&format!("{script}{ECHO}"));
    let client = client.plex_token("SECRET").plex_url("http://127.0.0.1:1").data_dir("/x").start();
    assert_eq!(client.unwrap().call::<String>("m", &json!({})).wait().unwrap(), "m");
}

#[test]
fn futures_are_woken_by_progress_and_by_the_answer() {
    let script = answering(
        r#"sleep 0.05; printf '{"jsonrpc":"2.0","method":"$/progress","params":{"token":%s,"done":1,"total":null}}\n' $id; sleep 0.05; printf '{"jsonrpc":"2.0","id":%s,"result":"r"}\n' $id"#,
    );
    let client = shell(&script).start().unwrap();
    let done = Arc::new(Mutex::new(0));
    let call = client.call::<String>("m", &json!({})).on_progress({
        let done = Arc::clone(&done);
        move |progress| *done.lock().unwrap() += progress.done
    });
    assert_eq!(block_on(call).unwrap(), "r");
    assert_eq!(*done.lock().unwrap(), 1);
}

#[test]
fn a_program_that_is_not_there_is_said_to_be_so() {
    assert!(Client::builder("/nowhere/plexsync-worker").start().is_err());
    assert!(Client::start(Command::new("/nowhere/plexsync-worker")).is_err());
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest of runtimes.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future.into_future());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
