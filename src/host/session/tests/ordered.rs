//! Calls that are answered in the order received.

use super::*;

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
