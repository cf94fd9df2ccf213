//! What Stash writes, and what it is answered.

use super::*;

const CONNECTION: &str = r#""server_connection":{"Scheme":"http","Host":"0.0.0.0","Port":9999,"SessionCookie":null,"Dir":"/d","PluginDir":"/p","New":1}"#;

#[test]
fn a_plugin_input_names_its_method() {
    let input = format!(
        r#"{{{CONNECTION},"args":{{"method":"identity.reset","n":1,"params":{{"if_device_id":"x"}}}}}}"#
    );
    for message in [
        input.clone(),
        format!(r#"{{"method":"RPCRunner.Run","params":[{input}],"id":0}}"#),
        format!(r#"{{"jsonrpc":"2.0","method":"RPCRunner.Run","params":{input},"id":0}}"#),
        input.replace(r#"{"if_device_id":"x"}"#, r#""{\"if_device_id\":\"x\"}""#),
    ] {
        let call = call(&message);
        assert_eq!(call.method, "identity.reset");
        assert_eq!(call.params.unwrap().get(), r#"{"if_device_id":"x"}"#);
        assert_eq!(call.stash.unwrap().connection.plugin_dir, "/p");
        assert!(call.reply_to.is_stash());
    }
}

#[test]
fn failures_for_stash_are_strings_in_the_output() {
    let raw = format!("{{{CONNECTION},\"args\":{{}}}}");
    assert!(refusal(&raw).starts_with(r#"{"error":"`args.method` is missing"#));
    assert!(
        refusal(&format!(r#"{{{CONNECTION},"args":null}}"#))
            .starts_with(r#"{"error":"`args.method`"#)
    );
    let rpc = refusal(&format!(r#"{{"method":"RPCRunner.Run","params":[{raw}],"id":0}}"#));
    assert!(rpc.starts_with(r#"{"id":0,"result":{"error":"`args.method` is missing"#), "{rpc}");
    assert!(rpc.ends_with(r#"(-32600)","output":null},"error":null}"#), "{rpc}");
    for params in ["[]", "[null]", "[{}]", "null", "[1,2]", "{}"] {
        let reply = refusal(&format!(r#"{{"method":"RPCRunner.Run","params":{params},"id":0}}"#));
        assert!(reply.starts_with(r#"{"id":0,"result":{"error":""#), "{params}: {reply}");
    }
}

#[test]
fn errors_about_a_plugin_input_do_not_quote_it() {
    for (input, told) in [
        (
            r#"{"server_connection":{"SessionCookie":"SECRET-COOKIE"},"args":{}}"#,
            "SessionCookie`: ",
        ),
        (r#"{"server_connection":{"Port":"SECRET"},"args":{}}"#, "Port`: expected a whole number"),
        (r#"{"server_connection":"SECRET","args":{}}"#, "`server_connection`: expected an object"),
    ] {
        let reply = refusal(input);
        assert!(!reply.contains("SECRET") && reply.contains(told), "{reply}");
    }
    let args = r#"{"method":"SECRET","hookContext":"SECRET, expected a SECRET"}"#;
    let reply = refusal(&format!(r#"{{{CONNECTION},"args":{args}}}"#));
    assert!(!reply.contains("SECRET") && reply.contains("`args.hookContext`"), "{reply}");
}

#[test]
fn what_stash_writes_is_understood() {
    for (path, input) in plexsync_harness::fixtures::stash() {
        for line in String::from_utf8(input).unwrap().lines() {
            let reply_to = match single(line) {
                Item::Call(call) => call.reply_to,
                Item::Stop(reply_to) | Item::Invalid(reply_to, _) => reply_to,
                _ => panic!("{}: not taken for a call", path.display()),
            };
            assert!(reply_to.wants_reply(), "{}", path.display());
        }
    }
}

#[test]
fn stash_has_no_batches() {
    let Inbound::Batch(items) = read_text(&format!("[{{{CONNECTION},\"args\":{{}}}}]")) else {
        panic!("no batch")
    };
    let [Item::Invalid(reply_to, _)] = items.as_slice() else { panic!("taken for a request") };
    assert!(!reply_to.is_stash());
}

#[test]
fn stopping_is_no_call() {
    let message = r#"{"method":"RPCRunner.Stop","params":[],"id":1}"#;
    assert!(matches!(single(message), Item::Stop(reply_to) if reply_to.wants_reply()));
}
