//! Remembers what was asked, so that an answer can be held against its method.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use super::Contract;
use plexsync_protocol::message::method;

/// What one worker was asked, and not yet answered.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    asked: HashMap<String, VecDeque<Asked>>,
    raw: VecDeque<Option<String>>,
}

#[derive(Debug)]
struct Asked {
    method: String,
    /// The method that Stash's arguments name.
    run: Option<String>,
}

impl Conversation {
    /// Takes down what is sent. What is no whole message on its own line is passed over.
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        for line in bytes.split(|&byte| byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Value::Array(batch)) => batch.iter().for_each(|call| self.call(call)),
                Ok(call) => self.call(&call),
                Err(_) => {}
            }
        }
    }

    fn call(&mut self, call: &Value) {
        let params = match &call["params"] {
            Value::Array(list) => list.first().unwrap_or(&Value::Null),
            params => params,
        };
        match (call["method"].as_str(), call.get("id")) {
            (Some(name), Some(id)) if !id.is_null() => {
                let run = run(&params["args"]);
                let asked = Asked { method: name.to_owned(), run };
                self.asked.entry(id.to_string()).or_default().push_back(asked);
            }
            (None, _) if call.get("server_connection").is_some() => {
                self.raw.push_back(run(&call["args"]));
            }
            _ => {}
        }
    }

    /// Judges what came.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub(crate) fn received(&mut self, message: &Value) -> Result<(), String> {
        if let Some(batch) = message.as_array() {
            return batch.iter().try_for_each(|reply| self.received(reply));
        }
        if let Some(name) = message["method"].as_str() {
            return Contract::get().check_notification(name, &message["params"]);
        }
        if message.get("output").is_some() && message.get("id").is_none() {
            let method = self.raw.pop_front().flatten();
            return Contract::get().check_output(method.as_deref(), message);
        }
        let Some(id) = message.get("id") else { return Ok(()) };
        let asked = self.asked.get_mut(&id.to_string()).and_then(VecDeque::pop_front);
        judge(asked.as_ref(), message)
    }
}

/// The method whose result answers these arguments of Stash's: a reset without params and unconfirmed shows the identity.
fn run(args: &Value) -> Option<String> {
    let is_empty = match &args["params"] {
        Value::String(text) => text.trim().is_empty() || text.trim() == "{}",
        params => params.is_null() || *params == json!({}),
    };
    let confirmed = args["confirm"] == true || args["confirm"] == "true";
    match args["method"].as_str() {
        Some(method::IDENTITY_RESET) if is_empty && !confirmed => {
            Some(method::IDENTITY_GET.to_owned())
        }
        name => name.map(str::to_owned),
    }
}

fn judge(asked: Option<&Asked>, reply: &Value) -> Result<(), String> {
    let contract = Contract::get();
    match (asked, reply.get("result"), reply.get("error")) {
        (_, None | Some(Value::Null), Some(Value::String(_))) => Ok(()),
        (asked, None, Some(error)) => {
            contract.check_error(asked.map(|asked| asked.method.as_str()), error)
        }
        (Some(asked), Some(result), None | Some(Value::Null))
            if asked.method == method::STASH_RUN =>
        {
            contract.check_output(asked.run.as_deref(), result)
        }
        (Some(asked), Some(result), None | Some(Value::Null)) => {
            contract.check_result(&asked.method, result)
        }
        (None, Some(_), None | Some(Value::Null)) => Ok(()),
        _ => Err(format!("neither a result nor an error, or both: {reply}")),
    }
}
