//! Indents JSON for a person. Order of members, numbers and strings stay as they were sent: only space between tokens
//! is added.

use std::io::{self, Write};

/// Replies for a person on a terminal: each line that holds JSON is indented. From the first header on all passes as
/// it is.
pub struct Lines<W> {
    replies: W,
    line: Vec<u8>,
    has_headers: bool,
}

impl<W: Write> Lines<W> {
    /// Lines are written to `replies` when they have ended.
    pub fn new(replies: W) -> Self {
        Self { replies, line: Vec::new(), has_headers: false }
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            self.has_headers |= self.line.starts_with(b"Content-");
            if self.has_headers {
                self.replies.write_all(&std::mem::take(&mut self.line))?;
            } else if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.replies.write_all(pretty(&String::from_utf8_lossy(&line)).as_bytes())?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.replies.flush()
    }
}

/// `json`, which is valid, indented by two, with a line end.
///
/// Control characters that JSON allows in strings are escaped: U+007F to U+009F control a terminal (ECMA-48), and a
/// server may send them.
pub fn pretty(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut letters = json.chars().filter(|letter| *letter != '\r').peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\n' | '\t' => {}
            '"' => string(&mut shown, &mut letters),
            '{' | '[' => {
                shown.push(letter);
                while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                match letters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(close) => shown.push(close),
                    None => {
                        depth += 1;
                        line(&mut shown, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut shown, depth);
                shown.push(letter);
            }
            ',' => {
                shown.push(letter);
                line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            letter => shown.push(letter),
        }
    }
    shown + "\n"
}

/// The rest of a string, behind its first quote.
fn string(shown: &mut String, letters: &mut impl Iterator<Item = char>) {
    shown.push('"');
    let mut escaped = false;
    for letter in letters {
        match letter.is_control() {
            true => shown.push_str(&format!("\\u{:04x}", u32::from(letter))),
            false => shown.push(letter),
        }
        if letter == '"' && !escaped {
            return;
        }
        escaped = letter == '\\' && !escaped;
    }
}

fn line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes() {
        for (json, expected) in [
            ("1", "1\n"),
            ("{}", "{}\n"),
            ("[ ]", "[]\n"),
            (
                "{\"b\":1.10,\r\n\"a\":[true, { }],\"c\" : 1e400}",
                "{\n  \"b\": 1.10,\n  \"a\": [\n    true,\n    {}\n  ],\n  \"c\": 1e400\n}\n",
            ),
            (r#""a\"b:{\\""#, "\"a\\\"b:{\\\\\"\n"),
        ] {
            assert_eq!(pretty(json), expected);
        }
    }

    #[test]
    fn lines_are_indented_until_headers_come() {
        let mut shown = Vec::new();
        let mut lines = Lines::new(&mut shown);
        for piece in ["{\"a\"", ":1}\n[", "]\n", "Content-Length: 7\r\n\r\n", "{\"a\":1}"] {
            lines.write_all(piece.as_bytes()).unwrap();
        }
        let expected = "{\n  \"a\": 1\n}\n[]\nContent-Length: 7\r\n\r\n{\"a\":1}";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }

    #[test]
    fn a_server_s_text_can_t_steer_the_terminal() {
        assert_eq!(pretty("\"\u{9b}2J\""), "\"\\u009b2J\"\n");
    }

    proptest! {
        #[test]
        fn means_the_same(texts in prop::collection::vec(".*", 0..5), number in any::<i64>()) {
            let value = serde_json::json!({"texts": texts, "n": [number, null], "": {}});
            let back: serde_json::Value = serde_json::from_str(&pretty(&value.to_string())).unwrap();
            prop_assert_eq!(back, value);
        }

        #[test]
        fn ends_whatever_comes(text in ".*") {
            pretty(&text);
        }
    }
}
