//! Holds every reply against the contract's OpenRPC document: results, error codes and what comes with them.

mod conversation;

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::message::method;
use serde_json::{Value, json};

pub(crate) use conversation::Conversation;

/// Judges all that a worker said to this input, where it said one JSON object a line.
///
/// # Panics
/// When it breaks the contract.
pub(crate) fn judge_lines(input: &[u8], output: &str) {
    let mut conversation = Conversation::default();
    conversation.sent(input);
    for message in output.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        if let Err(breach) = conversation.received(&message) {
            panic!("the reply breaks the contract: {breach}");
        }
    }
}

/// Compiled once: every host of a test program asks it.
static CONTRACT: LazyLock<Contract> =
    LazyLock::new(|| Contract::of(plexsync_protocol::OPENRPC.parse().expect("JSON")));

/// The document, ready to judge.
pub struct Contract {
    methods: HashMap<String, Method>,
    data: HashMap<i64, Option<Validator>>,
    notifications: HashMap<String, Validator>,
    document: Value,
}

struct Method {
    params: Validator,
    result: Validator,
    codes: Vec<i64>,
}

impl Contract {
    /// The contract that this worker is held to.
    pub fn get() -> &'static Self {
        &CONTRACT
    }

    fn of(document: Value) -> Self {
        let methods = members(&document["methods"]);
        let methods = methods.map(|entry| (text(&entry["name"]), Method::of(entry, &document)));
        let data = members(&document["x-errors"]).map(|entry| {
            let schema = entry.get("data").map(|schema| compiled(schema, &document));
            (entry["code"].as_i64().expect("a code"), schema)
        });
        let notifications = members(&document["x-notifications"])
            .map(|entry| (text(&entry["name"]), compiled(&entry["params"], &document)));
        Self {
            methods: methods.collect(),
            data: data.collect(),
            notifications: notifications.collect(),
            document: document.clone(),
        }
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Judges the params of a method. Of a method that the contract does not know everything is right.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_params(&self, method: &str, params: &Value) -> Result<(), String> {
        match self.methods.get(method) {
            Some(known) => judge(&known.params, params, &format!("params of `{method}`")),
            None => Ok(()),
        }
    }

    /// Judges the result of a method. Of a method that the contract does not know everything is right.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_result(&self, method: &str, result: &Value) -> Result<(), String> {
        match self.methods.get(method) {
            Some(known) => judge(&known.result, result, &format!("result of `{method}`")),
            None => Ok(()),
        }
    }

    /// Judges an error object: its code, whether `method` may end with it, and its data.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_error(&self, method: Option<&str>, error: &Value) -> Result<(), String> {
        let ErrorObject { code, message, data } = serde_json::from_value(error.clone())
            .map_err(|problem| format!("no error object ({problem}): {error}"))?;
        let Some(schema) = self.data.get(&code) else {
            return Err(format!("the contract knows no code {code}: {error}"));
        };
        if message.is_empty() || message.ends_with('.') {
            return Err(format!("a message is a sentence without a full stop: {error}"));
        }
        let known = method.and_then(|method| self.methods.get(method));
        if known.is_some_and(|known| !known.codes.contains(&code)) {
            return Err(format!("`{}` can't end with {code}: {error}", method.unwrap_or_default()));
        }
        match (schema, data) {
            (Some(schema), Some(data)) => judge(schema, &data, &format!("data of {code}")),
            (Some(_), None) => Err(format!("{code} comes with data: {error}")),
            (None, _) => Ok(()),
        }
    }

    /// Judges a notification from the worker.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_notification(&self, name: &str, params: &Value) -> Result<(), String> {
        match self.notifications.get(name) {
            Some(schema) => judge(schema, params, &format!("params of `{name}`")),
            None => Err(format!("the worker never sends `{name}`")),
        }
    }

    /// Judges a Stash plugin's output, whose `output` is what `method` gives.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_output(&self, method: Option<&str>, output: &Value) -> Result<(), String> {
        self.check_result(method::STASH_RUN, output)?;
        match (&output["error"], &output["output"]) {
            (Value::Null, Value::Null) | (Value::String(_), Value::Null) => Ok(()),
            (Value::Null, result) => self.check_result(method.unwrap_or_default(), result),
            _ => Err(format!("an error beside an output: {output}")),
        }
    }
}

impl Method {
    fn of(entry: &Value, document: &Value) -> Self {
        let params = members(&entry["params"]);
        let properties: serde_json::Map<_, _> =
            params.map(|param| (text(&param["name"]), param["schema"].clone())).collect();
        let required: Vec<_> = members(&entry["params"])
            .filter(|param| param["required"] == true)
            .map(|param| param["name"].clone())
            .collect();
        let params = json!({"type": "object", "properties": properties, "required": required,
            "additionalProperties": false});
        let code = |error: &Value| {
            let pointer = text(&error["$ref"]);
            let object = document.pointer(pointer.trim_start_matches('#'));
            object.and_then(|object| object["code"].as_i64()).expect("a code")
        };
        Self {
            params: compiled(&params, document),
            result: compiled(&entry["result"]["schema"], document),
            codes: members(&entry["errors"]).map(code).collect(),
        }
    }
}

/// The schema with the document's components beside it, so that its references lead somewhere.
fn compiled(schema: &Value, document: &Value) -> Validator {
    let schema = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::draft7::new(&schema).unwrap_or_else(|problem| panic!("{problem} in {schema}"))
}

fn judge(schema: &Validator, value: &Value, what: &str) -> Result<(), String> {
    match schema.iter_errors(value).next() {
        None => Ok(()),
        Some(problem) => Err(format!("{what}: {problem} at `{}`", problem.instance_path())),
    }
}

fn members(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}")).to_owned()
}

#[cfg(test)]
mod tests;
