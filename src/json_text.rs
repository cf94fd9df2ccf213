//! JSON that is already text: what methods return and replies are made of.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

/// Serialised JSON, in pieces that are written one after the other.
///
/// A body of fifty megabytes is one of the pieces: it is never copied into a larger text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonText {
    pieces: Vec<Bytes>,
}

impl JsonText {
    /// Serialises a value whose serialisation can't fail (maps have string keys, no custom errors).
    ///
    /// A value that fails all the same becomes `null`, so that the text is JSON in every case.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Self {
        Self::from(serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec()))
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(AsRef::as_ref)
    }

    /// The whole text; a single piece is not copied.
    pub fn into_bytes(mut self) -> Vec<u8> {
        match self.pieces.len() {
            1 => self.pieces.swap_remove(0).into(),
            _ => self.pieces.concat(),
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// This text between two others.
    #[must_use]
    pub fn wrapped(mut self, before: Vec<u8>, after: &[u8]) -> Self {
        match self.pieces.as_mut_slice() {
            [only] if only.len() < 64 * 1024 => {
                let mut whole = before;
                whole.reserve(only.len() + after.len());
                whole.extend_from_slice(only);
                whole.extend_from_slice(after);
                Self::from(whole)
            }
            _ => {
                self.pieces.insert(0, before.into());
                self.pieces.push(after.to_vec().into());
                self
            }
        }
    }

    /// Adds another text behind this one.
    pub fn append(&mut self, mut other: Self) {
        self.pieces.append(&mut other.pieces);
    }
}

impl From<Vec<u8>> for JsonText {
    fn from(text: Vec<u8>) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl From<Bytes> for JsonText {
    fn from(text: Bytes) -> Self {
        Self { pieces: vec![text] }
    }
}

impl From<Box<RawValue>> for JsonText {
    fn from(raw: Box<RawValue>) -> Self {
        Self::from(String::from(Box::<str>::from(raw)).into_bytes())
    }
}
