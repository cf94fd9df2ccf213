//! The account on plex.tv: signed in with four characters, remembered in the data folder, and used with the device id and
//! the plex.tv that it was made for. It knows nothing of requests to a media server.

mod answers;
mod devices;
mod error;
pub mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod logout;
mod plex_tv;
pub mod server;
mod sign_in;
mod status;
mod store;

pub use devices::{Judge, Wish, same_device};
pub use error::{AccountError, NotSignedIn, Refusal};
pub use logout::logout;
pub use plex_tv::{Ask, Options, PlexTv, Reply, Time};
pub use sign_in::Report;
pub use store::{FILES, FileError, Store};

use std::panic::resume_unwind;
use std::sync::Arc;

use plexsync_protocol::identity::Identity;

use crate::secret::Secrets;
use files::AccountFile;

/// What a call about the account is made with: the device that asks, plex.tv, and the files. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    pub identity: Arc<Identity>,
    pub plex_tv: PlexTv,
    pub store: Store,
    pub secrets: Secrets,
    /// The time of the whole call.
    pub time: Time,
}

impl Caller {
    /// The stored sign-in, if it may be used: with the device id and at the plex.tv that it was made for. Reads a file.
    ///
    /// # Errors
    /// [`AccountError::NotSignedIn`] or [`AccountError::File`].
    pub fn stored(&self) -> Result<AccountFile, AccountError> {
        let stored = self.store.account()?.ok_or(NotSignedIn::None);
        stored.and_then(|stored| self.own(stored)).map_err(AccountError::NotSignedIn)
    }

    /// The sign-in, unless it belongs to another device or was made at another plex.tv.
    fn own(&self, stored: AccountFile) -> Result<AccountFile, NotSignedIn> {
        if stored.device_id != self.identity.device_id {
            return Err(NotSignedIn::OtherDevice(stored.device_id));
        }
        if stored.plex_tv != self.plex_tv.url() {
            return Err(NotSignedIn::OtherPlexTv(stored.plex_tv));
        }
        Ok(stored)
    }

    /// Sends a request to plex.tv as this device.
    ///
    /// # Errors
    /// [`AccountError::Http`]. Any HTTP answer is a [`Reply`].
    pub async fn send(&self, ask: &Ask<'_>) -> Result<Reply, AccountError> {
        Ok(self.plex_tv.send(&self.identity.headers, ask, self.time).await?)
    }

    /// The same, where only success will do. `what` is the object of `refused`.
    ///
    /// # Errors
    /// [`AccountError::Http`], and [`AccountError::Refused`] at any other status.
    pub async fn ask(&self, ask: &Ask<'_>, what: &'static str) -> Result<Reply, AccountError> {
        let reply = self.send(ask).await?;
        match reply.is_success() {
            true => Ok(reply),
            false => Err(AccountError::Refused(Refusal::of(&reply, what, &self.secrets))),
        }
    }

    /// Works on the files away from the runtime's thread.
    pub async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let caller = self.clone();
        on_disk(move || work(&caller)).await
    }
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is ending, and this call with it.
            Err(_) => std::future::pending().await,
        },
    }
}
