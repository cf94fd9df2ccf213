//! A text as the redactor searches it: in other letters, and with its escapes undone, each byte with its place in the text.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

/// A text after some of its escapes were undone.
pub(super) struct View<'text> {
    pub(super) bytes: Cow<'text, [u8]>,
    lower_case: OnceCell<Vec<u8>>,
    one_alphabet: OnceCell<Vec<u8>>,
    /// The place of each byte, and of the end, in the text; `None` where they are the same.
    origins: Option<Vec<usize>>,
}

impl<'text> View<'text> {
    pub(super) fn new(bytes: Cow<'text, [u8]>, origins: Option<Vec<usize>>) -> Self {
        Self { bytes, lower_case: OnceCell::new(), one_alphabet: OnceCell::new(), origins }
    }

    /// The same in lower case.
    pub(super) fn lower_case(&self) -> &[u8] {
        self.lower_case.get_or_init(|| self.bytes.to_ascii_lowercase())
    }

    /// The same with base64's other alphabet (RFC 4648, section 5) in the letters of the first.
    pub(super) fn one_alphabet(&self) -> &[u8] {
        let standard = |byte: &u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        };
        self.one_alphabet.get_or_init(|| self.bytes.iter().map(standard).collect())
    }

    /// With one more layer of percent and JSON escapes undone; `None` if there is no escape.
    pub(super) fn unescaped(&self) -> Option<Self> {
        let mut at = memchr::memchr3(b'%', b'\\', b'&', &self.bytes)?;
        let mut bytes = self.bytes[..at].to_vec();
        let mut origins: Vec<_> = (0..at).map(|at| self.origin(at)).collect();
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (byte, length) = escape(rest).unwrap_or((rest[0], 1));
            bytes.push(byte);
            origins.push(self.origin(at));
            at += length;
        }
        origins.push(self.origin(at));
        (bytes.len() < self.bytes.len()).then(|| Self::new(bytes.into(), Some(origins)))
    }

    fn origin(&self, at: usize) -> usize {
        self.origins.as_ref().map_or(at, |origins| origins[at])
    }

    /// The place of these bytes in the text, with the neighbours that hold bits of the secret, and base64's padding.
    pub(super) fn place(&self, found: Range<usize>, shared: [bool; 2]) -> Range<usize> {
        let Range { mut start, mut end } = found;
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let digit_at =
            |index: usize| self.one_alphabet().get(index).is_some_and(|byte| is_digit(*byte));
        if shared[0] && start.checked_sub(1).is_some_and(digit_at) {
            start -= 1;
        }
        if shared[1] {
            end += usize::from(digit_at(end));
            end += self.bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        }
        self.origin(start)..self.origin(end)
    }
}

/// The byte of an escape at the start of `rest`, and the escape's length.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |high: u8, low: u8| Some(digit(high)? * 16 + digit(low)?);
    match *rest {
        [b'%', high, low, ..] => Some((byte(high, low)?, 3)),
        [b'\\', b'u', b'0', b'0', high, low, ..] => Some((byte(high, low)?, 6)),
        [b'\\', escaped @ (b'"' | b'\\' | b'/'), ..] => Some((escaped, 2)),
        [b'&', b'#', ref rest @ ..] => reference(rest),
        _ => None,
    }
}

/// What a character reference of XML or HTML (`&#65;`, `&#x41;`) stands for, of which `rest` is the part behind `&#`.
fn reference(rest: &[u8]) -> Option<(u8, usize)> {
    let length = rest.iter().take(8).position(|byte| *byte == b';')?;
    let digits = std::str::from_utf8(&rest[..length]).ok()?;
    let byte = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    Some((byte.ok()?, length + "&#;".len()))
}
