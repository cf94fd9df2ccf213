//! The format of the identity's file: what bytes, or the lack of them, mean, and what is written.

use std::time::Duration;

use plexsync_protocol::identity::is_device_id;

use super::lenient_json::{self, Object};
use crate::files::{Obstacle, Problem};

/// Most bytes that a file of ours can have. A longer one is not ours, and is not read.
pub(super) const MAX_BYTES: u64 = 64 * 1024;

/// What the bytes under a name are. Every outcome of looking is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// There is nothing, for certain.
    Absent,
    /// An identity.
    Valid {
        /// The id, exactly as it is there.
        id: String,
        /// The whole file.
        raw: Vec<u8>,
    },
    /// Readable, but no identity: empty, cut off, without an id.
    Torn {
        /// The whole file.
        raw: Vec<u8>,
        /// The one id that can be salvaged.
        salvaged: Option<String>,
    },
    /// Something is there that can't be read at this moment: another process may be replacing it.
    Passing {
        /// What is seen now.
        problem: Problem,
        /// How long it may last.
        within: Duration,
    },
    /// Something is there, and it is unknown what it holds.
    Unreadable(Problem),
}

/// Classifies what reading a file has brought.
pub(super) fn classify(read: Result<Vec<u8>, Obstacle>) -> State {
    match read {
        Err(Obstacle::Missing) => State::Absent,
        Err(obstacle) => {
            let problem = Problem::from(&obstacle);
            match obstacle.passes_within() {
                Some(within) => State::Passing { problem, within },
                None => State::Unreadable(problem),
            }
        }
        Ok(raw) => match id_of(&raw) {
            Some(id) => State::Valid { id, raw },
            None => State::Torn { salvaged: salvage(&raw), raw },
        },
    }
}

/// The object in a whole file, without what precedes and follows it: that could be anything.
pub(super) fn object_in(raw: &[u8]) -> &[u8] {
    lenient_json::object(raw).map_or(raw, |object| &raw[object.start..object.end])
}

fn id_of(raw: &[u8]) -> Option<String> {
    lenient_json::object(raw)?.id?.text.filter(|text| is_device_id(text))
}

/// The id of a damaged file: the only one that is there whole, however often.
///
/// Also in UTF-16, which PowerShell's `>` makes of a file.
fn salvage(raw: &[u8]) -> Option<String> {
    let texts =
        [raw.to_vec(), narrowed(raw, u16::from_le_bytes), narrowed(raw, u16::from_be_bytes)];
    let mut ids = texts.iter().flat_map(|text| whole_ids(text));
    let first = ids.next()?;
    ids.all(|other| other == first).then_some(first)
}

/// UTF-16 as bytes; what is not ASCII becomes a byte that is in no id.
fn narrowed(raw: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let (pairs, _odd) = raw.as_chunks::<2>();
    pairs.iter().map(|&pair| u8::try_from(unit(pair)).unwrap_or(u8::MAX)).collect()
}

fn whole_ids(text: &[u8]) -> Vec<String> {
    const NAME: &[u8] = b"\"device_id\"";
    let blank = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
    };
    let value = |name: usize| {
        let colon = blank(name + NAME.len());
        (text.get(colon) == Some(&b':')).then(|| blank(colon + 1))
    };
    // The quote that ends one name may begin the next.
    let names = (0..text.len()).filter(|at| text[*at..].starts_with(NAME));
    names
        .filter_map(|name| lenient_json::string_at(text, value(name)?))
        .filter(|id| is_device_id(id))
        .collect()
}

/// The file of `id`, byte for byte as Python's `json.dump({"device_id": id}, file, indent=2)` writes it.
pub(super) fn render(id: &str) -> Vec<u8> {
    format!("{{\n  \"device_id\": {}\n}}", literal(id)).into_bytes()
}

/// The file `raw` with `id` in the place of its own id; every other byte of the object stays.
///
/// Removes what follows the object, unless it is white space: Python can't read a file with it.
pub(super) fn splice(raw: &[u8], id: &str) -> Vec<u8> {
    let Some(Object { id: Some(old), end, .. }) = lenient_json::object(raw) else {
        return render(id);
    };
    let (object, rest) = raw.split_at(end);
    let rest = if rest.iter().all(u8::is_ascii_whitespace) { rest } else { &[] };
    let (before, after) = (&object[..old.place.start], &object[old.place.end..]);
    [before, literal(id).as_bytes(), after, rest].concat()
}

fn literal(id: &str) -> String {
    format!("\"{}\"", id.replace('\\', "\\\\").replace('"', "\\\""))
}
