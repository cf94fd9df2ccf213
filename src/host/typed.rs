//! Input typed on a terminal: a method's name, alone or followed by its params, is a call. Only a terminal's input
//! passes through here; what begins as JSON or a header passes unchanged.

use std::io::Write;

use serde_json::value::RawValue;

use super::streams::END_OF_INPUT;

/// Reads what a person types.
pub struct Typed {
    line: Vec<u8>,
    calls: u64,
    /// What a person reads, and no program.
    notes: Box<dyn Write>,
}

impl Typed {
    /// Answers to the person, such as `help`, go to `notes`.
    pub fn new(notes: Box<dyn Write>) -> Self {
        Self { line: Vec::new(), calls: 0, notes }
    }

    /// The bytes that the decoder gets: whole lines.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len() + 64);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(line);
            if line.ends_with(b"\n") {
                passed.extend(self.end());
            }
        }
        passed
    }

    /// At the end of a line, or of the input.
    pub(super) fn end(&mut self) -> Vec<u8> {
        let line = std::mem::take(&mut self.line);
        match std::str::from_utf8(&line).ok().and_then(|text| self.understand(text.trim())) {
            Some(message) => message.into_bytes(),
            None => line,
        }
    }

    /// The message that a line means, empty for none; `None` if it is to pass as it is.
    fn understand(&mut self, line: &str) -> Option<String> {
        let (name, params) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let params = params.trim_start();
        let is_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'.' || byte == b'_';
        match name {
            "?" | "help" => self.note(&help()),
            "quit" | "exit" => return Some(r#"{"jsonrpc":"2.0","method":"exit"}"#.to_owned() + "\n"),
            "" | "null" | "true" | "false" => return None,
            // On a terminal a slip of the finger must not cost the identity.
            "identity.reset" if params.is_empty() => self.note(
                "Plex would show a new device. To do that, enter: identity.reset {}\n",
            ),
            _ if !name.bytes().all(is_name) => return None,
            _ if !params.is_empty() && serde_json::from_str::<&RawValue>(params).is_err() => self.note(
                "the params are invalid JSON; enter a name and an object, such as: plex.request {\"path\": \"/identity\"}\n",
            ),
            _ => {
                self.calls += 1;
                let id = self.calls;
                let params = if params.is_empty() { "{}" } else { params };
                return Some(format!(
                    "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{name}\",\"params\":{params}}}\n"
                ));
            }
        }
        Some(String::new())
    }

    /// A terminal that is gone ends the conversation anyway.
    fn note(&mut self, text: &str) {
        drop(self.notes.write_all(text.as_bytes()));
    }
}

/// The methods, as the OpenRPC document describes them.
fn help() -> String {
    let methods = plexsync_protocol::summaries().into_iter();
    let lines: String =
        methods.map(|(name, summary)| format!("  {name:<16} {summary}\n")).collect();
    format!(
        "{lines}Params follow as one JSON object: plex.request {{\"path\": \"/identity\"}}. \
         `quit` or {END_OF_INPUT} ends. See also: plexsync-worker --help\n"
    )
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    use super::*;

    /// Notes that a test can read.
    #[derive(Clone, Default)]
    struct Notes(Rc<RefCell<Vec<u8>>>);

    impl Write for Notes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What passes, and what is noted, whatever the pieces are in which the input comes.
    fn typed(input: &str) -> (String, String) {
        let mut all = (1..=input.len()).map(|size| {
            let notes = Notes::default();
            let mut typed = Typed::new(Box::new(notes.clone()));
            let mut passed = Vec::new();
            input.as_bytes().chunks(size).for_each(|piece| passed.extend(typed.pass(piece)));
            passed.extend(typed.end());
            let noted = notes.0.borrow().clone();
            (String::from_utf8(passed).unwrap(), String::from_utf8(noted).unwrap())
        });
        let first = all.next().unwrap();
        assert!(all.all(|one| one == first), "{input:?}");
        first
    }

    #[test]
    fn names_become_calls_and_nothing_else_changes() {
        let call = |id, name, params| {
            format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{name}\",\"params\":{params}}}\n"
            )
        };
        let get = call(1, "identity.get", "{}");
        let request = r#"{"path": "/"}"#;
        for (input, expected) in [
            ("identity.get\nplex.scan\n", get.clone() + &call(2, "plex.scan", "{}")),
            ("identity.get\r\n", get.clone()),
            ("  identity.get \n", get.clone()),
            ("identity.get", get.clone()),
            ("plex.request {\"path\": \"/\"}\n", call(1, "plex.request", request)),
            ("plex.request  {\"path\": \"/\"}  \n", call(1, "plex.request", request)),
            ("identity.reset {}\n", call(1, "identity.reset", "{}")),
            ("\n\n{\"a\":\"b.c\"}\nnull \n1\n", "\n\n{\"a\":\"b.c\"}\nnull \n1\n".to_owned()),
            ("{\n\"a\":\ntrue\n}\n", "{\n\"a\":\ntrue\n}\n".to_owned()),
            ("Content-Length: 2\r\n\r\n{}", "Content-Length: 2\r\n\r\n{}".to_owned()),
            ("quit\n", "{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}\n".to_owned()),
        ] {
            assert_eq!(typed(input), (expected, String::new()), "{input:?}");
        }
    }

    #[test]
    fn a_person_is_told_what_to_enter() {
        for (input, told) in [
            ("help\n", "  plex.request "),
            ("?\n", "`quit` or Ctrl-"),
            ("identity.reset\n", "enter: identity.reset {}"),
            ("plex.request {\"path\": \n", "invalid JSON"),
            ("plex.request /identity\n", "invalid JSON"),
        ] {
            let (passed, noted) = typed(input);
            assert_eq!(passed, "", "{input:?}");
            assert!(noted.contains(told), "{input:?}: {noted}");
        }
    }
}
