//! What is done under the lock when the identity's file is missing or damaged.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use plexsync_protocol::identity::Origin;

use super::IdentityError;
use super::disk;
use super::file::{State, advice, render};
use super::leftover;
use super::lock::Lock;
use super::publish::{self, Published, Replaced};
use super::store::{Found, Store};
use super::table::View;

impl Store {
    /// Makes an identity where there was none. None: somebody else was there first, look again.
    ///
    /// What counts is what is on disk afterwards, not what this process wrote or was told about the writing: an NFS
    /// server may report a failure of what it has done.
    pub(super) fn create(&self, now: &View, lock: &Lock) -> Result<Option<Found>, IdentityError> {
        let id = self.new_id()?;
        publish::publish(&self.main, &render(&id), lock.is_held())
            .map_err(|error| self.unwritten(&error))?;
        let State::Valid { id: found, raw } = disk::look(&self.main) else {
            return Ok(None);
        };
        let ours = found == id;
        let origin = if ours { Origin::Created } else { Origin::Loaded };
        let warning = (ours && now.copy != State::Absent).then(|| {
            "There was no identity's file, and its second copy is damaged: this is a new identity, and Plex will show \
             a new device. Remove the former one in Plex."
                .to_owned()
        });
        let copy = self.bring_in_step(&disk::look(&self.copy), &raw);
        Ok(Some(Found { id: found, origin, warning }.warned(copy)))
    }

    /// Writes the second copy's identity back, or goes on with it where that can't be done. None: look again.
    pub(super) fn restore(&self, now: &View, id: String, bytes: &[u8]) -> Option<Found> {
        let (what, kept, written) = match &now.main {
            State::Torn { raw, .. } => match self.replace_broken(&now.main, raw, bytes) {
                Ok((replaced, kept)) => ("damaged", Some(kept), Ok(replaced)),
                Err(error) => ("damaged", None, Err(error)),
            },
            _ => ("missing", None, self.publish_main(bytes)),
        };
        let sentence = match written {
            Ok(Replaced::Done) => {
                let State::Valid { id: found, .. } = disk::look(&self.main) else {
                    return None;
                };
                (found == id).then_some(())?;
                format!(
                    "The identity's file was {what} and was restored from its second copy:{}",
                    kept_in(kept)
                )
            }
            Ok(Replaced::Stale) => return None,
            Ok(Replaced::Unsynced(error)) | Err(error) => {
                let reason = advice(&error);
                format!(
                    "The identity's file is {what} and can't be restored ({reason}); its second copy serves:"
                )
            }
        };
        let warning = Some(format!("{sentence} Plex sees the same device as before."));
        let copy = self.bring_in_step(&now.copy, bytes);
        Some(Found { id, origin: Origin::Recovered, warning }.warned(copy))
    }

    /// Makes an identity in the place of one that is damaged beyond help. None: look again.
    ///
    /// The second copy is published first, under a name that only one can win: so all agree even where locks lie, and
    /// a crash in between leaves an identity that the next load recovers.
    pub(super) fn regenerate(
        &self,
        now: &View,
        lock: &Lock,
    ) -> Result<Option<Found>, IdentityError> {
        let State::Torn { raw, .. } = &now.main else {
            return Ok(None);
        };
        let id = self.new_id()?;
        let kept = self.keep(raw).map_err(|error| self.unwritten(&error))?;
        let bytes = render(&id);
        match (&now.copy, lock) {
            (State::Absent, _) => publish::publish(&self.copy, &bytes, lock.is_held()).map(drop),
            (_, Lock::Held { .. }) => {
                publish::replace(&self.copy, &bytes, || true).and_then(synced)
            }
            (_, Lock::None(error)) => Err(io::Error::new(error.kind(), error.to_string())),
        }
        .map_err(|error| self.unwritten(&error))?;
        if (disk::look(&self.copy) != State::Valid { id: id.clone(), raw: bytes.clone() }) {
            return Ok(None);
        }
        let unwritten =
            match publish::replace(&self.main, &bytes, || disk::look(&self.main) == now.main) {
                Ok(Replaced::Done) => None,
                Ok(Replaced::Stale) => return Ok(None),
                Ok(Replaced::Unsynced(error)) | Err(error) => Some(format!(
                    "The file itself can't be written ({}); its second copy serves.",
                    advice(&error)
                )),
            };
        let warning = format!(
            "The identity's file was damaged and there was no second copy to restore it from: this is a new identity, \
             and Plex will show a new device. Remove the former one in Plex, or restore the file from a backup.{}",
            kept_in(Some(kept))
        );
        let found = Found { id, origin: Origin::Regenerated, warning: Some(warning) };
        Ok(Some(found.warned(unwritten)))
    }

    /// Keeps the bytes of a broken file, then replaces it, unless it has changed meanwhile.
    pub(super) fn replace_broken(
        &self,
        seen: &State,
        raw: &[u8],
        bytes: &[u8],
    ) -> io::Result<(Replaced, PathBuf)> {
        let kept = self.keep(raw)?;
        let replaced = publish::replace(&self.main, bytes, || disk::look(&self.main) == *seen)?;
        Ok((replaced, kept))
    }

    /// Gives the file its name where there is none.
    pub(super) fn publish_main(&self, bytes: &[u8]) -> io::Result<Replaced> {
        Ok(match publish::publish(&self.main, bytes, true)? {
            Published::Done => Replaced::Done,
            Published::Taken => Replaced::Stale,
        })
    }

    fn keep(&self, raw: &[u8]) -> io::Result<PathBuf> {
        leftover::keep(&self.folder, raw, SystemTime::now())
    }

    /// A new id: a UUID of version 4 from the system's randomness, never from anything that two machines can share.
    pub(super) fn new_id(&self) -> Result<String, IdentityError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Self::unavailable(
                &self.main,
                format!("the system has no randomness for a new id: {error}"),
            )
        })?;
        Ok(uuid::Builder::from_random_bytes(random).into_uuid().to_string())
    }

    /// The identity's file can't be written.
    pub(super) fn unwritten(&self, error: &io::Error) -> IdentityError {
        Self::unavailable(&self.main, format!("it can't be written: {}", advice(error)))
    }
}

fn synced(replaced: Replaced) -> io::Result<()> {
    match replaced {
        Replaced::Unsynced(error) => Err(error),
        Replaced::Done | Replaced::Stale => Ok(()),
    }
}

fn kept_in(kept: Option<PathBuf>) -> String {
    let name =
        kept.and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    name.map(|name| format!(" The damaged bytes are in `{name}`.")).unwrap_or_default()
}
