mod stash;

use super::*;

fn read_text(text: &str) -> Inbound {
    read(&Frame::Message(text.as_bytes()), 1000).unwrap()
}

fn single(text: &str) -> Item {
    match read_text(text) {
        Inbound::Single(item) => item,
        Inbound::Batch(_) => panic!("`{text}` was read as a batch"),
    }
}

fn call(text: &str) -> Call {
    match single(text) {
        Item::Call(call) => call,
        Item::Invalid(_, error) => panic!("`{text}` is no call: {error}"),
        _ => panic!("`{text}` is no call"),
    }
}

/// The reply to a message that is not carried out, as text.
fn refusal(text: &str) -> String {
    match single(text) {
        Item::Invalid(reply_to, error) => text_of(reply_to.reply(Err(error))),
        _ => panic!("`{text}` was taken for a request"),
    }
}

fn text_of(reply: Option<JsonText>) -> String {
    let bytes = reply.map(|reply| reply.pieces().collect::<Vec<_>>().concat()).unwrap_or_default();
    String::from_utf8(bytes).unwrap()
}

fn code_and_id(reply: &str) -> (i64, String) {
    let reply: serde_json::Value = serde_json::from_str(reply).unwrap();
    (reply["error"]["code"].as_i64().unwrap(), reply["id"].to_string())
}

#[test]
fn what_is_no_request_is_told_so() {
    for (message, code, id) in [
        ("1", -32600, "null"),
        ("null", -32600, "null"),
        ("\"x\"", -32600, "null"),
        ("true", -32600, "null"),
        ("[]", -32600, "null"),
        ("{}", -32600, "null"),
        ("{\"id\":7}", -32600, "7"),
        ("nonsense", -32700, "null"),
        (
            "{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]",
            -32700,
            "null",
        ),
        ("{} {}", -32700, "null"),
        (r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#, -32600, "null"),
        (r#"{"jsonrpc":"2.0","method":1,"id":3}"#, -32600, "3"),
        (r#"{"jsonrpc":"2.0","method":"m","id":true}"#, -32600, "null"),
        (r#"{"jsonrpc":"2.0","method":"m","id":[1]}"#, -32600, "null"),
        (r#"{"jsonrpc":"2.0","method":"m","id":{}}"#, -32600, "null"),
        (r#"{"jsonrpc":"1.0","method":"m","id":1}"#, -32600, "1"),
        (r#"{"jsonrpc":2.0,"method":"m","id":1}"#, -32600, "1"),
        (r#"{"jsonrpc":null,"method":"m","id":1}"#, -32600, "1"),
        (r#"{"jsonrpc":"2.0","method":"m","id":1,"params":"x"}"#, -32600, "1"),
        (r#"{"jsonrpc":"2.0","method":"m","id":1,"params":1}"#, -32600, "1"),
        (r#"{"jsonrpc":"2.0","method":"m","id":1,"id":2}"#, -32600, "null"),
        (r#"{"jsonrpc":"2.0","method":"m","id":1,"method":"n"}"#, -32600, "1"),
        (r#"{"jsonrpc":"2.0","jsonrpc":"2.0","method":"m","id":{}}"#, -32600, "null"),
        (r#"{"jsonrpc":"2.0","method":"m","params":{},"params":{}}"#, -32600, "null"),
        (r#"{"jsonrpc":"2.0","id":1,"result":5}"#, -32600, "1"),
        ("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\"\\ud800", -32700, "null"),
    ] {
        assert_eq!(code_and_id(&refusal(message)), (code, id.to_owned()), "{message}");
    }
}

#[test]
fn invalid_utf_8_is_a_parse_error() {
    let Some(Inbound::Single(Item::Invalid(reply_to, error))) =
        read(&Frame::Message(b"{\"a\":\"\xff\"}"), 9)
    else {
        panic!("taken for a request");
    };
    assert_eq!(code_and_id(&text_of(reply_to.reply(Err(error)))), (-32700, "null".to_owned()));
}

#[test]
fn ids_come_back_as_they_were_sent() {
    for id in [
        "0",
        "-1",
        "1.5",
        "1.0",
        "1e400",
        "18446744073709551616",
        "123456789012345678901234567890",
        "\"a\\u0062\"",
        "null",
        "\"\"",
    ] {
        let call = call(&format!(r#"{{"jsonrpc":"2.0","method":"m","id":{id}}}"#));
        let reply = text_of(call.reply_to.reply(Ok(JsonText::of(&1))));
        assert_eq!(reply, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":1}}"#));
    }
}

#[test]
fn a_notification_is_not_answered() {
    let call = call(r#"{"jsonrpc":"2.0","method":"m"}"#);
    assert_eq!(call.reply_to.reply(Ok(JsonText::of(&1))), None);
}

#[test]
fn positional_members_are_no_request() {
    let Inbound::Batch(items) = read_text(r#"["2.0","m",[1],1]"#) else { panic!("no batch") };
    assert!(items.iter().all(|item| matches!(item, Item::Invalid(..))));
    let Inbound::Batch(items) = read_text(r#"[["2.0","m",[1],1]]"#) else { panic!("no batch") };
    assert!(matches!(items.as_slice(), [Item::Invalid(..)]));
}

#[test]
fn members_of_a_batch_are_read_one_by_one() {
    let Inbound::Batch(items) =
        read_text(r#"[{"jsonrpc":"2.0","method":"m","id":1},5,{"method":"m","id":2}]"#)
    else {
        panic!("no batch")
    };
    assert!(matches!(items.as_slice(), [Item::Call(_), Item::Invalid(..), Item::Invalid(..)]));
}

#[test]
fn a_batch_has_a_limit() {
    let members = |count| vec![r#"{"jsonrpc":"2.0","method":"m"}"#; count].join(",");
    assert!(
        matches!(read_text(&format!("[{}]", members(1000))), Inbound::Batch(items) if items.len() == 1000)
    );
    assert_eq!(code_and_id(&refusal(&format!("[{}]", members(1001)))), (-32600, "null".to_owned()));
}

#[test]
fn deep_nesting_is_read_without_recursion() {
    let deep = format!(
        r#"{{"jsonrpc":"2.0","method":"m","id":1,"params":{}{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert_eq!(call(&deep).method, "m");
    assert_eq!(code_and_id(&refusal(&"[".repeat(200_000))).0, -32700);
}

#[test]
fn go_is_answered_as_it_asks() {
    let asked = call(r#"{"method":"identity.get","params":[{}],"id":0}"#);
    assert_eq!(
        text_of(asked.reply_to.reply(Ok(JsonText::of(&5)))),
        r#"{"id":0,"result":5,"error":null}"#
    );
    assert_eq!(
        text_of(asked.reply_to.reply(Ok(JsonText::of(&())))),
        r#"{"id":0,"result":true,"error":null}"#
    );
    let error = ErrorObject::new(Code::IdentityUnavailable, "no \"identity\"");
    assert_eq!(
        text_of(asked.reply_to.reply(Err(error))),
        r#"{"id":0,"result":null,"error":"no \"identity\" (-32001)"}"#
    );
}

#[test]
fn go_notifies_with_a_null_id_or_none() {
    for message in [r#"{"method":"m","params":[],"id":null}"#, r#"{"method":"m","params":[]}"#] {
        assert!(!call(message).reply_to.wants_reply(), "{message}");
    }
}

#[test]
fn a_1_0_request_that_is_none_gets_a_string() {
    assert_eq!(
        refusal(r#"{"method":5,"id":3}"#),
        r#"{"id":3,"result":null,"error":"invalid request: `method` must be a string (-32600)"}"#
    );
}

#[test]
fn a_parse_error_tells_the_place() {
    assert!(refusal("{\"a\":\n nonsense}").contains("line 2 column 3"));
}

/// It is a notification. Whoever gives it an id waits for an answer.
#[test]
fn a_cancellation_with_an_id_is_a_call() {
    let asked = call(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1},"id":2}"#);
    assert!(asked.reply_to.wants_reply());
}

#[test]
fn cancelling_names_the_call() {
    let Item::Cancel(id) =
        single(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"a\u0062"}}"#)
    else {
        panic!("no cancellation")
    };
    assert!(id.is(&Id("\"ab\"".into())));
    assert!(!id.is(&Id("\"ac\"".into())));
    assert!(!Id("1".into()).is(&Id("\"1\"".into())));
}

#[test]
fn headers_tell_the_length_in_bytes() {
    let mut text = JsonText::from("\"é".as_bytes().to_vec());
    text.append(JsonText::from(b"\"".to_vec()));
    assert_eq!(
        text_of(Some(super::frame(Framing::Headers, None, text))),
        "Content-Length: 4\r\n\r\n\"é\""
    );
}
