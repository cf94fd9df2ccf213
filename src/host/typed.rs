//! Input typed on a terminal: a method's name alone on a line is a call without params. Only a
//! terminal's input passes through here.

#[derive(Debug, Default)]
pub(super) struct Typed {
    name: Vec<u8>,
    /// This line is not a name: it passes unchanged.
    other: bool,
    calls: u64,
}

impl Typed {
    /// The bytes that the decoder gets.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len() + 64);
        for &byte in bytes {
            match byte {
                b'\n' => {
                    passed.extend(self.end());
                    passed.push(byte);
                }
                // Windows' console ends lines with CR LF.
                b'\r' if !self.name.is_empty() => {}
                b'a'..=b'z' | b'.' if !self.other => self.name.push(byte),
                _ => {
                    self.other = true;
                    passed.append(&mut self.name);
                    passed.push(byte);
                }
            }
        }
        passed
    }

    /// At the end of a line.
    pub(super) fn end(&mut self) -> Vec<u8> {
        self.other = false;
        if self.name.is_empty() {
            return Vec::new();
        }
        self.calls += 1;
        let (id, name) = (self.calls, String::from_utf8_lossy(&self.name).into_owned());
        self.name.clear();
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{name}"}}"#).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_calls_and_nothing_else_changes() {
        let call = |id, name| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{name}"}}"#);
        let (get, scan) = (call(1, "identity.get"), call(2, "plex.scan"));
        for (input, expected) in [
            ("identity.get\nplex.scan\n", format!("{get}\n{scan}\n")),
            ("identity.get\r\n", format!("{get}\n")),
            ("identity.get", get.clone()),
            ("\n\n{\"a\":\"b.c\"}\nnull \nX\n", "\n\n{\"a\":\"b.c\"}\nnull \nX\n".to_owned()),
            ("Content-Length: 2\r\n\r\n{}", "Content-Length: 2\r\n\r\n{}".to_owned()),
        ] {
            for size in 1..=input.len() {
                let mut typed = Typed::default();
                let mut passed = Vec::new();
                input.as_bytes().chunks(size).for_each(|piece| passed.extend(typed.pass(piece)));
                passed.extend(typed.end());
                assert_eq!(String::from_utf8(passed).unwrap(), expected, "{size}");
            }
        }
    }
}
