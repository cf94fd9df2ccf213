//! The judge, judged.

use super::*;

#[test]
fn the_documents_own_examples_are_right() {
    let contract = Contract::get();
    for entry in members(&contract.document()["methods"]) {
        let name = text(&entry["name"]);
        for example in members(&entry["examples"]) {
            let params: serde_json::Map<_, _> = members(&example["params"])
                .map(|param| (text(&param["name"]), param["value"].clone()))
                .collect();
            contract.check_params(&name, &Value::Object(params)).unwrap();
            contract.check_result(&name, &example["result"]["value"]).unwrap();
        }
    }
}

#[test]
fn what_breaks_the_contract_is_found() {
    let contract = Contract::get();
    let identity = contract.document()["methods"][0]["examples"][0]["result"]["value"].clone();
    let without = |member: &str| {
        let mut identity = identity.clone();
        identity.as_object_mut().unwrap().remove(member);
        identity
    };
    let with = |member: &str, value: Value| {
        let mut identity = identity.clone();
        identity[member] = value;
        identity
    };
    let right = |result: &Value| contract.check_result("identity.get", result).is_ok();
    assert!(right(&identity));
    assert!(right(&with("new_in_1_1", json!(1))), "results may grow");
    assert!(!right(&without("device_id")));
    assert!(!right(&with("device_id", json!(""))));
    assert!(!right(&with("origin", json!("found"))));
    assert!(!right(&with("product", json!("Other"))));
    assert!(contract.check_result("identity.reset", &identity).is_err(), "without `previous`");

    let error = |method, error| contract.check_error(Some(method), &error).is_ok();
    let data = json!({"path": "p", "reason": "r"});
    assert!(error("identity.get", json!({"code": -32001, "message": "m", "data": data})));
    assert!(!error("identity.get", json!({"code": -32001, "message": "m", "data": {"path": "p"}})));
    assert!(!error("identity.get", json!({"code": -32001, "message": "m"})));
    assert!(!error("rpc.discover", json!({"code": -32001, "message": "m", "data": data})));
    assert!(!error("identity.get", json!({"code": -32077, "message": "m"})));
    assert!(!error("identity.get", json!({"code": -32603, "message": "M."})));

    assert!(contract.check_params("plex.request", &json!({"path": "/a", "pfad": 1})).is_err());
    assert!(contract.check_params("plex.request", &json!({"path": "//a"})).is_err());
    assert!(contract.check_params("plex.request", &json!({})).is_err());
    assert!(contract.check_notification("$/progress", &json!({"token": 1, "done": 2})).is_err());
}

#[test]
fn a_conversation_knows_which_method_an_answer_belongs_to() {
    let mut talk = Conversation::default();
    talk.sent(b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"identity.get\"}\n{\"broken\n");
    talk.sent(br#"[{"jsonrpc":"2.0","id":2,"method":"plex.scan"},7]"#);
    let scan = json!({"outcome": "asked", "section": "1", "folder": "/f", "status": 200});
    talk.received(&json!([{"id": 2, "result": scan}, {"id": null, "error": {"code": -32600, "message": "m"}}]))
        .unwrap();
    talk.received(&json!({"id": "a", "result": scan})).unwrap_err();

    let input = json!({"server_connection": {}, "args": {"method": "plex.scan"}});
    talk.sent(
        json!({"id": 0, "method": "RPCRunner.Run", "params": [input]}).to_string().as_bytes(),
    );
    talk.received(&json!({"id": 0, "error": null, "result": {"error": null, "output": {}}}))
        .unwrap_err();
    talk.sent(input.to_string().as_bytes());
    talk.received(&json!({"error": null, "output": scan})).unwrap();
    talk.received(&json!({"error": "", "output": null})).unwrap_err();
}
