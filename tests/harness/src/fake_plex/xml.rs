//! Plex's XML, made of its JSON: scalar members become attributes, the others elements.

use std::fmt::Write as _;

use serde_json::Value;

/// A document whose root is the only member of `body`.
pub(super) fn document(body: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    for (tag, value) in body.as_object().into_iter().flatten() {
        element(&mut text, tag, value);
    }
    text
}

fn element(text: &mut String, tag: &str, value: &Value) {
    if let Value::Array(values) = value {
        values.iter().for_each(|value| element(text, tag, value));
        return;
    }
    let _ = write!(text, "<{tag}");
    let members = value.as_object().into_iter().flatten();
    let mut children = Vec::new();
    for (name, value) in members {
        match scalar(value) {
            Some(value) => {
                let _ = write!(text, " {name}=\"{}\"", escaped(&value));
            }
            None => children.push((name, value)),
        }
    }
    if children.is_empty() {
        text.push_str("/>\n");
        return;
    }
    text.push_str(">\n");
    children.into_iter().for_each(|(name, value)| element(text, name, value));
    let _ = writeln!(text, "</{tag}>");
}

/// An attribute's value; booleans as Plex spells them.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(u8::from(*value).to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
