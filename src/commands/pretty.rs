//! JSON for eyes. Member order, numbers and strings stay as they were sent: only space between tokens is added.

use std::io::{self, Write};

/// Writes `json`, which is valid, indented by two, with a line end.
pub(super) fn write(output: &mut dyn Write, json: &[u8], colour: bool) -> io::Result<()> {
    let mut writer = Writer { output: Vec::with_capacity(json.len() * 2), depth: 0, colour };
    let mut rest = json;
    while let Some((token, after)) = next_token(rest) {
        rest = after;
        writer.token(token, rest);
    }
    writer.output.push(b'\n');
    output.write_all(&writer.output)
}

struct Writer {
    output: Vec<u8>,
    depth: usize,
    colour: bool,
}

const KEY: &str = "\x1b[34m";
const TEXT: &str = "\x1b[32m";
const OTHER: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

impl Writer {
    fn token(&mut self, token: &[u8], rest: &[u8]) {
        let next = next_token(rest).and_then(|(token, _)| token.first().copied());
        match token.first() {
            Some(open @ (b'{' | b'[')) => {
                self.output.push(*open);
                self.depth += 1;
                if !matches!(next, Some(b'}' | b']')) {
                    self.line();
                }
            }
            Some(close @ (b'}' | b']')) => {
                self.depth = self.depth.saturating_sub(1);
                if !matches!(self.output.last(), Some(b'{' | b'[')) {
                    self.line();
                }
                self.output.push(*close);
            }
            Some(b',') => {
                self.output.push(b',');
                self.line();
            }
            Some(b':') => self.output.extend(b": "),
            Some(b'"') if next == Some(b':') => self.coloured(KEY, token),
            Some(b'"') => self.coloured(TEXT, token),
            _ => self.coloured(OTHER, token),
        }
    }

    fn line(&mut self) {
        self.output.push(b'\n');
        self.output.resize(self.output.len() + 2 * self.depth, b' ');
    }

    fn coloured(&mut self, colour: &str, token: &[u8]) {
        if self.colour {
            self.output.extend(colour.as_bytes());
            self.harmless(token);
            self.output.extend(PLAIN.as_bytes());
        } else {
            self.output.extend(token);
        }
    }

    /// What a server sends must not steer the terminal: U+007F to U+009F are control characters there (ECMA-48), and
    /// JSON lets them stand in strings.
    fn harmless(&mut self, token: &[u8]) {
        for character in String::from_utf8_lossy(token).chars() {
            if character.is_control() {
                self.output.extend(format!("\\u{:04x}", u32::from(character)).bytes());
            } else {
                self.output.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
        }
    }
}

fn next_token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let length = match text.first()? {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        b'"' => string_length(text),
        _ => text
            .iter()
            .position(|byte| b",:]}".contains(byte) || byte.is_ascii_whitespace())
            .unwrap_or(text.len()),
    };
    Some(text.split_at(length))
}

fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pretty(json: &str, colour: bool) -> String {
        let mut output = Vec::new();
        write(&mut output, json.as_bytes(), colour).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn shapes() {
        for (json, expected) in [
            ("1", "1\n"),
            ("{}", "{}\n"),
            ("[ ]", "[]\n"),
            (
                r#"{"b":1.10,"a":[true,{}]}"#,
                "{\n  \"b\": 1.10,\n  \"a\": [\n    true,\n    {}\n  ]\n}\n",
            ),
            (r#""a\"b:{""#, "\"a\\\"b:{\"\n"),
        ] {
            assert_eq!(pretty(json, false), expected);
        }
    }

    #[test]
    fn a_server_s_text_can_t_steer_the_terminal() {
        assert_eq!(pretty("\"\u{9b}2J\"", true), format!("{TEXT}\"\\u009b2J\"{PLAIN}\n"));
        assert!(
            pretty(r#"{"a":1}"#, true).contains(&format!("{KEY}\"a\"{PLAIN}: {OTHER}1{PLAIN}"))
        );
    }

    proptest! {
        #[test]
        fn means_the_same(texts in prop::collection::vec(".*", 0..5), number in any::<i64>()) {
            let value = serde_json::json!({"texts": texts, "n": [number, null], "": {}});
            let back: serde_json::Value = serde_json::from_str(&pretty(&value.to_string(), false)).unwrap();
            prop_assert_eq!(back, value);
        }

        #[test]
        fn ends_whatever_comes(text in ".*") {
            pretty(&text, true);
        }
    }
}
