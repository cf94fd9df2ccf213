//! Conversations written down: read by people, replayed by tests.
//!
//! A line that begins with `-->` is what the host sends, one with `<--` is the next thing that the worker says, one
//! with `#` is a remark. A JSON string `$name` (lower-case letters and `_`) stands for any value: it takes the value that
//! it meets first, and from then on is that value, in both directions. After the last line the host closes stdin, and
//! the worker ends without another word.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::host::PATIENCE;
use crate::{Host, Wire};

/// The values that names have taken.
pub type Names = BTreeMap<String, Value>;

/// One conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    lines: Vec<Line>,
}

/// What is said, and by whom. What the host sends need not be JSON.
#[derive(Debug, Clone, PartialEq)]
enum Line {
    Sent(String),
    Received(Value),
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    /// The number of the line that is none of the three kinds, or on which the worker says no JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            match line.split_once(' ') {
                Some(("-->", sent)) => lines.push(Line::Sent(sent.to_owned())),
                Some(("<--", received)) => {
                    let value = serde_json::from_str(received);
                    lines.push(Line::Received(
                        value.map_err(|why| format!("line {number}: {why}"))?,
                    ));
                }
                _ if line.is_empty() || line.starts_with('#') => {}
                _ => return Err(format!("line {number} is neither `-->` nor `<--` nor `#`")),
            }
        }
        Ok(Self { lines })
    }

    /// What the host sends, in order, as written.
    pub fn sent(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Sent(text) => Some(text.as_str()),
            Line::Received(_) => None,
        })
    }

    /// Has the conversation with a worker that was just started, to its end. Returns what the names stood for.
    ///
    /// # Panics
    /// When the worker says something else, or does not end with success.
    pub fn replay(&self, host: &mut Host) -> Names {
        let mut names = Names::new();
        for line in &self.lines {
            match line {
                Line::Sent(text) => host.send_text(&filled_in(text, &names)),
                Line::Received(expected) => {
                    let reply = host.read_reply();
                    assert!(
                        fits(expected, &reply, &mut names),
                        "expected {expected}\n     got {reply}\n    with {names:?}"
                    );
                }
            }
        }
        host.close_stdin();
        assert_eq!(host.read_to_end(), Vec::<Value>::new(), "after the last line");
        let status = host.wait_exit(PATIENCE);
        assert!(status.success(), "{status}; stderr:\n{}", host.stderr());
        names
    }
}

/// Both framings: a transcript does not say which it was.
pub const WIRES: [Wire; 2] = [Wire::Lines, Wire::Headers];

/// Whether `value` is what `expected` says. Binds the names that it meets first.
pub fn fits(expected: &Value, value: &Value, names: &mut Names) -> bool {
    match (expected, value) {
        (Value::String(name), _) if is_name(name) => {
            names.entry(name.clone()).or_insert_with(|| value.clone()) == value
        }
        (Value::Array(expected), Value::Array(values)) => {
            expected.len() == values.len()
                && expected.iter().zip(values).all(|(expected, value)| fits(expected, value, names))
        }
        (Value::Object(expected), Value::Object(members)) => {
            expected.len() == members.len()
                && expected.iter().all(|(name, expected)| {
                    members.get(name).is_some_and(|value| fits(expected, value, names))
                })
        }
        _ => expected == value,
    }
}

fn filled_in(text: &str, names: &Names) -> String {
    let Ok(mut message) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    // What names nothing is sent as written: not every text survives being read and written again.
    if fill(&mut message, names) { message.to_string() } else { text.to_owned() }
}

/// Whether a name was replaced.
fn fill(value: &mut Value, names: &Names) -> bool {
    match value {
        Value::String(name) if is_name(name) => {
            *value =
                names.get(name).unwrap_or_else(|| panic!("nothing is named `{name}` yet")).clone();
            true
        }
        Value::Array(values) => {
            values.iter_mut().fold(false, |any, value| fill(value, names) | any)
        }
        Value::Object(members) => {
            members.values_mut().fold(false, |any, value| fill(value, names) | any)
        }
        _ => false,
    }
}

fn is_name(text: &str) -> bool {
    text.strip_prefix('$').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_is_bound_once() {
        let fitting = |expected: Value, value: Value| fits(&expected, &value, &mut Names::new());
        assert!(fitting(json!(["$a", "$a"]), json!([1, 1])));
        assert!(!fitting(json!(["$a", "$a"]), json!([1, 2])));
        assert!(fitting(json!({"a": "$a", "b": ["$b"]}), json!({"b": [null], "a": {}})));
        assert!(!fitting(json!({"a": "$a"}), json!({"a": 1, "b": 2})), "another member");
        assert!(!fitting(json!({"a": 1, "b": 2}), json!({"a": 1})), "a member less");
        assert!(!fitting(json!(["$a"]), json!([])));
        assert!(!fitting(json!("$/progress"), json!("$/other")), "no name");
        assert!(!fitting(json!(1), json!("1")));
    }

    #[test]
    fn what_is_sent_knows_what_was_received() {
        let names = Names::from([("$id".to_owned(), json!("x"))]);
        assert_eq!(filled_in(r#"{"b":"$id","a":1e0}"#, &names), r#"{"a":1.0,"b":"x"}"#);
        assert_eq!(filled_in(r#"{ "b":1e0 }"#, &names), r#"{ "b":1e0 }"#);
        assert_eq!(filled_in("{broken $id", &names), "{broken $id");
    }

    #[test]
    fn lines_are_of_three_kinds() {
        let transcript = Transcript::parse("# a\n\n--> {x\n<-- [1]\n").unwrap();
        assert_eq!(transcript.sent().collect::<Vec<_>>(), ["{x"]);
        assert!(Transcript::parse("<-- {x").unwrap_err().contains("line 1"));
        assert!(Transcript::parse("\n> {}").unwrap_err().contains("line 2"));
    }

    #[cfg(unix)]
    #[test]
    fn a_worker_that_says_something_else_fails() {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        let replayed = |text: &str, script: &str| {
            let mut host =
                Host::builder().without_data_dir().binary("/bin/sh").args(["-c", script]).start();
            let transcript = Transcript::parse(text).unwrap();
            catch_unwind(AssertUnwindSafe(|| transcript.replay(&mut host))).is_ok()
        };
        let text = "--> {\"a\":1}\n<-- {\"a\":\"$a\"}\n";
        assert!(replayed(text, "cat"));
        assert!(!replayed(text, "sed -u 's/a/b/'"));
        assert!(!replayed(text, "cat; echo '{\"more\":1}'"));
        assert!(!replayed(text, "cat; exit 3"));
    }
}
