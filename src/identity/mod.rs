//! The one identity: loaded from the data folder at its first use, held for the life of the process.
//!
//! A lost identity is a new device in Plex, so every doubt about what is on disk is an error and never a new id. What
//! bytes mean is in `format` and `lenient_json`, what is decided in `decide`, how it gets to disk in [`crate::files`];
//! `store`, `repair` and `reset` put these together.

mod decide;
mod format;
mod inspect;
mod lenient_json;
mod repair;
mod reset;
mod store;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use plexsync_protocol::identity::{Identity, IdentityHeaders, ResetParams, ResetResult};

pub use inspect::{Finding, LockState, Report, inspect};

use reset::ResetError;
use store::{Found, Store};

/// Holds the identity of this process. One per process: its owner passes it on.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    version: &'static str,
    held: Option<Arc<Identity>>,
    quiet: bool,
}

/// Why there is no identity. `methods::errors` has the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityError {
    /// It can't be read or created. The next call tries again.
    Unavailable {
        /// The file or folder that can't be used.
        path: PathBuf,
        reason: String,
        hint: &'static str,
    },
    /// The id on disk is not the one that the caller of a reset expects: it has to decide again.
    Changed {
        /// The id on disk, if there is one; it is held from now on.
        device_id: Option<String>,
    },
    /// The id to adopt can't be one: the caller has to correct it.
    InvalidId { reason: String },
    /// The worker stops, and nothing was done.
    Interrupted,
}

impl Keeper {
    /// The keeper of the identity in `folder`, for a worker of version `version`. No I/O happens here.
    ///
    /// While something has to be waited for (a torn file 1 s, one that flickers 8 s, the lock 5 s), `stop` is looked at
    /// every 10 ms; when it is set, the call ends with [`IdentityError::Interrupted`].
    pub fn new(folder: PathBuf, version: &'static str, stop: Arc<AtomicBool>) -> Self {
        Self { store: Store::new(folder, stop), version, held: None, quiet: false }
    }

    /// The same, with the folder where the identity was kept before: an id there is copied where this one has neither
    /// file nor backup.
    #[must_use]
    pub fn with_former(mut self, folder: PathBuf) -> Self {
        self.store.former = Some(folder);
        self
    }

    /// The same for one of many short processes: what each of them would find and say is not logged.
    #[must_use]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// The identity. It is loaded, repaired or created at the first call that succeeds; later calls do no I/O.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`] and [`IdentityError::Interrupted`]; neither is held.
    pub fn get(&mut self) -> Result<Arc<Identity>, IdentityError> {
        match &self.held {
            Some(held) => Ok(Arc::clone(held)),
            None => {
                let found = self.store.load()?;
                Ok(self.hold(found))
            }
        }
    }

    /// The identity that is held, or that of a good file beside a good backup: two files are read, and nothing is waited
    /// for or written. `None` if [`Self::get`] would have to do more, or would fail.
    pub fn get_without_waiting(&mut self) -> Option<Arc<Identity>> {
        if self.held.is_none() {
            let found = self.store.load_without_waiting()?;
            self.hold(found);
        }
        self.held()
    }

    /// Replaces the identity on disk, and holds the new one.
    ///
    /// A stop ends it with [`IdentityError::Interrupted`] as long as nothing is written; what has begun is finished.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Changed`]: the id on disk, if there is one, is held from then on. After any other error the
    /// one that was held still is, unless the new one got its place on disk and only the disk's own promise failed:
    /// then nothing is held, and the next call looks what is there.
    pub fn reset(&mut self, params: &ResetParams) -> Result<ResetResult, IdentityError> {
        let error = match self.store.reset(params) {
            Ok((found, previous)) => {
                let found = found.warned(self.surprise(previous.as_deref()));
                let identity = self.hold(found).as_ref().clone();
                return Ok(ResetResult::new(identity, previous));
            }
            Err(ResetError::Refused(error)) => error,
            Err(ResetError::Landed(error)) => {
                self.held = None;
                error
            }
        };
        match error {
            IdentityError::Changed { device_id: Some(_) } => Err(self.follow_disk()),
            error => Err(error),
        }
    }

    /// The identity, if it was loaded already.
    pub fn held(&self) -> Option<Arc<Identity>> {
        self.held.clone()
    }

    fn hold(&mut self, found: Found) -> Arc<Identity> {
        if let Some(warning) = found.warning.as_ref().filter(|_| !(self.quiet && found.lasting)) {
            tracing::warn!("{warning}");
        }
        let headers = IdentityHeaders::new(&found.id, self.version);
        let path = self.store.main.to_string_lossy().into_owned();
        let identity =
            Arc::new(Identity::new(found.id, found.origin, path, headers, found.warning));
        Arc::clone(self.held.insert(identity))
    }

    /// Holds the id on disk, which is not the expected one, and reports that very one.
    fn follow_disk(&mut self) -> IdentityError {
        self.held = None;
        match self.get() {
            Ok(identity) => IdentityError::Changed { device_id: Some(identity.device_id.clone()) },
            Err(error) => error,
        }
    }

    /// Another id was on disk than the one that this process used.
    fn surprise(&self, previous: Option<&str>) -> Option<String> {
        let held = self.held.as_ref()?;
        (previous != Some(&held.device_id)).then(|| {
            "The identity's file was changed from outside while this worker ran; what it held is replaced now."
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests;
