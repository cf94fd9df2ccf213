//! What servers name in a failure (libraries, their folders) goes to the host without secrets.

use plexsync_protocol::error::ErrorObject;
use serde_json::Value;

use crate::rpc::{Handling, Outcome, Slow};
use crate::secret::Secrets;

/// The same, and its error, if it fails, holds no secret.
pub(in crate::methods) fn without_secrets(handling: Handling, secrets: &Secrets) -> Handling {
    let secrets = secrets.clone();
    match handling {
        Handling::Done(outcome) => Handling::Done(redacted(outcome, &secrets)),
        Handling::Ordered(work) => Handling::Ordered(Box::new(move || redacted(work(), &secrets))),
        Handling::Slow(slow) => Handling::Slow(Slow {
            work: Box::pin(async move { redacted(slow.work.await, &secrets) }),
            ..slow
        }),
    }
}

fn redacted(outcome: Outcome, secrets: &Secrets) -> Outcome {
    outcome.map_err(|mut error: ErrorObject| {
        error.message = secrets.redact(&error.message).into_owned();
        error.data.iter_mut().for_each(|data| redact(data, secrets));
        error
    })
}

fn redact(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => *text = secrets.redact(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(|value| redact(value, secrets)),
        Value::Object(members) => members.values_mut().for_each(|value| redact(value, secrets)),
        _ => {}
    }
}
