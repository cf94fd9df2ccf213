//! Entry points for fuzzers: the files in the data folder.

use super::decide::View;
use super::format::{State, classify};

/// What the bytes of the identity's file mean.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is whole, and this is its id.
    Whole(String),
    /// It is damaged, and this id can be salvaged.
    Salvaged(String),
    /// It holds no id.
    Nothing,
}

/// What a file of these bytes means.
pub fn meaning(bytes: &[u8]) -> Meaning {
    match state(bytes) {
        State::Valid { id, .. } => Meaning::Whole(id),
        State::Torn { salvaged: Some(id), .. } => Meaning::Salvaged(id),
        _ => Meaning::Nothing,
    }
}

/// The id that a load goes on with, if it is on disk: the file and its backup hold these bytes.
pub fn kept(file: &[u8], backup: &[u8]) -> Option<String> {
    let view = View { main: state(file), backup: state(backup), linked: false };
    view.decide().id().map(str::to_owned)
}

fn state(bytes: &[u8]) -> State {
    classify(Ok(bytes.to_vec()))
}
