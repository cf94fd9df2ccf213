//! The promises of the contract's page on the identity file, a test each.

#[cfg(unix)]
mod bare_disks;
mod format;
mod load;
#[cfg(unix)]
mod links;
#[cfg(unix)]
mod odd_disks;
mod oracle;
mod race;
mod reset;
mod unreadable;
mod waiting;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use plexsync_protocol::identity::{Identity, ResetParams};
use tempfile::TempDir;

use super::{IdentityError, Keeper};

pub(super) const MAIN: &str = "device_id.json";
pub(super) const BACKUP: &str = "device_id.json.bak";

/// A data folder, and what a test says about it.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Without a disk, where there is such a place: for thousands of writes.
    #[cfg(unix)]
    pub(super) fn in_memory() -> Self {
        let memory = tempfile::tempdir_in("/dev/shm");
        Self(memory.or_else(|_| tempfile::tempdir()).unwrap())
    }

    pub(super) fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = Self::empty();
        files.iter().for_each(|(name, bytes)| folder.write(name, bytes));
        folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    #[track_caller]
    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The broken files that were kept.
    pub(super) fn kept(&self) -> Vec<Vec<u8>> {
        let names =
            self.names().into_iter().filter(|name| name.starts_with("device_id.json.corrupt-"));
        names.map(|name| self.read(&name)).collect()
    }

    /// A keeper that doesn't wait for torn files: nobody writes them in most tests.
    pub(super) fn keeper(&self) -> Keeper {
        let mut keeper = self.patient_keeper();
        keeper.store.patience.torn = Duration::ZERO;
        keeper.store.patience.passing = Duration::ZERO;
        keeper
    }

    pub(super) fn patient_keeper(&self) -> Keeper {
        Keeper::new(self.0.path().to_owned(), "1.2.3", Arc::new(AtomicBool::new(false)))
    }

    pub(super) fn get(&self) -> Result<Arc<Identity>, IdentityError> {
        self.keeper().get()
    }

    /// Path of the obstacle and its reason.
    #[track_caller]
    pub(super) fn refusal(&self) -> (PathBuf, String) {
        unavailable(self.get().unwrap_err())
    }
}

#[track_caller]
pub(super) fn unavailable(error: IdentityError) -> (PathBuf, String) {
    match error {
        IdentityError::Unavailable { path, reason, .. } => (path, reason),
        error => panic!("{error:?}"),
    }
}

pub(super) fn file(id: &str) -> Vec<u8> {
    format!("{{\n  \"device_id\": \"{id}\"\n}}").into_bytes()
}

pub(super) fn adopt(id: &str) -> ResetParams {
    ResetParams { device_id: Some(id.to_owned()), ..ResetParams::default() }
}

pub(super) fn expecting(id: &str) -> ResetParams {
    ResetParams { if_device_id: Some(id.to_owned()), ..ResetParams::default() }
}

#[track_caller]
pub(super) fn assert_uuid_v4(id: &str) {
    let uuid = uuid::Uuid::parse_str(id).unwrap();
    assert_eq!((uuid.get_version_num(), uuid.to_string().as_str()), (4, id));
}
