//! Bytes in, bytes out: whatever a host sends, each request gets exactly one reply and the worker goes on.

use std::thread;
use std::time::{Duration, Instant};

use plexsync_harness::Wire;
use serde_json::{Value, json};

use crate::host;

const GET: &str = r#"{"jsonrpc":"2.0","id":1,"method":"identity.get"}"#;

/// The replies to these bytes, after which the host sends no more.
fn conversation(bytes: &[u8]) -> Vec<Value> {
    let mut host = host().start();
    host.send_raw(bytes);
    host.close_stdin();
    host.read_to_end()
}

fn codes(replies: &[Value]) -> Vec<Option<i64>> {
    replies.iter().map(|reply| reply["error"]["code"].as_i64()).collect()
}

#[test]
fn a_line_needs_no_line_end_at_the_end() {
    assert_eq!(conversation(GET.as_bytes()).len(), 1);
}

#[test]
fn a_value_whose_line_does_not_end_is_mentioned_once_and_read_when_it_does() {
    const MENTION: &str = "without a line end";
    let mut host = host().start();
    for _ in 0..2 {
        host.send_raw(GET.as_bytes());
        let sent = Instant::now();
        while !host.stderr().contains(MENTION) && sent.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(20));
        }
        host.send_raw(b"\n");
        assert_eq!(codes(&[host.read_reply()]), [None]);
    }
    host.send_raw(GET.as_bytes());
    thread::sleep(Duration::from_millis(5500));
    host.close_stdin();
    assert_eq!(host.read_to_end().len(), 1);
    host.wait_exit(Duration::from_secs(10));
    assert_eq!(host.stderr().matches(MENTION).count(), 1, "{}", host.stderr());
}

#[test]
fn a_bom_carriage_returns_and_blank_lines_do_no_harm() {
    let bytes = format!("\u{feff}\r\n\n  \r\n{GET}\r\n\r\n{GET}\r\n");
    assert_eq!(codes(&conversation(bytes.as_bytes())), [None, None]);
}

#[test]
fn bad_input_is_answered_and_the_next_call_works() {
    for (bad, code) in [
        (&b"\xff\xfe{}"[..], -32700),
        (b"{\"jsonrpc\":\"2.0\",\"method\":\"identity.get\"", -32700),
        (b"{} {}", -32700),
        (b"42", -32600),
        (b"[]", -32600),
        (b"{}", -32600),
        (b"\0\0\0", -32700),
    ] {
        let replies = conversation(&[bad, b"\n", GET.as_bytes()].concat());
        assert_eq!(codes(&replies), [Some(code), None], "{}", String::from_utf8_lossy(bad));
        assert_eq!(replies[0]["id"], Value::Null);
    }
}

#[test]
fn deep_nesting_does_no_harm() {
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"identity.get","params":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let replies = conversation(format!("{}\n{deep}\n{GET}", "[".repeat(100_000)).as_bytes());
    assert_eq!(codes(&replies), [Some(-32700), Some(-32602), None]);
}

#[test]
fn a_message_that_is_too_long_is_skipped() {
    let mut host = host().arg("--max-message").arg("1000").start();
    host.send_raw(&[b' '; 500]);
    host.send_raw(format!("{GET}\n").as_bytes());
    assert!(host.read_reply()["result"].is_object());
    let before = host.memory_kib().peak;
    host.send_raw(&vec![b'x'; 20_000_000]);
    assert_eq!(host.read_reply()["error"]["code"], -32600);
    host.send_raw(&vec![b'x'; 20_000_000]);
    host.send_raw(format!("\n{GET}\n").as_bytes());
    assert!(host.read_reply()["result"].is_object());
    // What one of them would take is five times as much; a buffer or a thread more is allowed.
    let grown = host.memory_kib().peak - before;
    assert!(grown < 4_000, "memory grew with the message by {grown} KiB");
}

#[test]
fn content_length_is_understood_and_answered_alike() {
    let mut host = host().wire(Wire::Headers).start();
    let identity = host.call("identity.get", json!({})).unwrap();
    assert_eq!(host.call("identity.get", json!({})).unwrap(), identity);
    let endless = format!("Content-Length: 2\r\nX: {}\r\n\r\n{{}}", "x".repeat(9000));
    for bad in ["Content-Length: x\r\n\r\n{}", &endless] {
        host.send_raw(bad.as_bytes());
        assert_eq!(host.read_reply()["error"]["code"], -32600);
        assert_eq!(host.call("identity.get", json!({})).unwrap(), identity);
    }
}

#[test]
fn ids_come_back_as_they_were_sent() {
    for id in ["-1", "1.5", "18446744073709551616", "1e400", "\"\\u0061\"", "null"] {
        let mut host = host().start();
        host.send_raw(
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"nothing\"}}\n").as_bytes(),
        );
        let line = String::from_utf8(host.read_raw_line().unwrap()).unwrap();
        assert!(line.contains(&format!("\"id\":{id},")), "{line}");
    }
}

#[test]
fn identity_calls_take_effect_in_the_order_received() {
    let calls =
        ["identity.get", "identity.reset", "identity.get", "identity.reset", "identity.get"];
    let lines: String = calls
        .iter()
        .enumerate()
        .map(|(id, method)| {
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\"}}\n")
        })
        .collect();
    let replies = conversation(lines.as_bytes());
    let id = |at: usize| replies[at]["result"]["device_id"].clone();
    assert_eq!(
        replies.iter().map(|reply| reply["id"].as_u64()).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4].map(Some)
    );
    assert_eq!((id(1), id(3)), (id(2), id(4)));
    assert_eq!(replies[1]["result"]["previous"], id(0));
    assert_ne!(id(0), id(1));
    assert_ne!(id(1), id(3));
}

#[test]
fn a_notification_is_carried_out_and_not_answered() {
    let replies = conversation(
        format!("{GET}\n{{\"jsonrpc\":\"2.0\",\"method\":\"identity.reset\"}}\n{GET}\n").as_bytes(),
    );
    assert_eq!(replies.len(), 2);
    assert_ne!(replies[0]["result"]["device_id"], replies[1]["result"]["device_id"]);
}

#[test]
fn params_can_be_said_in_go_s_way() {
    for params in ["{}", "[]", "[null]", "[{}]", "null"] {
        let call =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"identity.get","params":{params}}}"#);
        assert_eq!(codes(&conversation(call.as_bytes())), [None], "{params}");
    }
    for params in ["[1]", "{\"a\":1}", "[{},{}]"] {
        let call =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"identity.get","params":{params}}}"#);
        assert_eq!(codes(&conversation(call.as_bytes())), [Some(-32602)], "{params}");
    }
}

#[test]
fn many_calls_at_once_are_all_answered() {
    let lines: String = (0..20_000)
        .map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"identity.get\"}}\n"))
        .collect();
    let replies = conversation(lines.as_bytes());
    assert!(replies.iter().enumerate().all(|(at, reply)| reply["id"] == at));
    assert_eq!(replies.len(), 20_000);
}

#[test]
fn unknown_methods_are_named() {
    let replies = conversation(br#"{"jsonrpc":"2.0","id":1,"method":"identity.gte"}"#);
    assert_eq!(replies[0]["error"]["code"], -32601);
    assert!(replies[0]["error"]["message"].as_str().unwrap().contains("`identity.gte`"));
}
