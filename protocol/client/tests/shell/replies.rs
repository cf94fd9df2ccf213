//! What comes back: results, errors, progress.

use std::sync::mpsc::channel;

use plexsync_client::{CallError, Client, Event};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{ECHO, answering, heard, shell, wait_for};

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
fn progress_of_nobody_is_an_event() {
    let line =
        r#"{"jsonrpc":"2.0","method":"$/progress","params":{"token":"mine","done":3,"total":9}}"#;
    let (_client, events) = heard(shell(&format!("echo '{line}'; {ECHO}")));
    match wait_for(&events, |event| matches!(event, Event::Progress(_))) {
        Event::Progress(progress) => {
            assert_eq!(
                (progress.token, progress.done, progress.total),
                (json!("mine"), 3, Some(9))
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_last_line_without_its_end_is_a_reply_if_it_is_whole() {
    let whole = r#"{"jsonrpc":"2.0","id":1,"result":"whole"}"#;
    let client = shell(&format!("read -r call; printf '%s' '{whole}'")).start().unwrap();
    assert_eq!(client.call::<String>("m", &json!({})).wait().unwrap(), "whole");
    let client = shell(&format!("read -r call; printf '%s' '{}'", &whole[..35])).start().unwrap();
    let error = client.call::<String>("m", &json!({})).wait().unwrap_err();
    assert!(matches!(error, CallError::Ended(_)), "{error:?}");
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
