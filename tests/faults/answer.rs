//! What a worker answers where something is in its way, and how a trial puts it there.

use std::fs;
use std::path::Path;

use crate::rig::{OLD, Told, runs};

/// What a worker must answer to a get and to a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The id from before.
    Old,
    /// That the identity is unavailable.
    Unavailable,
}

pub(crate) fn assert_answer(what: &str, told: &Told, call: u64, expected: Answer) {
    let id = told.id(call);
    let fine = match expected {
        Answer::Old => id.as_deref() == Some(OLD),
        Answer::Unavailable => told.code(call) == Some(-32001),
    };
    assert!(fine && !told.panicked(), "{what}: expected {expected:?} for call {call}: {told:?}");
}

/// A user without rights: root may read everything.
pub(crate) const NOBODY: [&str; 4] =
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

pub(crate) fn make(tool: &str, before: &[&str], path: &Path, after: &[&str]) {
    let path = path.to_str().unwrap();
    let arguments: Vec<_> = before.iter().chain([&path]).chain(after).copied().collect();
    assert!(runs(tool, &arguments), "{tool} {arguments:?}");
}

pub(crate) fn set_mode(path: &Path, mode: &str) {
    make("chmod", &[mode], path, &[]);
}

/// The names in a folder, sorted.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
