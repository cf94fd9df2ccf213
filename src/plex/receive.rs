//! A body while it comes. JSON is checked on another thread meanwhile, so that little is left to do at its end.

use std::sync::mpsc;

use tokio::task::JoinHandle;

use super::json::Parts;

/// Largest memory that a `Content-Length` alone can make us reserve, in bytes.
const LARGEST_RESERVE: u64 = 64 * 1024 * 1024;
/// A JSON body is handed over in parts of this size, in bytes; one that is shorter is not worth a thread.
const PART: usize = 1024 * 1024;

/// What has come of a body.
#[derive(Debug)]
pub(super) struct Receiving {
    /// All of it, or what is not handed over yet.
    bytes: Vec<u8>,
    in_parts: bool,
    check: Option<Check>,
}

/// Another thread that checks.
#[derive(Debug)]
struct Check {
    parts: mpsc::Sender<Vec<u8>>,
    outcome: JoinHandle<Parts>,
}

/// A whole body.
#[derive(Debug)]
pub(super) enum Received {
    /// As it came.
    Bytes(Vec<u8>),
    /// Checked for being JSON, and not yet told whether it is.
    Json(Parts),
}

impl Default for Received {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Received {
    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(parts) => parts.len(),
        }
    }

    /// The body as it came.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Json(parts) => parts.into_bytes(),
        }
    }
}

impl Receiving {
    /// A body that is not looked at before it is whole.
    pub(super) fn bytes() -> Self {
        Self { bytes: Vec::new(), in_parts: false, check: None }
    }

    /// A body that claims to be JSON.
    pub(super) fn json() -> Self {
        Self { in_parts: true, ..Self::bytes() }
    }

    /// So many bytes were announced; 0 where nothing was.
    pub(super) fn expect(&mut self, announced: u64) {
        let reserve = usize::try_from(announced.min(LARGEST_RESERVE)).unwrap_or(0);
        self.bytes.reserve_exact(if self.in_parts { reserve.min(PART) } else { reserve });
    }

    /// Takes what has come.
    pub(super) fn push(&mut self, mut chunk: &[u8]) {
        while self.in_parts && self.bytes.len() + chunk.len() > PART {
            let (head, tail) = chunk.split_at(PART - self.bytes.len());
            self.bytes.extend_from_slice(head);
            chunk = tail;
            self.hand_over();
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// The body; nothing more has come.
    pub(super) async fn end(mut self) -> Received {
        let Some(Check { parts, outcome }) = self.check.take() else {
            return Received::Bytes(self.bytes);
        };
        // Refused only by a thread that has panicked, which is found out next.
        let _refused = parts.send(self.bytes);
        drop(parts);
        Received::Json(outcome.await.unwrap_or_default())
    }

    fn hand_over(&mut self) {
        let part = std::mem::replace(&mut self.bytes, Vec::with_capacity(PART));
        let check = self.check.get_or_insert_with(Check::start);
        let _refused = check.parts.send(part);
    }
}

impl Check {
    fn start() -> Self {
        let (parts, receiver) = mpsc::channel::<Vec<u8>>();
        let outcome = tokio::task::spawn_blocking(move || {
            let mut checked = Parts::default();
            receiver.into_iter().for_each(|part| checked.push(part));
            checked
        });
        Self { parts, outcome }
    }
}
