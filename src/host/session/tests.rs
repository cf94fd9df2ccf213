mod ordered;
mod running;

use std::io::Write;

use plexsync_protocol::error::{ErrorObject, InvalidParams};
use plexsync_protocol::message::Progress;
use serde_json::{Value, json};

use super::*;
use crate::json_text::JsonText;
use crate::rpc::{Handling, Outcome, Slow};

/// The specification's methods, and some that misbehave.
fn methods() -> Methods {
    let mut methods = Methods::default();
    methods.add("subtract", |request| {
        let params: Value =
            serde_json::from_str(request.params.as_ref().map_or("null", |raw| raw.get())).unwrap();
        let (a, b) = match &params {
            Value::Array(list) => (list[0].as_i64(), list[1].as_i64()),
            named => (named["minuend"].as_i64(), named["subtrahend"].as_i64()),
        };
        Handling::Done(Ok(JsonText::of(&(a.unwrap() - b.unwrap()))))
    });
    methods.add("sum", |request| {
        let params: Vec<i64> = serde_json::from_str(request.params.unwrap().get()).unwrap();
        Handling::Done(Ok(JsonText::of(&params.iter().sum::<i64>())))
    });
    methods.add("get_data", |_| Handling::Done(Ok(JsonText::of(&json!(["hello", 5])))));
    for name in ["update", "notify_hello", "notify_sum"] {
        methods.add(name, |_| Handling::Done(Ok(JsonText::of(&0))));
    }
    methods.add("refuse", |_| {
        Handling::Done(Err(ErrorObject::invalid_params("/a", "must be a number")))
    });
    methods.add("panic", |_| panic!("in a quick method"));
    methods.add("ordered", |_| ordered(|| Ok(JsonText::of(&"ordered"))));
    methods.add("ordered.panic", |_| ordered(|| panic!("in an ordered method")));
    methods.add("in_turn", |request| Handling::Done(Ok(JsonText::of(&request.in_turn))));
    methods.add("slow.panic", |_| slow(async { panic!("in a slow method") }));
    methods.add("slow", |_| slow(async { Ok(JsonText::of(&"slow")) }));
    methods.add("never", |_| slow(std::future::pending()));
    methods.add("late", |_| {
        let work = Box::pin(std::future::pending());
        Handling::Slow(Slow { first: None, timeout: Some(Duration::ZERO), work })
    });
    methods.add("progress", move |request| {
        slow(async move {
            for done in 1..=3 {
                if let Some(send) = &request.progress {
                    send(Progress { token: json!("t"), done, total: Some(3) });
                }
            }
            Ok(JsonText::of(&true))
        })
    });
    methods
}

fn slow(work: impl Future<Output = Outcome> + Send + 'static) -> Handling {
    Handling::Slow(Slow { first: None, timeout: None, work: Box::pin(work) })
}

fn ordered(work: impl FnOnce() -> Outcome + Send + 'static) -> Handling {
    Handling::Ordered(Box::new(work))
}

/// A conversation in which these events have happened already.
fn serve_events(
    methods: &Methods,
    events: impl IntoIterator<Item = Event>,
    replies: impl Write,
    interrupt: Arc<AtomicBool>,
) -> io::Result<()> {
    let queue = Events::new();
    events.into_iter().for_each(|event| queue.send(event));
    let options = Options { framing: None, max_message: 1000 };
    let credit = Arc::new(Credit::new(|| {}));
    let stop = Arc::default();
    let host = Host { events: queue, credit, replies, typed: None, stop, interrupt };
    serve(methods, options, host, &mut || {})
}

/// What a host gets for these bytes, after which it sends no more.
fn replies_to(input: &[u8]) -> Vec<Value> {
    replies_to_events(vec![Event::Bytes(input.to_vec()), Event::End])
}

fn replies_to_events(events: Vec<Event>) -> Vec<Value> {
    let mut replies = Vec::new();
    serve_events(&methods(), events, &mut replies, Arc::default()).unwrap();
    let text = String::from_utf8(replies).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_examples_of_the_specification() {
    for (request, expected) in [
        (
            r#"{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}"#,
            json!([{"jsonrpc":"2.0","result":19,"id":1}]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"subtract","params":[23,42],"id":2}"#,
            json!([{"jsonrpc":"2.0","result":-19,"id":2}]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"subtract","params":{"subtrahend":23,"minuend":42},"id":3}"#,
            json!([{"jsonrpc":"2.0","result":19,"id":3}]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"subtract","params":{"minuend":42,"subtrahend":23},"id":4}"#,
            json!([{"jsonrpc":"2.0","result":19,"id":4}]),
        ),
        (r#"{"jsonrpc":"2.0","method":"update","params":[1,2,3,4,5]}"#, json!([])),
        (r#"{"jsonrpc":"2.0","method":"foobar"}"#, json!([])),
        (
            r#"{"jsonrpc":"2.0","method":"foobar","id":"1"}"#,
            json!([{"jsonrpc":"2.0","error":-32601,"id":"1"}]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"foobar,"params":"bar","baz]"#,
            json!([{"jsonrpc":"2.0","error":-32700,"id":null}]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#,
            json!([{"jsonrpc":"2.0","error":-32600,"id":null}]),
        ),
        (
            r#"[{"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},{"jsonrpc":"2.0","method"]"#,
            json!([{"jsonrpc":"2.0","error":-32700,"id":null}]),
        ),
        ("[]", json!([{"jsonrpc":"2.0","error":-32600,"id":null}])),
        ("[1]", json!([[{"jsonrpc":"2.0","error":-32600,"id":null}]])),
        (
            "[1,2,3]",
            json!([[
                {"jsonrpc":"2.0","error":-32600,"id":null},
                {"jsonrpc":"2.0","error":-32600,"id":null},
                {"jsonrpc":"2.0","error":-32600,"id":null}
            ]]),
        ),
        (
            r#"[{"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},{"jsonrpc":"2.0","method":"notify_hello","params":[7]},{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":"2"},{"foo":"boo"},{"jsonrpc":"2.0","method":"foo.get","params":{"name":"myself"},"id":"5"},{"jsonrpc":"2.0","method":"get_data","id":"9"}]"#,
            json!([[
                {"jsonrpc":"2.0","result":7,"id":"1"},
                {"jsonrpc":"2.0","result":19,"id":"2"},
                {"jsonrpc":"2.0","error":-32600,"id":null},
                {"jsonrpc":"2.0","error":-32601,"id":"5"},
                {"jsonrpc":"2.0","result":["hello",5],"id":"9"}
            ]]),
        ),
        (
            r#"[{"jsonrpc":"2.0","method":"notify_sum","params":[1,2,4]},{"jsonrpc":"2.0","method":"notify_hello","params":[7]}]"#,
            json!([]),
        ),
    ] {
        let replies: Vec<Value> =
            replies_to(request.as_bytes()).into_iter().map(with_bare_codes).collect();
        assert_eq!(Value::Array(replies), expected, "{request}");
    }
}

/// Codes are the specification's, texts are ours.
fn with_bare_codes(mut reply: Value) -> Value {
    match &mut reply {
        Value::Array(list) => {
            list.iter_mut().for_each(|reply| *reply = with_bare_codes(reply.take()))
        }
        single => {
            if let Some(error) = single.get_mut("error") {
                *error = error["code"].take();
            }
        }
    }
    reply
}

#[test]
fn a_panic_is_an_internal_error_with_the_right_id() {
    for method in ["panic", "ordered.panic", "slow.panic"] {
        let replies = replies_to(
            format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"id\":7}}\n{{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"id\":8}}"
            )
            .as_bytes(),
        );
        let failed = replies.iter().find(|reply| reply["id"] == 7).unwrap();
        assert_eq!(failed["error"]["code"], -32603);
        assert!(replies.iter().any(|reply| reply["id"] == 8 && reply["result"] == 0));
    }
}

#[test]
fn errors_keep_their_data() {
    let replies = replies_to(br#"{"jsonrpc":"2.0","method":"refuse","id":1}"#);
    let data: InvalidParams = serde_json::from_value(replies[0]["error"]["data"].clone()).unwrap();
    assert_eq!(data.pointer, "/a");
}

#[test]
fn replies_go_out_in_the_framing_of_the_requests() {
    let call = "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"id\":1}";
    for content_type in ["", "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"] {
        let bytes = format!("Content-Length: 42\r\n{content_type}\r\n{call}").into_bytes();
        let mut replies = Vec::new();
        let events = vec![Event::Bytes(bytes), Event::End];
        serve_events(&methods(), events, &mut replies, Arc::default()).unwrap();
        assert_eq!(
            String::from_utf8(replies).unwrap(),
            format!(
                "Content-Length: 35\r\n{content_type}\r\n{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":0}}"
            )
        );
    }
}

#[test]
fn cancellations_follow_the_rules_of_all_params() {
    for (params, cancels) in [
        (r#"{"id":1}"#, true),
        (r#"[{"id":1}]"#, true),
        ("[1]", false),
        ("{}", false),
        ("null", false),
        (r#"{"id":1,"other":2}"#, false),
    ] {
        let input = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"never\",\"id\":1}}\n{{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{params}}}\n{{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"id\":2}}\n"
        );
        let replies =
            replies_to_events(vec![Event::Bytes(input.into_bytes()), Event::Stop(Instant::now())]);
        let first = if cancels { 1 } else { 2 };
        assert_eq!(replies[0]["id"], first, "{params}: {replies:?}");
        assert_eq!(replies.len(), 2);
    }
}

#[test]
fn the_goodbye_of_the_language_server_protocol_ends_the_conversation() {
    let input = br#"{"jsonrpc":"2.0","method":"slow","id":1}
{"jsonrpc":"2.0","id":2,"method":"shutdown"}
{"jsonrpc":"2.0","method":"exit"}
{"jsonrpc":"2.0","method":"update","id":3}
"#;
    let mut replies = replies_to_events(vec![Event::Bytes(input.to_vec())]);
    replies.sort_by_key(|reply| reply["id"].as_u64());
    assert_eq!(
        replies,
        [
            json!({"jsonrpc": "2.0", "id": 1, "result": "slow"}),
            json!({"jsonrpc": "2.0", "id": 2, "result": null})
        ]
    );
    let others = b"{\"method\":\"exit\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"exit\",\"id\":1}\n{\"method\":\"shutdown\",\"id\":2}\n";
    let codes = replies_to(others);
    assert_eq!(codes[0]["error"]["code"], -32601);
    assert!(codes[1]["error"].as_str().unwrap().contains("-32601"));
}

#[test]
fn after_json_rpc_1_a_broken_call_is_answered_when_its_id_can_be_read() {
    let input = br#"{"method":"update","id":1}
{"jsonrpc":"2.0","id":6,"method":"update","params":5}
{"jsonrpc":"2.0","id":null,"method":"update","params":5}
{"jsonrpc":"2.0","id":{},"method":"update"}
{"jsonrpc":"2.0","id":7,"method":"update","method":"update"}
nonsense
"#;
    let replies = replies_to(input);
    assert_eq!(replies.len(), 3, "{replies:?}");
    assert_eq!((&replies[2]["id"], &replies[2]["error"]["code"]), (&json!(7), &json!(-32600)));
    assert_eq!((&replies[1]["id"], &replies[1]["error"]["code"]), (&json!(6), &json!(-32600)));
}
