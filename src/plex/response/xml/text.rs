//! Characters of XML become the inside of a JSON string.

/// Where characters are; XML reads them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// An attribute's value: references count, line ends and tabs are spaces (XML 1.0, section 3.3.3).
    Attribute,
    /// Between tags: the reader has taken references out already.
    Text,
    /// A CDATA section.
    Cdata,
}

/// Longest reference that is looked at, `&` and `;` left out. Without a limit, a text of `&` takes quadratic time.
const MAX_REFERENCE: usize = 32;

/// The name as bytes.
///
/// Narrow enough that a name is valid in a JSON string as it is, and holds no quote and no bracket; of the
/// characters beyond ASCII all are taken (XML 1.0, section 2.3, leaves some out).
///
/// # Errors
///
/// It is not a valid name.
pub(crate) fn checked_name(name: &str) -> Result<&[u8], &'static str> {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
    let inner = |byte: &u8| letter(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    match name.as_bytes() {
        [first, rest @ ..] if letter(first) && rest.iter().all(inner) => Ok(name.as_bytes()),
        _ => Err("a name is not valid"),
    }
}

/// Writes `raw`; says whether it was nothing but white space and what is dropped.
///
/// Line ends become `\n` (XML 1.0, section 2.11), characters that XML forbids (section 2.2) go.
pub(crate) fn push(out: &mut Vec<u8>, raw: &str, place: Place) -> bool {
    let bytes = raw.as_bytes();
    let mut done = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // U+FFFE and U+FFFF begin with 0xEF
        if !matches!(byte, 0..0x20 | b'"' | b'\\' | b'&' | 0xEF) {
            at += 1;
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        at += special(out, &raw[at..], place);
        done = at;
    }
    out.extend_from_slice(&bytes[done..]);
    bytes.iter().all(|byte| *byte <= b' ')
}

/// Writes the character that `rest` begins with, or drops it. Returns how many bytes it took.
fn special(out: &mut Vec<u8>, rest: &str, place: Place) -> usize {
    let (text, taken): (&[u8], usize) = match (rest.as_bytes(), place) {
        ([b'&', ..], Place::Attribute) => return reference(out, rest),
        ([b'\r', b'\n', ..], _) => (b"", 1),
        ([b'\t' | b'\n' | b'\r', ..], Place::Attribute) => (b" ", 1),
        ([b'\r' | b'\n', ..], _) => (b"\\n", 1),
        ([b'\t', ..], _) => (b"\\t", 1),
        ([0..0x20, ..], _) => (b"", 1),
        ([b'"', ..], _) => (b"\\\"", 1),
        ([b'\\', ..], _) => (b"\\\\", 1),
        ([0xEF, 0xBF, 0xBE | 0xBF, ..], _) => (b"", 3),
        (other, _) => (&other[..1], 1),
    };
    out.extend_from_slice(text);
    taken
}

/// Writes the value of the reference at the start of `rest`; a `&` without a reference is kept.
fn reference(out: &mut Vec<u8>, rest: &str) -> usize {
    let inner = &rest.as_bytes()[1..];
    let near = &inner[..inner.len().min(MAX_REFERENCE)];
    if let Some(length) = memchr::memchr(b';', near)
        && let Some(known) = resolve(&rest[1..=length])
    {
        push_character(out, known);
        return length + 2;
    }
    out.push(b'&');
    1
}

/// Writes the value of `&name;`, or `&name;` if it is unknown; says whether it was white space.
pub(crate) fn push_reference(out: &mut Vec<u8>, name: &str) -> bool {
    match resolve(name) {
        Some(known) => push_character(out, known),
        None => {
            out.push(b'&');
            push(out, name, Place::Text);
            out.push(b';');
            false
        }
    }
}

/// The value of `&name;`: `None` if it is unknown, `Some(None)` if XML forbids it.
fn resolve(name: &str) -> Option<Option<char>> {
    let (digits, radix) = match name.as_bytes() {
        b"amp" => return Some(Some('&')),
        b"apos" => return Some(Some('\'')),
        b"gt" => return Some(Some('>')),
        b"lt" => return Some(Some('<')),
        b"quot" => return Some(Some('"')),
        [b'#', b'x', ..] => (&name[2..], 16),
        [b'#', ..] => (&name[1..], 10),
        _ => return None,
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let character = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let allowed = |character: &char| match character {
        '\t' | '\n' | '\r' => true,
        '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    };
    Some(character.filter(allowed))
}

/// Writes the character of a reference; says whether it was white space.
fn push_character(out: &mut Vec<u8>, character: Option<char>) -> bool {
    let Some(character) = character else { return true };
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
    matches!(character, ' ' | '\t' | '\n' | '\r')
}
