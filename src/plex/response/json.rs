//! JSON bodies pass through as the text that came (RFC 8259): checked, never rebuilt. Member order, duplicate names,
//! `1e400`, thirty-digit integers and escapes stay as sent, lone surrogates included: the grammar allows them, and what
//! they mean is for the host to say.

use serde_json::value::RawValue;

use super::work::{PIECE, Stop, Stopped};

/// Checks that `text` is one JSON value, however deep it is nested, in one pass without recursion.
///
/// # Errors
///
/// What was expected where; nothing of the text.
pub(crate) fn check(text: &str) -> Result<(), String> {
    // a `RawValue` is skipped over, not built: no depth of nesting ends the process
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("invalid JSON: {error}")),
    }
}

/// Puts a checked text on one line: in JSON, line ends are between tokens only, where spaces mean the same.
pub(crate) fn on_one_line(bytes: &mut [u8], stop: &Stop) -> Result<(), Stopped> {
    let first = memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
    for piece in bytes.get_mut(first..).unwrap_or_default().chunks_mut(PIECE) {
        stop.check()?;
        for byte in piece {
            // stores always: a store on condition keeps the compiler from taking many bytes at once
            *byte = if matches!(*byte, b'\n' | b'\r') { b' ' } else { *byte };
        }
    }
    Ok(())
}

/// The text with control characters in its strings escaped, as JSON requires; `None` if there are none.
pub(crate) fn with_controls_escaped(text: &str, stop: &Stop) -> Result<Option<String>, Stopped> {
    let mut out = String::new();
    let (mut done, mut is_string, mut is_escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if at % PIECE == 0 {
            stop.check()?;
        }
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            0..0x20 if is_string => {
                out.push_str(&text[done..at]);
                out.push_str(if byte < 0x10 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(u32::from(byte % 0x10), 0x10));
                done = at + 1;
            }
            _ => {}
        }
    }
    out.push_str(&text[done..]);
    Ok((done > 0).then_some(out))
}

#[cfg(test)]
pub(crate) mod tests;
