//! JSON that is checked while it comes, part by part: by the time the last part is there, the rest is done.

use plexsync_protocol::json::{BOM, Fault, Walk, has_lines, join_lines};

use crate::plex::response::part::Part;

/// As much of a part as completes what was left of the one before, most of the time.
const ENOUGH: usize = 16 * 1024;

/// A text in parts, checked as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// What was checked, in order; after a fault, everything.
    checked: Vec<Part>,
    /// Bytes in `checked`.
    length: usize,
    /// The end of what has come, from a place on where the check can go on.
    rest: Vec<u8>,
    walk: Walk,
    state: State,
    has_lines: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nothing has come yet.
    #[default]
    Start,
    /// So far it is JSON.
    Fine,
    /// It is no JSON.
    Broken(Fault),
}

impl Parts {
    /// Takes the next part. The first one is no shorter than a BOM.
    pub(crate) fn push(&mut self, mut part: Part) {
        if self.state == State::Start {
            self.state = State::Fine;
            if part.starts_with(BOM) {
                self.keep(BOM.to_vec().into());
                part.skip(BOM.len());
            }
        }
        let joined = self.join(&part);
        part.skip(joined);
        let done = self.advance(&part, false);
        self.rest.extend_from_slice(&part[done..]);
        part.truncate(done);
        self.keep(part);
    }

    /// Length of what has come, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.length + self.rest.len()
    }

    /// The text as it came.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.len());
        // One after the other: there is never more than the body and a part of it.
        self.checked.drain(..).for_each(|part| whole.extend_from_slice(&part));
        whole.append(&mut self.rest);
        whole
    }

    /// The text as one line, in parts.
    ///
    /// # Errors
    ///
    /// What was expected where, and the text as it came.
    pub(crate) fn end(mut self) -> Result<Vec<Part>, (String, Vec<u8>)> {
        let rest = std::mem::take(&mut self.rest);
        self.advance(&rest, true);
        self.keep(rest.into());
        if let State::Broken(fault) = self.state {
            return Err((fault.to_string(), self.into_bytes()));
        }
        if self.checked.first().is_some_and(|first| **first == *BOM) {
            self.checked.remove(0);
        }
        if self.has_lines {
            self.checked.iter_mut().for_each(|part| join_lines(part));
        }
        Ok(self.checked)
    }

    /// Completes the rest with the beginning of `part`: how much of it that took.
    fn join(&mut self, part: &[u8]) -> usize {
        let mut rest = std::mem::take(&mut self.rest);
        let (old, mut taken, mut next) = (rest.len(), 0, ENOUGH);
        while !rest.is_empty() {
            let end = part.len().min(taken + next);
            rest.extend_from_slice(&part[taken..end]);
            (taken, next) = (end, 2 * next);
            let walk = self.walk.clone();
            let done = self.advance(&rest, false);
            if done >= old {
                rest.truncate(done);
                self.keep(rest.into());
                return done - old;
            }
            if taken == part.len() {
                self.rest = rest.split_off(done);
                self.keep(rest.into());
                return taken;
            }
            self.walk = walk;
        }
        0
    }

    /// Checks `text`, at whose start it goes on: how much of it is done with.
    fn advance(&mut self, text: &[u8], last: bool) -> usize {
        if matches!(self.state, State::Broken(_)) {
            return text.len();
        }
        self.walk.advance(text, last).unwrap_or_else(|fault| {
            self.state = State::Broken(fault.moved(self.length));
            text.len()
        })
    }

    fn keep(&mut self, part: Part) {
        if !part.is_empty() {
            self.has_lines |= has_lines(&part);
            self.length += part.len();
            self.checked.push(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plex::response::json::check;
    use crate::plex::response::json::tests::texts;

    /// What becomes of a text that comes in parts of this size.
    fn in_parts(text: &[u8], size: usize) -> Result<Vec<u8>, String> {
        let mut parts = Parts::default();
        text.chunks(size.max(BOM.len())).for_each(|part| parts.push(part.to_vec().into()));
        parts.end().map(|parts| parts.iter().flat_map(|part| part.to_vec()).collect()).map_err(
            |(reason, whole)| {
                assert_eq!(whole, text, "a text that is no JSON stays as it came");
                reason
            },
        )
    }

    fn at_once(text: &[u8]) -> Result<Vec<u8>, String> {
        let mut bytes = text.to_vec();
        check(&mut bytes).map(|()| bytes)
    }

    /// A listing of about this many bytes, its strings up to `longest` long.
    fn listing(length: usize, longest: usize) -> Vec<u8> {
        let mut text = b"\xEF\xBB\xBF{\"Metadata\": [\r\n".to_vec();
        for number in 0.. {
            let long = "\u{e9}\\u00e9".repeat(number % (longest / 8 + 1));
            text.extend_from_slice(
                format!("{{\"key\":{number}e-1,\"title\":\"{long}\"}}").as_bytes(),
            );
            if text.len() > length {
                break;
            }
            text.extend_from_slice(b",\n ");
        }
        text.extend_from_slice(b"]}\n");
        text
    }

    #[test]
    fn a_listing_is_the_same_in_parts_of_any_size() {
        let text = listing(20_000, 300);
        let expected = at_once(&text).unwrap();
        for size in (3..200).step_by(7).chain([4095, 4096, 4097, 19_999, 100_000]) {
            assert_eq!(in_parts(&text, size).as_ref(), Ok(&expected), "{size}");
        }
    }

    #[test]
    fn a_string_may_be_longer_than_many_parts() {
        let text = format!("[\"{}\", 1]", "x\\n".repeat(100_000));
        assert_eq!(in_parts(text.as_bytes(), 5000).as_deref(), Ok(text.as_bytes()));
        let spaces = format!("{}1{}", " ".repeat(50_000), " ".repeat(50_000));
        assert_eq!(in_parts(spaces.as_bytes(), 5000).as_deref(), Ok(spaces.as_bytes()));
    }

    #[test]
    fn a_fault_is_told_where_it_is() {
        let text = listing(20_000, 300);
        for place in (3..text.len()).step_by(211) {
            for byte in [b'"', b'\\', 0x01, 0xff, b'}', b' ', b'x'] {
                let mut broken = text.clone();
                broken[place] = byte;
                assert_eq!(in_parts(&broken, 7001), at_once(&broken), "{byte} at {place}");
            }
        }
        for length in (0..text.len()).step_by(189) {
            assert_eq!(in_parts(&text[..length], 7001), at_once(&text[..length]), "{length}");
        }
    }

    proptest! {
        #[test]
        fn parts_change_nothing(text in texts(), size in 3usize..40, cut in any::<prop::sample::Index>()) {
            let cut = cut.index(text.len() + 1);
            for text in [text.as_bytes(), &text.as_bytes()[..cut]] {
                prop_assert_eq!(in_parts(text, size), at_once(text));
            }
        }
    }
}
