//! `call`: calls one method and prints its result.

use std::io::{self, Read};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plexsync_protocol::message::method;
use plexsync_protocol::plex::BodyEncoding;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{End, Setting, Streams};
use crate::cli::CallArguments;
use crate::rpc::Outcome;

/// Calls a method. The result goes to the output, a failure to the errors.
pub(super) fn call(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    arguments: &CallArguments,
) -> io::Result<End> {
    if (arguments.fail || arguments.body) && arguments.method != method::PLEX_REQUEST {
        // Said before the call: it may change something.
        writeln!(
            streams.errors,
            "error: `--fail` and `--body` are about answers of `plex.request`"
        )?;
        return Ok(End::Usage);
    }
    let params = match &arguments.params[..] {
        [only] if only == "-" => read(streams.input, setting.max_message)?,
        words => typed(words),
    };
    match params.and_then(|params| parse(&params)) {
        Ok(params) => {
            let outcome = setting.call(&arguments.method, Some(params));
            show(streams, outcome, arguments)
        }
        Err(reason) => {
            writeln!(streams.errors, "error: {reason}")?;
            Ok(End::Usage)
        }
    }
}

/// Params on the command line: one JSON text, or words.
fn typed(words: &[String]) -> Result<String, String> {
    let params = match words {
        [] => return Ok("null".to_owned()),
        [only] if only.trim_start().starts_with(['{', '[', '"']) || only == "null" => only.clone(),
        words => object(words)?,
    };
    match holds_a_token(&params) {
        true => Err(
            "`token` on the command line could be read by every user of this machine: set `PLEX_TOKEN`, or give `-` and \
             the params on stdin"
                .to_owned(),
        ),
        false => Ok(params),
    }
}

/// `name=text` and `name:=json`, a word each.
fn object(words: &[String]) -> Result<String, String> {
    let mut params = Map::new();
    for (place, word) in words.iter().enumerate() {
        let Some((name, text)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let place = place + 1;
            return Err(format!(
                "param `{place}` is none: expected words such as `path=/identity` and `retries:=0`, one JSON object, \
                 or `-` to read it from stdin"
            ));
        };
        let (name, value) = match name.strip_suffix(':') {
            None => (name, Value::from(text)),
            Some(name) => {
                let value = serde_json::from_str(text);
                (name, value.map_err(|_| format!("`{name}:=` is followed by invalid JSON"))?)
            }
        };
        if params.insert(name.to_owned(), value).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
    }
    Ok(Value::from(params).to_string())
}

fn show(streams: &mut Streams<'_>, outcome: Outcome, arguments: &CallArguments) -> io::Result<End> {
    /// The members of an answer of `plex.request` that the flags are about.
    #[derive(Deserialize)]
    struct Answer<'a> {
        status: u16,
        ok: bool,
        #[serde(borrow)]
        body: &'a RawValue,
        body_encoding: BodyEncoding,
    }
    if !(arguments.fail || arguments.body) {
        return streams.show(outcome);
    }
    let result = match outcome {
        Ok(result) => result.into_bytes(),
        error => return streams.show(error),
    };
    let Answer { status, ok, body, body_encoding } = serde_json::from_slice(&result)?;
    match (arguments.body, body_encoding) {
        (false, _) => drop(streams.show(Ok(result.clone().into()))?),
        (true, BodyEncoding::None) => {}
        (true, BodyEncoding::Text | BodyEncoding::Base64) => {
            let text: String = serde_json::from_str(body.get()).unwrap_or_default();
            let is_text = body_encoding == BodyEncoding::Text;
            let bytes = if is_text { None } else { BASE64_STANDARD.decode(&text).ok() };
            streams.output.write_all(&bytes.unwrap_or_else(|| text.into_bytes()))?;
        }
        (true, _) => streams.pretty(body.get())?,
    }
    if ok || !arguments.fail {
        return Ok(End::Fine);
    }
    writeln!(streams.errors, "error: Plex answered with status `{status}`")?;
    Ok(End::Failed)
}

/// Reads the whole input, up to a limit.
fn read(input: &mut dyn Read, most: usize) -> io::Result<Result<String, String>> {
    let mut text = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    input.take(limit.saturating_add(1)).read_to_end(&mut text)?;
    if text.len() > most {
        let reason =
            format!("the params on stdin are longer than `{most}` bytes: raise `--max-message`");
        return Ok(Err(reason));
    }
    Ok(String::from_utf8(text).map_err(|_| "the params on stdin are not UTF-8".to_owned()))
}

fn parse(text: &str) -> Result<Box<RawValue>, String> {
    serde_json::from_str(text.trim_start_matches('\u{feff}').trim()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!(
            "the params are invalid JSON (line {line}, column {column}): expected an object such as \
             '{{\"path\": \"/identity\"}}'"
        )
    })
}

/// Whether params have a `token` with something in it, as an object or as one alone in an array.
fn holds_a_token(params: &str) -> bool {
    let params: Value = serde_json::from_str(params).unwrap_or_default();
    let token = params.get("token").or_else(|| params.get(0)?.get("token"));
    token.is_some_and(|token| *token != "")
}
