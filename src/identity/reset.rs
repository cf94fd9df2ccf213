//! The explicit wish for another identity: compare with the disk, then swap, under the lock.

use plexsync_protocol::identity::{Origin, ResetParams, is_device_id};

use super::IdentityError;
use super::decide::{Decision, View};
use super::format::{State, object_in, render, splice};
use super::store::{Found, ROUNDS, Store};
use crate::files::{self, Lock, Problem, Replaced};

/// Why a reset failed.
#[derive(Debug)]
pub(super) enum ResetError {
    /// What was on disk still is.
    Refused(IdentityError),
    /// The new id may be in its place, but may not stay there.
    Landed(IdentityError),
}

impl<E: Into<IdentityError>> From<E> for ResetError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Store {
    /// Replaces the identity; returns the new one and the id before.
    ///
    /// The file is replaced first, then the backup. After a crash in between the file wins, and the next load renews
    /// the backup: the old id doesn't come back. A stop is obeyed until the first write, and not from then on.
    pub(super) fn reset(
        &self,
        params: &ResetParams,
    ) -> Result<(Found, Option<String>), ResetError> {
        let new = self.wanted(params)?;
        for _ in 0..ROUNDS {
            let view = self.settle(self.look())?;
            compare(self.current(&view)?, params)?;
            self.make_folder()?;
            let lock = self.lock(self.patience.lock).map_err(|why| self.no_lock(&why))?;
            self.need_lock(&lock, params)?;
            let now = self.look();
            if !(now.unsettled() && now != view) {
                let previous = self.current(&now)?;
                compare(previous.clone(), params)?;
                files::unless_stopped(&self.stop)?;
                if let Some(found) = self.swap(&now, new.clone(), params)? {
                    return Ok((found, previous));
                }
            }
            drop(lock);
            files::pause(&self.stop)?;
        }
        Err(self.keeps_changing().into())
    }

    fn wanted(&self, params: &ResetParams) -> Result<String, IdentityError> {
        match &params.device_id {
            None => self.new_id(),
            Some(id) if is_device_id(id) => Ok(id.clone()),
            Some(_) => Err(IdentityError::InvalidId {
                reason: "expected 1 to 255 printable ASCII characters, not all of them spaces"
                    .to_owned(),
            }),
        }
    }

    /// The id on disk: the one that a load would find.
    fn current(&self, view: &View) -> Result<Option<String>, IdentityError> {
        match view.decide() {
            Decision::Refuse { which, problem } => Err(self.refused(which, &problem)),
            decision => Ok(decision.id().map(str::to_owned)),
        }
    }

    /// Without a lock two resets that expect the same id could both succeed.
    fn need_lock(&self, lock: &Lock, params: &ResetParams) -> Result<(), IdentityError> {
        match (lock, &params.if_device_id) {
            (Lock::None(error), Some(_)) => {
                let problem = Problem::from(error)
                    .because("`if_device_id` needs a lock, and there is none to be had");
                Err(IdentityError::unavailable(&self.lock_file, problem))
            }
            _ => Ok(()),
        }
    }

    /// Writes `new`. None: the file has changed meanwhile, look again.
    fn swap(
        &self,
        now: &View,
        new: String,
        params: &ResetParams,
    ) -> Result<Option<Found>, ResetError> {
        let unsynced = match self.overwrite(now, &new) {
            Ok(Replaced::Done) => None,
            Ok(Replaced::Stale) => return Ok(None),
            Ok(Replaced::Unsynced(error)) => Some(
                Problem::from(&error)
                    .because("the new id was written, but may not outlast a crash"),
            ),
            Err(problem) => {
                let problem = problem.because("it can't be written");
                let error = IdentityError::unavailable(&self.main, problem);
                // A disk that reports a failure may be asked what became of it.
                let untouched = self.look().main == now.main;
                return Err(if untouched { error.into() } else { ResetError::Landed(error) });
            }
        };
        let (id, raw) = match self.look().main {
            State::Valid { id, raw } if id == new => (id, raw),
            State::Valid { id, .. } => {
                return Err(ResetError::Landed(IdentityError::Changed { device_id: Some(id) }));
            }
            _ => return Err(ResetError::Landed(self.keeps_changing())),
        };
        let warning = self.back_up(&now.backup, object_in(&raw));
        if let Some(problem) = unsynced {
            return Err(ResetError::Landed(IdentityError::unavailable(&self.main, problem)));
        }
        let origin = if params.device_id.is_some() { Origin::Adopted } else { Origin::Reset };
        Ok(Some(Found { id, origin, warning, lasting: false }))
    }

    fn overwrite(&self, now: &View, new: &str) -> Result<Replaced, Problem> {
        let written = match &now.main {
            State::Absent => self.create_main(&render(new)),
            State::Valid { raw, .. } => self.replace_main(now, &splice(raw, new)),
            State::Torn { raw, .. } => {
                return self.replace_broken(now, raw, &render(new)).map(|(replaced, _)| replaced);
            }
            State::Passing { .. } => Ok(Replaced::Stale),
            State::Unreadable(problem) => return Err(problem.clone()),
        };
        written.map_err(|error| Problem::from(&error))
    }
}

/// Whether the id on disk is the one that the caller expects.
fn compare(current: Option<String>, params: &ResetParams) -> Result<(), IdentityError> {
    match &params.if_device_id {
        Some(expected) if current.as_ref() != Some(expected) => {
            Err(IdentityError::Changed { device_id: current })
        }
        _ => Ok(()),
    }
}
