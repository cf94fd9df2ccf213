//! The explicit wish for another identity: compare with the disk, then swap, under the lock.

use std::io;

use plexsync_protocol::identity::{Origin, ResetParams, is_device_id};

use super::IdentityError;
use super::disk;
use super::file::{State, advice, render, splice};
use super::lock::{self, Lock, pause};
use super::publish::{self, Replaced};
use super::store::{Found, ROUNDS, Store};
use super::table::{Step, View};

/// Why a reset failed.
#[derive(Debug)]
pub(super) enum ResetError {
    /// What was on disk still is.
    Refused(IdentityError),
    /// The new id is in its place, but nobody can promise that it stays there.
    Landed(IdentityError),
}

impl<E: Into<IdentityError>> From<E> for ResetError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Store {
    /// Replaces the identity; tells the new one and the id before.
    ///
    /// The file is replaced first, then the second copy. After a crash in between the file wins, and the next load
    /// brings the copy in step: the old id doesn't come back.
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
                if let Some(found) = self.swap(&now, new.clone(), params)? {
                    return Ok((found, previous));
                }
            }
            drop(lock);
            pause(&self.stop)?;
        }
        Err(self.restless().into())
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
        match view.step() {
            Step::Refuse { copy, reason } => Err(self.refused(copy, &reason)),
            step => Ok(step.id().map(str::to_owned)),
        }
    }

    /// Without a lock two resets that expect the same id could both succeed.
    fn need_lock(&self, lock: &Lock, params: &ResetParams) -> Result<(), IdentityError> {
        match (lock, &params.if_device_id) {
            (Lock::None(error), Some(_)) => Err(Self::unavailable(
                &lock::path(&self.folder),
                format!(
                    "`if_device_id` needs a lock, and there is none to be had: {}",
                    advice(error)
                ),
            )),
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
        let written: io::Result<_> = match &now.main {
            State::Absent => self.publish_main(&render(&new)),
            State::Torn { raw, .. } => {
                self.replace_broken(&now.main, raw, &render(&new)).map(|(replaced, _kept)| replaced)
            }
            State::Valid { raw, .. } => publish::replace(&self.main, &splice(raw, &new), || {
                disk::look(&self.main) == now.main
            }),
            State::Unreadable(reason) => return Err(self.refused(false, reason).into()),
        };
        match written.map_err(|error| self.unwritten(&error))? {
            Replaced::Done => {}
            Replaced::Stale => return Ok(None),
            Replaced::Unsynced(error) => {
                let reason = format!(
                    "the new id was written, but may not outlast a crash: {}",
                    advice(&error)
                );
                return Err(ResetError::Landed(Self::unavailable(&self.main, reason)));
            }
        }
        match disk::look(&self.main) {
            State::Valid { id, raw } if id == new => {
                let warning = self.bring_in_step(&now.copy, &raw);
                let origin =
                    if params.device_id.is_some() { Origin::Adopted } else { Origin::Reset };
                Ok(Some(Found { id, origin, warning }))
            }
            State::Valid { id, .. } => {
                Err(ResetError::Landed(IdentityError::Changed { device_id: Some(id) }))
            }
            _ => Err(ResetError::Landed(self.restless())),
        }
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
