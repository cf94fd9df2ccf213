//! Calls that nobody waits for, or not any longer, and futures.

use std::future::IntoFuture;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use plexsync_client::protocol::plex::ScanParams;
use plexsync_client::{Builder, CallError, Event};
use serde_json::{Value, json};

use crate::{ECHO, answering, heard, shell};

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

#[test]
fn a_scan_that_waits_for_its_item_is_waited_for() {
    let result = r#"printf '{"jsonrpc":"2.0","id":%s,"result":{"outcome":"asked"}}\n' $id"#;
    let builder = shell(&answering(&format!("sleep 1; {result}")));
    let client = builder.timeout(Duration::from_millis(50)).start().unwrap();
    for params in [
        ScanParams { wait_ms: Some(60_000), ..ScanParams::default() },
        ScanParams { timeout_ms: Some(60_000), ..ScanParams::default() },
    ] {
        assert!(client.plex_scan(&params).wait().is_ok());
    }
}
