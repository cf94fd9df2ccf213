use serde_json::json;

use super::*;

/// A plugin made of one shell line.
fn shell(script: &str) -> Launch {
    Launch::new("/bin/sh").argument("-c").argument(script)
}

const GOOD: &str = r#"{"id":0,"result":{"error":null,"output":"ok"},"error":null}"#;

#[test]
fn only_a_string_in_the_result_is_a_failure_over_rpc() {
    let cases = [
        (GOOD, None, json!("ok"), false),
        (r#"{"id":0,"result":{"error":"boom","output":1}}"#, Some("boom"), json!(1), false),
        (r#"{"ID":7,"id":7,"result":1}{"id":0,"result":{"output":2}}"#, None, json!(2), false),
        (r#"{"id":0,"result":null,"error":"boom"}"#, None, json!(null), true),
        (r#"{"id":0,"error":{"code":1,"message":"boom"}}"#, None, json!(null), true),
        (r#"{"jsonrpc":"2.0","method":"note"}"#, None, json!(null), true),
        ("Hello", None, json!(null), true),
        ("", None, json!(null), true),
    ];
    for (stdout, error, output, swallowed) in cases {
        let run = shell(&format!("printf %s '{stdout}'; exit 3")).run_rpc(&json!({}));
        assert_eq!(run.error.as_deref(), error, "{stdout}");
        assert_eq!(run.output, output, "{stdout}");
        assert_eq!(run.swallowed.is_some(), swallowed, "{stdout}: {:?}", run.swallowed);
        assert!(!run.killed);
    }
}

#[test]
fn raw_output_is_one_object_or_a_text() {
    let cases = [
        (r#"{"output":"ok"}"#, 0, None, json!("ok"), false),
        (r#"{"error":"bad","output":1}"#, 3, Some("bad"), json!(1), false),
        (r#"noise {"error":"bad"}"#, 0, None, json!(r#"noise {"error":"bad"}"#), true),
        (r#"{"id":0,"result":{}}"#, 0, None, json!(null), true),
        ("", 3, Some("exit status: 3"), json!(""), true),
    ];
    for (stdout, code, error, output, swallowed) in cases {
        let run =
            shell(&format!("cat >&2; printf %s '{stdout}'; exit {code}")).run_raw(&json!("<"));
        assert_eq!(run.error.as_deref(), error, "{stdout}");
        assert_eq!(run.output, output, "{stdout}");
        assert_eq!(run.swallowed.is_some(), swallowed, "{stdout}");
        assert_eq!(run.log[0].text, r#""\u003c""#);
    }
}

#[test]
fn a_plugin_that_lingers_is_killed_and_one_that_goes_is_not() {
    let lingers = format!("trap '' INT; echo '{GOOD}'; while :; do sleep 1; done");
    let run = shell(&lingers).run_rpc(&json!({}));
    assert!(run.killed && run.error.is_none());
    let run =
        shell(&format!("printf '\\001w\\002gone' >&2; echo '{GOOD}'; cat")).run_rpc(&json!({}));
    assert!(!run.killed);
    assert_eq!(run.log, [], "a last line without an end is lost");
}

#[test]
fn stop_is_answered_while_run_is_not() {
    let script = format!(
        r#"read run; read stop; echo '{{"id":1,"result":true,"error":null}}'; echo '{GOOD}'; echo "$stop" >&2"#
    );
    let mut task = shell(&script).start_rpc(&json!({}));
    task.stop();
    let run = task.finish();
    assert_eq!(run.output, "ok");
    assert_eq!(run.replies.len(), 2);
}

#[test]
fn the_tls_server_has_a_certificate() {
    assert!(FakeStash::start_tls().connection("/p")["Scheme"] == "https");
}
