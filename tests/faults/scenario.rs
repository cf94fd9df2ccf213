//! A folder, what is asked there, and what must hold afterwards, whatever was done to the worker meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::case::Case;
use crate::rig::{
    GET, OLD, RESET, Told, ask, ask_behind, backup, file_of, folder, id_of, lived_in, main_file,
    temporary_files,
};

/// Twice as long as the longest wait for a lock and a settling file together; `rig` kills later than that.
pub(crate) const HANGS: Duration = Duration::from_secs(30);

/// A folder, and what is asked there.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    prepare: fn(&Path),
    pub(crate) lines: &'static [&'static str],
    /// Whether an id is there that must outlive everything.
    old: bool,
}

const CREATE: Scenario = Scenario { name: "create", prepare: |_| {}, lines: &[GET], old: false };
const LOAD: Scenario = Scenario { name: "load", prepare: lived_in, lines: &[GET], old: true };
const FIRST_LOAD: Scenario = Scenario {
    name: "first load",
    prepare: |folder| fs::write(main_file(folder), file_of(OLD)).unwrap(),
    lines: &[GET],
    old: true,
};
const RECOVER: Scenario = Scenario {
    name: "recover",
    prepare: |folder| fs::write(backup(folder), file_of(OLD)).unwrap(),
    lines: &[GET],
    old: true,
};
const MEND: Scenario = Scenario {
    name: "recover a torn file",
    prepare: |folder| {
        lived_in(folder);
        fs::write(main_file(folder), "{\"devi").unwrap();
    },
    lines: &[GET],
    old: true,
};
const REGENERATE: Scenario = Scenario {
    name: "regenerate",
    prepare: |folder| fs::write(main_file(folder), "{\"devi").unwrap(),
    lines: &[GET],
    old: false,
};
const SWAP: Scenario =
    Scenario { name: "reset", prepare: lived_in, lines: &[RESET, GET], old: true };

pub(crate) const ALL: [Scenario; 7] = [LOAD, FIRST_LOAD, CREATE, RECOVER, SWAP, MEND, REGENERATE];
pub(crate) const QUICK: [Scenario; 3] = [CREATE, RECOVER, SWAP];

/// The scenario's folder, and the one that goes away with it.
pub(crate) fn prepared(scenario: &Scenario) -> (TempDir, PathBuf) {
    let whole = folder();
    let path = whole.path().join("data");
    fs::create_dir(&path).unwrap();
    (scenario.prepare)(&path);
    (whole, path)
}

/// The oracle: what was told is what is found; what was there stays unless a reset was asked for.
pub(crate) fn judge(
    scenario: &Scenario,
    (told, took): (&Told, Duration),
    folder: &Path,
    what: &str,
) {
    assert!(!told.panicked(), "{what}: {told:?}");
    assert!(took < HANGS, "{what}: it took {took:?}");
    let left = temporary_files(folder);
    assert!(left <= 2, "{what}: {left} temporary files");
    let found = id_of(folder);
    assert_eq!(id_of(folder), found, "{what}: two clean runs");
    for reply in &told.replies {
        assert!(reply["result"].is_object() || reply["error"]["code"] == -32001, "{what}: {reply}");
    }
    if let Some(id) = told.id(1) {
        assert_eq!(id, found, "{what}: told, then found: {told:?}");
    }
    match (told.id(2), told.code(2)) {
        (Some(id), _) => assert_eq!(id, found, "{what}: a reset was told: {told:?}"),
        (None, _) if scenario.lines.contains(&RESET) => {}
        (None, _) => assert!(!scenario.old || found == OLD, "{what}: {found} instead of {OLD}"),
    }
    // The next holder of the lock clears away what was left.
    assert!(ask(folder, &[RESET]).id(2).is_some(), "{what}: a clean reset");
    assert_eq!(temporary_files(folder), 0, "{what}: nobody has cleaned up");
}

impl Case for Scenario {
    type Ground = (TempDir, PathBuf);

    fn name(&self) -> &str {
        self.name
    }

    fn prepared(&self) -> Self::Ground {
        prepared(self)
    }

    fn data<'g>(&self, (_, folder): &'g Self::Ground) -> &'g Path {
        folder
    }

    fn act(&self, (_, folder): &Self::Ground, prefix: &[&str]) -> Told {
        ask_behind(prefix, folder, self.lines)
    }

    fn judge(&self, (_, folder): &Self::Ground, told: (&Told, Duration), what: &str) {
        judge(self, told, folder, what);
    }

    fn calls(&self) -> usize {
        self.lines.len()
    }
}
