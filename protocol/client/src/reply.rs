//! One line of the worker's stdout.

use std::borrow::Cow;

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::message::{Progress, method};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::{CallError, describe};

/// What a line says.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// The reply to the call with this id.
    Reply { id: u64, answer: Result<Box<RawValue>, CallError> },
    /// How far a call has come.
    Progress(Progress),
    /// It belongs to no call.
    Unexpected { reason: String },
}

/// A message. Its parts stay text: a `Value` does not hold all that a worker may send.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
}

/// `null` is a value here, and not the same as an absent member.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads a line. An unreadable one is the reply of the call whose id it begins with, if it has one.
pub(crate) fn read(line: &[u8]) -> Incoming {
    match serde_json::from_slice::<Message<'_>>(line) {
        Ok(message) => message.incoming(),
        Err(error) => match leading_id(line) {
            Some(id) => Incoming::Reply { id, answer: Err(CallError::unreadable(&error, None)) },
            None => Incoming::Unexpected { reason: describe(&error) },
        },
    }
}

impl Message<'_> {
    fn incoming(self) -> Incoming {
        match self.method.as_deref() {
            Some(method::PROGRESS) => return self.progress(),
            Some(method) => return unexpected(format!("a call of `{method}`")),
            None => {}
        }
        let id = self.id.and_then(|id| id.get().parse().ok());
        match (id, self.result, self.error) {
            (Some(id), Some(result), None) => Incoming::Reply { id, answer: Ok(result.to_owned()) },
            (Some(id), None, Some(error)) => {
                Incoming::Reply { id, answer: Err(worker_error(error)) }
            }
            (Some(id), ..) => {
                let reason = "not exactly one of `result` and `error`".to_owned();
                let answer = crate::Unreadable { reason, result: None };
                Incoming::Reply { id, answer: Err(CallError::Unreadable(answer)) }
            }
            (None, _, Some(error)) => unexpected(worker_error(error).to_string()),
            (None, ..) => unexpected("a reply without an id of this client".to_owned()),
        }
    }

    fn progress(&self) -> Incoming {
        let params = self.params.map_or("null", RawValue::get);
        match serde_json::from_str(params) {
            Ok(progress) => Incoming::Progress(progress),
            Err(error) => unexpected(format!("progress: {}", describe(&error))),
        }
    }
}

fn unexpected(reason: String) -> Incoming {
    Incoming::Unexpected { reason }
}

fn worker_error(error: &RawValue) -> CallError {
    match serde_json::from_str::<ErrorObject>(error.get()) {
        Ok(error) => error.into(),
        Err(problem) => CallError::unreadable(&problem, None),
    }
}

/// The id of a damaged reply: the worker writes it before the result.
fn leading_id(line: &[u8]) -> Option<u64> {
    let line = String::from_utf8_lossy(&line[..line.len().min(100)]);
    let rest = line.strip_prefix(r#"{"jsonrpc":"2.0","id":"#)?;
    let (id, _) = rest.split_once(',')?;
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_to(line: &str, expected: u64) -> Result<Box<RawValue>, CallError> {
        match read(line.as_bytes()) {
            Incoming::Reply { id, answer } if id == expected => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_result_is_kept_as_it_was_written() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        let digits = "9".repeat(30);
        for result in
            ["1e400", "null", r#"{"a":1,"a":2}"#, "1.0", "-0", "\"\\ud800\"", &deep, &digits]
        {
            let line = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{result}}}"#);
            assert_eq!(answer_to(&line, 7).unwrap().get(), result);
        }
    }

    #[test]
    fn an_unreadable_reply_is_the_error_of_its_call() {
        for rest in [r#""result":{"a":}}"#, r#""result":1,"#, r#""error":7}"#, r#""id":8}"#, "}"] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":7,{rest}"#);
            let error = answer_to(&line, 7).unwrap_err();
            assert!(matches!(error, CallError::Unreadable(_)), "{line}: {error:?}");
        }
        for line in [
            r#"{"jsonrpc":"2.0","id":7}"#,
            r#"{"id":7,"result":1,"error":{"code":1,"message":""}}"#,
        ] {
            assert!(matches!(answer_to(line, 7), Err(CallError::Unreadable(_))), "{line}");
        }
        let mut broken = br#"{"jsonrpc":"2.0","id":7,"result":"?"}"#.to_vec();
        broken[34] = 0xff;
        assert!(matches!(
            read(&broken),
            Incoming::Reply { id: 7, answer: Err(CallError::Unreadable(_)) }
        ));
    }

    #[test]
    fn what_belongs_to_no_call_is_described_without_its_values() {
        for line in [
            "secret",
            r#"["secret"]"#,
            r#"{"id":"secret","result":"secret"}"#,
            r#"{"jsonrpc":"2.0","id":-1,"result":"secret"}"#,
            r#"{"jsonrpc":"2.0","method":"$/progress","params":"secret"}"#,
            r#"{"jsonrpc":"2.0","method":"$/other","params":"secret"}"#,
        ] {
            match read(line.as_bytes()) {
                Incoming::Unexpected { reason } => assert!(!reason.contains("secret"), "{reason}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        let line = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"too long"}}"#;
        match read(line.as_bytes()) {
            Incoming::Unexpected { reason } => assert_eq!(reason, "too long (-32600)"),
            other => panic!("{other:?}"),
        }
    }
}
