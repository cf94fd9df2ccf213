//! The format of the identity's file: what bytes, or the lack of them, mean, and what is written.

use std::fmt;
use std::io;

use plexsync_protocol::identity::is_device_id;

use super::scan::{self, Object};

/// Most bytes that a file of ours can have. Anything longer is somebody else's, and is not read.
pub(super) const MAX_BYTES: u64 = 64 * 1024;

/// Why there are no bytes.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// There is nothing under this name.
    Missing,
    /// A symlink is there, and nothing behind it. Nobody knows what is on the volume that is not mounted.
    DanglingLink,
    /// It is a folder.
    Folder,
    /// It is a FIFO, a socket or a device.
    NoFile,
    /// It has more than [`MAX_BYTES`].
    TooLong,
    /// The system's own reason.
    Io(io::Error),
}

/// The reason, and the cure, for the user.
impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("there is no such file"),
            Self::DanglingLink => formatter
                .write_str("it is a link that leads nowhere: mount the volume that it leads to"),
            Self::Folder => formatter.write_str(
                "it is a folder, as Docker makes one for a file that is missing: remove it",
            ),
            Self::NoFile => formatter.write_str("it is not a regular file: remove it"),
            Self::TooLong => {
                write!(
                    formatter,
                    "it has more than {MAX_BYTES} bytes, so it is no identity: move it away"
                )
            }
            Self::Io(error) => write!(formatter, "it can't be read: {}", advice(error)),
        }
    }
}

/// An error of the system, with the cure where there is one.
pub(super) fn advice(error: &io::Error) -> String {
    let cure = match error.kind() {
        io::ErrorKind::PermissionDenied => "give the user that runs this program access to it",
        io::ErrorKind::ReadOnlyFilesystem => "choose a data folder that can be written",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        io::ErrorKind::ResourceBusy => "mount its folder, not the file alone",
        _ => return error.to_string(),
    };
    format!("{error}; {cure}")
}

/// What the bytes under a name are. Every outcome of looking is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// There is nothing, for certain.
    Absent,
    /// An identity.
    Valid {
        /// The id, exactly as it stands there.
        id: String,
        /// The whole file.
        raw: Vec<u8>,
    },
    /// Readable, but no identity: empty, cut off, without an id.
    Torn {
        /// The whole file.
        raw: Vec<u8>,
        /// The one id that can still be made out.
        salvaged: Option<String>,
    },
    /// Something is there, and nobody knows what it holds.
    Unreadable(String),
}

/// Tells what reading a file has brought.
pub(super) fn classify(read: Result<Vec<u8>, Obstacle>) -> State {
    match read {
        Err(Obstacle::Missing) => State::Absent,
        Err(obstacle) => State::Unreadable(obstacle.to_string()),
        Ok(raw) => match id_of(&raw) {
            Some(id) => State::Valid { id, raw },
            None => State::Torn { salvaged: salvage(&raw), raw },
        },
    }
}

fn id_of(raw: &[u8]) -> Option<String> {
    scan::object(raw)?.id?.text.filter(|text| is_device_id(text))
}

/// The id of a damaged file: the only one that stands there whole, however often.
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
        .filter_map(|name| scan::string_at(text, value(name)?)?.text)
        .filter(|id| is_device_id(id))
        .collect()
}

/// The file of `id`, byte for byte as Python's `json.dump({"device_id": id}, file, indent=2)` writes it.
pub(super) fn render(id: &str) -> Vec<u8> {
    format!("{{\n  \"device_id\": {}\n}}", literal(id)).into_bytes()
}

/// The file `raw` with `id` in the place of its own id; every other byte of the object stays.
///
/// What stands behind the object goes, unless it is white space: Python can't read a file with it.
pub(super) fn splice(raw: &[u8], id: &str) -> Vec<u8> {
    let Some(Object { id: Some(old), end }) = scan::object(raw) else {
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
