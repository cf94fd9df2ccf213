//! Calls that run at once: their order, their ends, and what they say meanwhile.

use super::*;

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
