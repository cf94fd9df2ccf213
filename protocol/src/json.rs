//! JSON that passes through as the bytes that came (RFC 8259): checked, never rebuilt.
//!
//! Member order, duplicate names, `1e400`, thirty-digit integers and escapes stay as sent, lone surrogates included:
//! the grammar allows them, and what they mean is for the host to say. One pass, no recursion, no allocation.
//! [`check`] is for a text that is there, [`Walk`] for one that comes in parts. What each token passes through is always
//! inlined: as calls it takes a tenth longer.

use std::fmt;

/// Deepest nesting of arrays and objects. Hosts read with limits of their own (CPython's parser gives up near 1000,
/// Go's at 10000) and find the body inside a reply; what Plex sends is less than 20 deep.
pub const MAX_DEPTH: usize = 512;

/// What may stand in front of a text (RFC 8259, section 8.1: a reader may ignore it).
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

const WORDS: usize = MAX_DEPTH / 64;
const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Why a text is no JSON. It never holds any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    at: usize,
    expected: &'static str,
}

impl Fault {
    /// `expected` should have been at the byte `at`, counted from 0.
    pub fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected }
    }

    /// The same fault in a text with `before` more bytes in front.
    #[must_use]
    pub fn moved(self, before: usize) -> Self {
        Self { at: self.at + before, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no JSON: expected {} at byte {}", self.expected, self.at)
    }
}

/// Whether `bytes` are exactly one JSON text, at most [`MAX_DEPTH`] deep, in UTF-8.
///
/// Where they are, a BOM is taken off and line ends between tokens become spaces, so that the text fits on one line.
///
/// # Errors
///
/// What was expected where. `bytes` are as they came then.
pub fn check(bytes: &mut Vec<u8>) -> Result<(), String> {
    let start = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let end = value(bytes, start).and_then(|end| only_space(bytes, end));
    end.map_err(|fault| fault.to_string())?;
    bytes.drain(..start);
    join_lines(bytes);
    Ok(())
}

/// How far apart the places are from which a walk can go on, in bytes.
const STRIDE: usize = 4 * 1024;
/// No token's fault lies further from the byte that would mend it: `\uXXXX` with what is around it.
const LOOKAHEAD: usize = 8;

/// How far a text has been read that comes in parts.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    nest: Nest,
    /// The value has ended: only white space may come.
    behind: bool,
}

impl Walk {
    /// Reads on at the start of `text`, behind which there is more unless it is the `last`. Tells how many bytes are
    /// done with; the others must stand at the start of the next text.
    ///
    /// # Errors
    /// What was expected where in `text`.
    pub fn advance(&mut self, text: &[u8], last: bool) -> Result<usize, Fault> {
        if self.behind {
            return only_space(text, 0);
        }
        let mut sure = (0, self.nest.clone());
        let end = rest_of_value(text, 0, &mut self.nest, |at, nest| {
            if at >= sure.0 + STRIDE {
                sure = (at, nest.clone());
            }
        });
        match end {
            // A number may go on.
            Ok(end) if last || end < text.len() => {
                self.behind = true;
                only_space(text, end)
            }
            Err(fault) if last || fault.at + LOOKAHEAD < text.len() => Err(fault),
            Ok(_) | Err(_) => {
                self.nest = sure.1;
                Ok(sure.0)
            }
        }
    }
}

fn only_space(text: &[u8], at: usize) -> Result<usize, Fault> {
    match skip_space(text, at) {
        end if end == text.len() => Ok(end),
        end => Err(Fault::new(end, "the end of the text")),
    }
}

/// Whether there are line ends.
pub fn has_lines(bytes: &[u8]) -> bool {
    memchr::memchr2(b'\n', b'\r', bytes).is_some()
}

/// Makes spaces of line ends. In a checked text they stand between tokens only: inside strings they are escaped.
pub fn join_lines(bytes: &mut [u8]) {
    let Some(first) = memchr::memchr2(b'\n', b'\r', bytes) else { return };
    for byte in bytes.iter_mut().skip(first) {
        // stores always: a store on condition keeps the compiler from taking many bytes at once
        *byte = if matches!(*byte, b'\n' | b'\r') { b' ' } else { *byte };
    }
}

/// The end of the value at `at`; white space may stand before it.
///
/// # Errors
///
/// There is no value, it is broken off, or too deep.
pub fn value(text: &[u8], at: usize) -> Result<usize, Fault> {
    rest_of_value(text, at, &mut Nest::default(), |_, _| {})
}

/// The end of the value that `nest` is open in; at `at` the next value inside of it is due. `due` is told of each
/// place where one is.
fn rest_of_value(
    text: &[u8],
    mut at: usize,
    nest: &mut Nest,
    mut due: impl FnMut(usize, &Nest),
) -> Result<usize, Fault> {
    loop {
        due(at, nest);
        at = skip_space(text, at);
        at = match text.get(at) {
            Some(b'"') => string(text, at)?,
            Some(b'{') => {
                nest.open(Inside::Object, at)?;
                at = skip_space(text, at + 1);
                if text.get(at) != Some(&b'}') {
                    at = name(text, at)?;
                    continue;
                }
                at
            }
            Some(b'[') => {
                nest.open(Inside::Array, at)?;
                at = skip_space(text, at + 1);
                if text.get(at) != Some(&b']') {
                    continue;
                }
                at
            }
            Some(b'-' | b'0'..=b'9') => number(text, at)?,
            Some(b't') => literal(text, at, b"true")?,
            Some(b'f') => literal(text, at, b"false")?,
            Some(b'n') => literal(text, at, b"null")?,
            _ => return Err(Fault::new(at, "a value")),
        };
        match close(text, at, nest)? {
            Next::Value(next) => at = next,
            Next::End(end) => return Ok(end),
        }
    }
}

/// What follows a value.
enum Next {
    /// Another value, after this place.
    Value(usize),
    /// Nothing: the outermost value ends here.
    End(usize),
}

/// Goes from the end of a value over closing brackets to the next value.
#[inline(always)]
fn close(text: &[u8], mut at: usize, nest: &mut Nest) -> Result<Next, Fault> {
    while let Some(inside) = nest.top() {
        at = skip_space(text, at);
        match (text.get(at), inside) {
            (Some(b','), Inside::Object) => {
                return name(text, skip_space(text, at + 1)).map(Next::Value);
            }
            (Some(b','), Inside::Array) => return Ok(Next::Value(at + 1)),
            (Some(b'}'), Inside::Object) | (Some(b']'), Inside::Array) => nest.close(),
            (_, Inside::Object) => return Err(Fault::new(at, "`,` or `}`")),
            (_, Inside::Array) => return Err(Fault::new(at, "`,` or `]`")),
        }
        at += 1;
    }
    Ok(Next::End(at))
}

/// The end of a member's name at `at` and of the colon behind it.
#[inline(always)]
pub fn name(text: &[u8], at: usize) -> Result<usize, Fault> {
    let end = skip_space(text, string(text, at)?);
    match text.get(end) {
        Some(b':') => Ok(end + 1),
        _ => Err(Fault::new(end, "`:`")),
    }
}

/// The end of the string at `at`, closing quote included.
#[inline(always)]
pub fn string(text: &[u8], at: usize) -> Result<usize, Fault> {
    if text.get(at) != Some(&b'"') {
        return Err(Fault::new(at, "a string"));
    }
    let start = at + 1;
    let mut ascii = true;
    let mut at = start;
    loop {
        at = plain(text, at, &mut ascii);
        match text.get(at) {
            Some(b'"') => break,
            Some(b'\\') => at = escape(text, at)?,
            Some(0..0x20) => return Err(Fault::new(at, "an escaped control character")),
            Some(byte) => {
                ascii &= byte.is_ascii();
                at += 1;
            }
            None => return Err(Fault::new(at, "`\"`")),
        }
    }
    if !ascii {
        std::str::from_utf8(&text[start..at])
            .map_err(|error| Fault::new(start + error.valid_up_to(), "UTF-8"))?;
    }
    Ok(at + 1)
}

/// Skips characters of a string eight at a time, up to one that ends or escapes or must not be there, or to a rest
/// of less than eight. (Eight in one word: "Determine if a word has a byte less than n", Bit Twiddling Hacks.)
#[inline(always)]
fn plain(text: &[u8], mut at: usize, ascii: &mut bool) -> usize {
    let mut seen = 0;
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        seen |= word;
        if found & HIGHS != 0 {
            at += (found & HIGHS).trailing_zeros() as usize / 8;
            break;
        }
        at += 8;
    }
    *ascii &= seen & HIGHS == 0;
    at
}

/// The end of the escape at `at`.
fn escape(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match text.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
            _ => Err(Fault::new(at + 2, "four hexadecimal digits")),
        },
        _ => Err(Fault::new(at + 1, "an escape")),
    }
}

/// The end of the number at `at` (RFC 8259, section 6).
#[inline(always)]
fn number(text: &[u8], mut at: usize) -> Result<usize, Fault> {
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match text.get(at) {
        Some(b'0') => at + 1,
        _ => digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(text, at)?;
    }
    Ok(at)
}

fn digits(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start { Err(Fault::new(at, "a digit")) } else { Ok(at) }
}

fn literal(text: &[u8], at: usize, word: &[u8]) -> Result<usize, Fault> {
    match text.get(at..at + word.len()) {
        Some(found) if found == word => Ok(at + word.len()),
        _ => Err(Fault::new(at, "a value")),
    }
}

/// The first place from `at` on that is no white space.
#[inline(always)]
pub fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
        // indented JSON is spaces for the most part
        while text.get(at..).and_then(<[u8]>::first_chunk::<8>) == Some(b"        ") {
            at += 8;
        }
    }
    at
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Array,
    Object,
}

/// The open arrays and objects, a bit each: a call stack would let a text of `[` end the process.
#[derive(Debug, Clone, Default)]
struct Nest {
    depth: usize,
    objects: [u64; WORDS],
}

impl Nest {
    fn open(&mut self, inside: Inside, at: usize) -> Result<(), Fault> {
        let Some(word) = self.objects.get_mut(self.depth / 64) else {
            return Err(Fault::new(at, "less nesting"));
        };
        let bit = 1 << (self.depth % 64);
        *word = if inside == Inside::Object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1;
    }

    fn top(&self) -> Option<Inside> {
        let depth = self.depth.checked_sub(1)?;
        let word = self.objects.get(depth / 64)?;
        Some(if word >> (depth % 64) & 1 == 1 { Inside::Object } else { Inside::Array })
    }
}
