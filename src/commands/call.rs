//! `call`: one method, its result for people and for pipes.

use std::io::{self, Read};

use serde_json::value::RawValue;

use super::{End, Setting, Streams, pretty};

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
    match setting.call(method, Some(params)) {
        Ok(result) => {
            pretty::write(streams.output, &result.into_bytes(), streams.colour)?;
            Ok(End::Fine)
        }
        Err(error) => {
            writeln!(streams.errors, "error: {error}")?;
            if let Some(data) = &error.data {
                pretty::write(streams.errors, data.to_string().as_bytes(), false)?;
            }
            Ok(End::Failed)
        }
    }
}

fn read(input: &mut dyn Read, most: usize) -> io::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    input.take(most).read_to_string(&mut text)?;
    Ok(text)
}
