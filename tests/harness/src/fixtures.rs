//! Bodies and lines in the shapes of real ones: `fixtures/README.md` says what each is.

use std::path::{Path, PathBuf};

/// A file's path and what it holds.
pub type File = (PathBuf, Vec<u8>);

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Bodies that Plex answers: `json` or `xml`.
///
/// # Panics
/// When there are none.
pub fn plex(extension: &str) -> Vec<File> {
    read(&Path::new(FOLDER).join("plex"), extension)
}

/// What Stash writes to a plugin's input.
///
/// # Panics
/// When there is none.
pub fn stash() -> Vec<File> {
    read(&Path::new(FOLDER).join("stash"), "stdin")
}

/// The files in a folder whose names end so, in the order of their names.
///
/// # Panics
/// When there are none: a test that looks at no file is no test.
pub fn read(folder: &Path, extension: &str) -> Vec<File> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("can't list `{}`: {error}", folder.display()));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == extension));
    paths.sort();
    assert!(!paths.is_empty(), "no `*.{extension}` in `{}`", folder.display());
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("can't read `{}`: {error}", path.display()));
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}
