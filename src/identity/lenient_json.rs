//! The least of JSON that the identity's file needs, read as Python's `json` module reads it.
//!
//! `serde_json` refuses files that the Python plugin accepts and wrote or would keep: `NaN`, lone surrogates, numbers
//! out of range. A file that is refused here would be a new device at Plex, so the rule is: wherever Python finds an
//! id, this finds the same one. Nothing here recurses: nesting as deep as the file is long is no danger.

use std::ops::Range;

/// The byte order mark that Notepad puts in front of UTF-8.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

const ID_MEMBER: &str = "device_id";

/// A whole JSON object at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// The last `device_id`, where its value is a string: as in Python the last of several counts.
    pub(super) id: Option<Literal>,
    /// Where its brace opens.
    pub(super) start: usize,
    /// Where the object ends; what stands behind it is not part of it.
    pub(super) end: usize,
}

/// A string as it stands in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Where it stands, quotes included.
    pub(super) place: Range<usize>,
    /// What it means; none when that is more than ASCII, which is neither an id nor a name of ours.
    pub(super) text: Option<String>,
}

/// Reads the object that `bytes` begin with, after a byte order mark and white space.
pub(super) fn object(bytes: &[u8]) -> Option<Object> {
    let at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let mut scanner = Scanner { bytes, at };
    scanner.blank();
    let start = scanner.at;
    scanner.take(b'{').then_some(())?;
    let (id, end) = scanner.members()?;
    Some(Object { id, start, end })
}

/// Reads the string whose opening quote stands at `at`.
pub(super) fn string_at(bytes: &[u8], at: usize) -> Option<Literal> {
    Scanner { bytes, at }.string()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.at - start
    }

    fn blank(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// The members of an object whose brace is open: the id among them, and where the object ends.
    fn members(&mut self) -> Option<(Option<Literal>, usize)> {
        let mut id = None;
        self.blank();
        if self.take(b'}') {
            return Some((id, self.at));
        }
        loop {
            let name = self.name()?;
            self.blank();
            let is_id = name.text.as_deref() == Some(ID_MEMBER);
            if self.peek() == Some(b'"') {
                let value = self.string()?;
                id = if is_id { Some(value) } else { id };
            } else {
                self.value()?;
                id = if is_id { None } else { id };
            }
            self.blank();
            if self.take(b'}') {
                return Some((id, self.at));
            }
            self.take(b',').then_some(())?;
        }
    }

    /// A member's name and the colon behind it.
    fn name(&mut self) -> Option<Literal> {
        self.blank();
        let name = self.string()?;
        self.blank();
        self.take(b':').then_some(name)
    }

    /// Any value, with everything inside it.
    fn value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            self.blank();
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    self.blank();
                    if !self.take(b'}') {
                        open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.blank();
                    if !self.take(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => drop(self.string()?),
                _ => self.scalar()?,
            }
            if self.close(&mut open)? {
                return Some(());
            }
        }
    }

    /// What may stand behind a value: closing brackets, then a comma. Whether nothing is open any more.
    fn close(&mut self, open: &mut Vec<u8>) -> Option<bool> {
        while let Some(&bracket) = open.last() {
            self.blank();
            if self.take(bracket) {
                open.pop();
                continue;
            }
            self.take(b',').then_some(())?;
            if bracket == b'}' {
                self.name()?;
            }
            return Some(false);
        }
        Some(true)
    }

    /// A number or one of the words, Python's `NaN` and `Infinity` among them.
    fn scalar(&mut self) -> Option<()> {
        const WORDS: [&[u8]; 6] = [b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity"];
        if WORDS.iter().any(|word| self.take_word(word)) {
            return Some(());
        }
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return None;
        }
        self.optional(|scanner| scanner.take(b'.') && scanner.digits() > 0);
        self.optional(|scanner| {
            let exponent = scanner.take(b'e') || scanner.take(b'E');
            let _sign = exponent && (scanner.take(b'+') || scanner.take(b'-'));
            exponent && scanner.digits() > 0
        });
        Some(())
    }

    fn digits(&mut self) -> usize {
        self.skip_while(|byte| byte.is_ascii_digit())
    }

    /// Goes back to where it was when `part` is not there.
    fn optional(&mut self, part: impl FnOnce(&mut Self) -> bool) {
        let start = self.at;
        if !part(self) {
            self.at = start;
        }
    }

    fn string(&mut self) -> Option<Literal> {
        let start = self.at;
        let mut text = Some(String::new());
        self.take(b'"').then_some(())?;
        loop {
            let character = match self.next()? {
                b'"' => return Some(Literal { place: start..self.at, text }),
                b'\\' => self.escape()?,
                byte if byte < b' ' => return None,
                byte => byte.is_ascii().then_some(char::from(byte)),
            };
            match character {
                Some(character) => text.as_mut().into_iter().for_each(|text| text.push(character)),
                None => text = None,
            }
        }
    }

    /// What stands behind a backslash; the inner none is a character beyond ASCII.
    fn escape(&mut self) -> Option<Option<char>> {
        let character = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unit(),
            _ => return None,
        };
        Some(Some(char::from(character)))
    }

    /// Four hexadecimal digits. Half a surrogate pair is no error, as in Python.
    fn unit(&mut self) -> Option<Option<char>> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.next()?).to_digit(16)?;
        }
        Some(u8::try_from(unit).ok().filter(u8::is_ascii).map(char::from))
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}
