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
fn quick_calls_pass_slow_ones() {
    let input = br#"{"jsonrpc":"2.0","method":"slow","id":1}
{"jsonrpc":"2.0","method":"update","id":2}
"#;
    let ids: Vec<_> = replies_to(input).iter().map(|reply| reply["id"].clone()).collect();
    assert_eq!(ids, [json!(2), json!(1)]);
}

#[test]
fn a_batch_is_answered_in_order_when_all_of_it_is_done() {
    let input = br#"[{"jsonrpc":"2.0","method":"slow","id":1},{"jsonrpc":"2.0","method":"update","id":2},{"jsonrpc":"2.0","method":"slow"}]"#;
    let replies = replies_to(input);
    assert_eq!(replies.len(), 1);
    assert_eq!(
        (&replies[0][0]["id"], &replies[0][1]["id"], replies[0].as_array().unwrap().len()),
        (&json!(1), &json!(2), 2)
    );
}

#[test]
fn a_cancelled_call_is_answered_once() {
    let input = br#"{"jsonrpc":"2.0","method":"never","id":"a"}
{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"a"}}
{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"a"}}
{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"b"}}
"#;
    let replies = replies_to(input);
    assert_eq!(replies.len(), 1);
    assert_eq!(
        (replies[0]["error"]["code"].as_i64(), &replies[0]["id"]),
        (Some(-32800), &json!("a"))
    );
}

#[test]
fn a_cancelled_call_gives_its_place_away() {
    let mut input = String::new();
    for id in 0..=MAX_RUNNING_AND_ONE {
        input += &format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"{}\",\"id\":{id}}}\n",
            if id < 64 { "never" } else { "slow" }
        );
    }
    input += "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":3}}\n";
    let replies = replies_to_events(vec![
        Event::Bytes(input.into_bytes()),
        Event::Bytes(b"".to_vec()),
        Event::Stop(Instant::now()),
    ]);
    assert!(replies.iter().any(|reply| reply["id"] == 64 && reply["result"] == "slow"));
    assert_eq!(replies.iter().filter(|reply| reply["error"]["code"] == -32800).count(), 64);
}

const MAX_RUNNING_AND_ONE: usize = 65;

#[test]
fn too_many_calls_are_refused_and_a_batch_waits_as_one() {
    let never = |id: usize| format!("{{\"jsonrpc\":\"2.0\",\"method\":\"never\",\"id\":{id}}}");
    let mut input = String::new();
    for id in 0..64 + 255 {
        input += &never(id);
        input.push('\n');
    }
    let members: Vec<String> = (1000..1010).map(never).collect();
    input += &format!("[{}]\n", members.join(","));
    input += &format!("{}\n", never(2000));
    input += &format!("[{}]\n", [never(3000), never(3001)].join(","));
    input += "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"id\":\"quick\"}\n";
    let replies =
        replies_to_events(vec![Event::Bytes(input.into_bytes()), Event::Stop(Instant::now())]);
    let refused: Vec<&Value> = replies
        .iter()
        .flat_map(|reply| reply.as_array().map_or(vec![reply], |list| list.iter().collect()))
        .filter(|reply| reply["error"]["code"] == -32000)
        .collect();
    let ids: Vec<_> = refused.iter().map(|reply| reply["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [2000, 3000, 3001]);
    assert!(replies.iter().any(|reply| reply["id"] == "quick"));
}

#[test]
fn unfinished_calls_are_cancelled_when_the_process_must_stop() {
    let replies = replies_to_events(vec![
        Event::Bytes(b"{\"jsonrpc\":\"2.0\",\"method\":\"never\",\"id\":1}\n".to_vec()),
        Event::Stop(Instant::now()),
    ]);
    assert_eq!(replies[0]["error"]["code"], -32800);
}

#[test]
fn the_time_to_stop_begins_with_the_signal_and_not_when_the_loop_comes_to_it() {
    let begun = Instant::now();
    let replies = replies_to_events(vec![
        Event::Bytes(b"{\"jsonrpc\":\"2.0\",\"method\":\"never\",\"id\":1}\n".to_vec()),
        Event::Stop(begun.checked_sub(STOP).unwrap()),
    ]);
    assert_eq!(replies[0]["error"]["code"], -32800);
    assert!(begun.elapsed() < STOP, "{:?}", begun.elapsed());
}

#[test]
fn progress_comes_before_the_reply_and_only_to_those_who_can_read_it() {
    let replies = replies_to(br#"{"jsonrpc":"2.0","method":"progress","id":1}"#);
    let (last, reports) = replies.split_last().unwrap();
    let done: Vec<_> = reports.iter().map(|report| report["params"]["done"].as_u64()).collect();
    assert!(done.is_sorted() && done.last() == Some(&Some(3)), "{done:?}");
    assert_eq!(last["result"], true);
    assert_eq!(replies_to(br#"{"method":"progress","id":1}"#).len(), 1);
}

#[test]
fn to_a_go_host_nothing_is_said_unasked() {
    let replies =
        replies_to(b"nonsense\n{\"method\":\"update\",\"params\":[],\"id\":1}\nnonsense\n5\n");
    assert_eq!(replies.len(), 2, "{replies:?}");
    assert_eq!(replies[1], json!({"id": 1, "result": 0, "error": null}));
}

#[test]
fn stop_is_answered_at_once_and_the_run_after_it() {
    let run = r#"{"method":"RPCRunner.Run","params":[{"server_connection":{},"args":{"method":"never"}}],"id":0}"#;
    let replies = replies_to(
        format!("{run}\n{{\"method\":\"RPCRunner.Stop\",\"params\":[null],\"id\":1}}\n").as_bytes(),
    );
    assert_eq!(replies[0], json!({"id": 1, "result": true, "error": null}));
    assert_eq!(
        replies[1],
        json!({"id": 0, "result": {"error": "cancelled (-32800)", "output": null}, "error": null})
    );
}

#[test]
fn a_host_that_hangs_up_ends_the_conversation_quietly() {
    struct HungUp;
    impl Write for HungUp {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let call = b"{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"id\":1}\n".to_vec();
    serve_events(&methods(), [Event::Bytes(call)], HungUp, Arc::default()).unwrap();
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
fn ordered_calls_are_answered_in_the_order_received() {
    let call = |id: usize| format!("{{\"jsonrpc\":\"2.0\",\"method\":\"ordered\",\"id\":{id}}}\n");
    let input: String = (0..300).map(call).collect();
    let ids: Vec<_> =
        replies_to(input.as_bytes()).iter().map(|reply| reply["id"].clone()).collect();
    assert_eq!(ids, (0..300).map(Value::from).collect::<Vec<_>>());
}

#[test]
fn a_call_knows_whether_ordered_ones_before_it_are_unfinished() {
    let call =
        |method: &str, id| format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"id\":{id}}}\n");
    let input = [call("in_turn", 1), call("ordered", 2), call("in_turn", 3)].concat();
    let replies = replies_to(input.as_bytes());
    let answer = |id| replies.iter().find(|reply| reply["id"] == id).unwrap()["result"].clone();
    assert_eq!((answer(1), answer(2), answer(3)), (json!(true), json!("ordered"), json!(false)));
}

#[test]
fn more_ordered_calls_than_are_read_ahead_are_all_answered() {
    let call = "{\"jsonrpc\":\"2.0\",\"method\":\"ordered\",\"id\":1}\n";
    assert_eq!(replies_to(call.repeat(MAX_ORDERED + 1000).as_bytes()).len(), MAX_ORDERED + 1000);
}

#[test]
fn a_call_that_the_network_does_not_let_go_is_answered_for_it() {
    let replies = replies_to(b"{\"jsonrpc\":\"2.0\",\"method\":\"late\",\"id\":1}\n");
    assert_eq!(replies[0]["error"]["code"], -32011);
    assert_eq!(replies[0]["error"]["data"]["phase"], "response");
}

/// A lock that is held elsewhere: the call gives up when it is asked to.
fn waits_for_a_lock(interrupt: &Arc<AtomicBool>) -> Handling {
    let interrupt = interrupt.clone();
    ordered(move || {
        while !interrupt.load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(calls::may_have_been_written())
    })
}

#[test]
fn an_ordered_call_that_waits_is_interrupted_and_those_behind_it_go_on() {
    let interrupt: Arc<AtomicBool> = Arc::default();
    let mut methods = methods();
    let shared = interrupt.clone();
    methods.add("lock", move |_| waits_for_a_lock(&shared));
    let input = br#"{"jsonrpc":"2.0","method":"lock","id":1}
{"jsonrpc":"2.0","method":"ordered","id":2}
{"jsonrpc":"2.0","method":"ordered","id":3}
{"jsonrpc":"2.0","method":"$/cancelRequest","params":[{"id":1}]}
{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":3}}
"#;
    let events = [Event::Bytes(input.to_vec()), Event::End];
    let mut replies = Vec::new();
    serve_events(&methods, events, &mut replies, interrupt).unwrap();
    let replies: Vec<Value> = replies
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let of = |id| replies.iter().find(|reply| reply["id"] == id).unwrap();
    assert_eq!(of(1)["error"]["code"], -32800);
    assert_eq!(of(2)["result"], "ordered");
    assert_eq!(of(3)["error"]["code"], -32800);
    assert_eq!(replies.len(), 3);
}

#[test]
fn an_ordered_call_that_goes_on_after_a_signal_may_have_written() {
    let mut methods = methods();
    methods.add("writes", |_| {
        ordered(|| {
            std::thread::sleep(Duration::from_secs(5));
            Ok(JsonText::of(&true))
        })
    });
    let input = br#"{"jsonrpc":"2.0","method":"writes","id":1}
{"jsonrpc":"2.0","method":"ordered","id":2}
"#;
    let events = [Event::Bytes(input.to_vec()), Event::Stop(Instant::now())];
    let mut replies = Vec::new();
    let begun = Instant::now();
    serve_events(&methods, events, &mut replies, Arc::default()).unwrap();
    assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());
    let text = String::from_utf8(replies).unwrap();
    assert_eq!(text.matches("-32800").count(), 2, "{text}");
    assert!(text.contains("may have been written"), "{text}");
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
