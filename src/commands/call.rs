//! `call`: calls one method and prints its result.

use std::io::{self, Read};

use serde_json::Value;
use serde_json::value::RawValue;

use super::{End, Setting, Streams};

/// Calls `method`. The result goes to the output, a failure to the errors.
pub(super) fn call(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    method: &str,
    params: Option<&str>,
) -> io::Result<End> {
    let params = match params {
        None => Ok("null".to_owned()),
        Some("-") => read(streams.input, setting.max_message)?,
        Some(typed) if holds_a_token(typed) => Err(
            "`token` on the command line could be read by every user of this machine: set `PLEX_TOKEN`, or give `-` and \
             the params on stdin"
                .to_owned(),
        ),
        Some(typed) => Ok(typed.to_owned()),
    };
    match params.and_then(|params| parse(&params)) {
        Ok(params) => streams.show(setting.call(method, Some(params))),
        Err(reason) => {
            writeln!(streams.errors, "error: {reason}")?;
            Ok(End::Usage)
        }
    }
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
