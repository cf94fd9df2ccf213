//! What is done under the lock when the identity's file is missing or damaged.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use plexsync_protocol::identity::Origin;

use super::IdentityError;
use super::decide::{Decision, Kept, View, link_without_id};
use super::format::{State, object_in, render};
use super::store::{Found, Store};
use crate::files::{self, Access, Created, Lock, Problem, Replaced};

impl Store {
    /// Creates an identity. `None`: another process created one first, look again.
    ///
    /// What counts is what is on disk afterwards, not what a call said about the writing.
    pub(super) fn create(&self, now: &View) -> Result<Option<Found>, IdentityError> {
        if now.backup == State::Absent
            && let Some((id, bytes)) = self.look_at_former()?
        {
            return self.move_in(id, &bytes);
        }
        let id = self.new_id()?;
        files::create(&self.main, &render(&id)).map_err(|error| self.unwritten(&error))?;
        let State::Valid { id: found, raw } = self.look().main else {
            return Ok(None);
        };
        let ours = found == id;
        let origin = if ours { Origin::Created } else { Origin::Loaded };
        let warning = (ours && now.backup != State::Absent).then(|| {
            "There was no identity's file, and its backup is damaged: this is a new identity, and Plex will show a new \
             device. Remove the former one in Plex."
                .to_owned()
        });
        let backup = self.back_up(&self.look_at_backup(), object_in(&raw));
        Ok(Some(Found { id: found, origin, warning, lasting: false }.warned(backup)))
    }

    /// The id that is in the folder that was used before, and the file that is to hold it here.
    fn look_at_former(&self) -> Result<Option<(String, Vec<u8>)>, IdentityError> {
        let Some(folder) = &self.former else { return Ok(None) };
        let former = Self::new(folder.clone(), Arc::clone(&self.stop));
        match former.settle(former.look())?.decide() {
            Decision::Keep(Kept { id, bytes, .. }) | Decision::Restore { id, bytes } => {
                Ok(Some((id, bytes)))
            }
            Decision::Create | Decision::Regenerate => Ok(None),
            Decision::Refuse { which, problem } => Err(former.refused(which, &problem)),
        }
    }

    /// Copies the identity from the former folder, which stays as it is. `None`: look again.
    fn move_in(&self, id: String, bytes: &[u8]) -> Result<Option<Found>, IdentityError> {
        files::create(&self.main, bytes).map_err(|error| self.unwritten(&error))?;
        if !matches!(self.look().main, State::Valid { id: found, .. } if found == id) {
            return Ok(None);
        }
        let folder = self.former.as_deref().unwrap_or(&self.folder).display();
        let warning = Some(format!(
            "The identity was copied from `{folder}`, where it was kept before: Plex sees the same device as before."
        ));
        let backup = self.back_up(&self.look_at_backup(), bytes);
        Ok(Some(Found { id, origin: Origin::Loaded, warning, lasting: false }.warned(backup)))
    }

    /// Writes the backup's identity back, or goes on with it where that can't be done. `None`: look again.
    pub(super) fn restore(&self, now: &View, id: String, bytes: &[u8]) -> Option<Found> {
        let (what, kept, written) = match &now.main {
            State::Torn { raw, .. } => match self.replace_broken(now, raw, bytes) {
                Ok((replaced, kept)) => ("damaged", kept_in(&kept), Ok(replaced)),
                Err(problem) => ("damaged", String::new(), Err(problem)),
            },
            _ => {
                let created = self.create_main(bytes).map_err(|error| Problem::from(&error));
                ("missing", String::new(), created)
            }
        };
        let written = written.and_then(|replaced| match replaced {
            Replaced::Unsynced(error) => Err(Problem::from(&error)),
            replaced => Ok(replaced),
        });
        let lasting = written.is_err();
        let sentence = match written {
            Ok(Replaced::Stale) => return None,
            Ok(_) => {
                let State::Valid { id: found, .. } = self.look().main else { return None };
                (found == id).then_some(())?;
                format!("The identity's file was {what} and was restored from its backup.{kept}")
            }
            Err(Problem { reason, hint }) => format!(
                "The identity's file is {what} and can't be restored ({reason}; {hint}); its backup serves:"
            ),
        };
        let warning = Some(format!("{sentence} Plex sees the same device as before."));
        let backup = self.back_up(&now.backup, bytes);
        Some(Found { id, origin: Origin::Recovered, warning, lasting }.warned(backup))
    }

    /// Creates an identity in the place of one that is damaged beyond help. `None`: look again.
    ///
    /// The backup is created first, under a name that only one can win: so all agree even where locks lie, and a crash
    /// in between leaves an identity that the next load recovers.
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
        match (&now.backup, lock) {
            (State::Absent, _) => files::create(&self.backup, &bytes).map(drop),
            (_, Lock::Held { .. }) => self.replace_backup(&bytes).and_then(synced),
            (_, Lock::None(error)) => Err(io::Error::new(error.kind(), error.to_string())),
        }
        .map_err(|error| self.unwritten(&error))?;
        if (self.look_at_backup() != State::Valid { id: id.clone(), raw: bytes.clone() }) {
            return Ok(None);
        }
        let unwritten = match self.replace_main(now, &bytes) {
            Ok(Replaced::Done) => None,
            Ok(Replaced::Stale) => return Ok(None),
            Ok(Replaced::Unsynced(error)) | Err(error) => {
                let Problem { reason, hint } = Problem::from(&error);
                Some(format!(
                    "The file itself can't be written ({reason}; {hint}); its backup serves."
                ))
            }
        };
        let warning = format!(
            "The identity's file was damaged and there was no backup to restore it from: this is a new identity, and \
             Plex will show a new device. Remove the former one in Plex, or put an older version of the file back.{}",
            kept_in(&kept)
        );
        let found =
            Found { id, origin: Origin::Regenerated, warning: Some(warning), lasting: false };
        Ok(Some(found.warned(unwritten)))
    }

    /// Keeps the bytes of a broken file, then replaces it, unless it has changed meanwhile.
    pub(super) fn replace_broken(
        &self,
        now: &View,
        raw: &[u8],
        bytes: &[u8],
    ) -> Result<(Replaced, PathBuf), Problem> {
        if now.linked && matches!(now.main, State::Torn { salvaged: None, .. }) {
            return Err(link_without_id());
        }
        let written = self.keep(raw).and_then(|kept| Ok((self.replace_main(now, bytes)?, kept)));
        written.map_err(|error| Problem::from(&error))
    }

    /// Replaces the file, or the target of its link, by `bytes`, unless that has changed since `now`.
    pub(super) fn replace_main(&self, now: &View, bytes: &[u8]) -> io::Result<Replaced> {
        let path = files::follow(&self.main)
            .map_err(|obstacle| io::Error::other(Problem::from(&obstacle).reason))?;
        files::replace(&path, bytes, Access::AsBefore, || self.look().main == now.main)
    }

    /// Gives the file its name where there is none.
    pub(super) fn create_main(&self, bytes: &[u8]) -> io::Result<Replaced> {
        Ok(match files::create(&self.main, bytes)? {
            Created::Done => Replaced::Done,
            Created::Taken => Replaced::Stale,
        })
    }

    fn keep(&self, raw: &[u8]) -> io::Result<PathBuf> {
        files::keep_broken(&self.main, raw, SystemTime::now())
    }

    /// A new id: a UUID of version 4 from the system's randomness, never from anything that two machines can share.
    pub(super) fn new_id(&self) -> Result<String, IdentityError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            let problem = Problem::from(&io::Error::other(error));
            IdentityError::unavailable(
                &self.main,
                problem.because("the system has no randomness for a new id"),
            )
        })?;
        Ok(uuid::Builder::from_random_bytes(random).into_uuid().to_string())
    }

    /// The identity's file can't be written.
    pub(super) fn unwritten(&self, error: &io::Error) -> IdentityError {
        let problem = Problem::from(error).because("it can't be written");
        IdentityError::unavailable(&self.main, problem)
    }
}

fn synced(replaced: Replaced) -> io::Result<()> {
    match replaced {
        Replaced::Unsynced(error) => Err(error),
        Replaced::Done | Replaced::Stale => Ok(()),
    }
}

fn kept_in(kept: &Path) -> String {
    let name = kept.file_name().unwrap_or_default().to_string_lossy();
    format!(" The damaged bytes are in `{name}`.")
}
