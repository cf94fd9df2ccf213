//! `call`: one method, its result for people and for pipes.

use std::io::{self, Read};

use serde_json::value::RawValue;

use super::{End, Setting, Streams};

/// Calls `method`. The result goes to the output, a failure to the errors.
pub(super) fn call(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    method: &str,
    params: Option<&str>,
) -> io::Result<End> {
    let text = match params {
        Some("-") => read(streams.input, setting.options.max_message)?,
        Some(params) => params.to_owned(),
        None => "null".to_owned(),
    };
    let params: Box<RawValue> = match serde_json::from_str(text.trim()) {
        Ok(params) => params,
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            writeln!(
                streams.errors,
                "error: the params are no JSON (line {line}, column {column}): expected an object such as \
                 '{{\"path\": \"/identity\"}}'"
            )?;
            return Ok(End::Usage);
        }
    };
    streams.tell(setting.call(method, Some(params)))
}

fn read(input: &mut dyn Read, most: usize) -> io::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    input.take(most).read_to_string(&mut text)?;
    Ok(text)
}
