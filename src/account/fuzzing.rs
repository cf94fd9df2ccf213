//! Entry points for fuzzers: what plex.tv lists, and the account's files.

use std::fs;
use std::path::Path;

use time::OffsetDateTime;

use super::Store;
use super::files::{AccountFile, SignInFile};
use super::store::Torn;
use crate::secret::{Secret, Secrets};

pub use super::devices::fuzzing::devices;
pub use super::server::fuzzing::{Listed, servers};

/// What became of a sign-in and of a choice in a folder whose files held anything.
#[derive(Debug, Default)]
pub struct Life {
    /// A server that was chosen is the chosen one.
    pub is_chosen: bool,
    /// A sign-in that was completed is the stored one, and its PIN waits no more.
    pub is_signed_in: bool,
    /// The choice was kept by that.
    pub is_kept: bool,
    /// Nothing is left of what was signed out.
    pub is_signed_out: bool,
}

/// A sign-in, a choice, another sign-in, and a sign-out where the files hold these bytes.
pub fn life(folder: &Path, files: [&[u8]; 3]) -> Life {
    for (name, bytes) in super::FILES.iter().zip(files) {
        let _shows_below = fs::write(folder.join(name), bytes);
    }
    let store = Store::new(folder.to_owned(), Secrets::default());
    let _any = store.look(Torn::Warned);
    let mut life = Life { is_signed_in: sign_in(&store, 7), ..Life::default() };
    let _shows_below = fs::write(folder.join(super::FILES[2]), files[2]);
    store.end_pauses(7);
    let is_chosen = || store.servers().chosen.as_deref() == Some("box");
    store.change_servers(7, |servers| servers.chosen = Some("box".to_owned()));
    life.is_chosen = is_chosen();
    life.is_kept = sign_in(&store, 8) && is_chosen();
    let is_gone = store.remove_all().is_ok();
    life.is_signed_out = is_gone && super::FILES.iter().all(|name| !folder.join(name).exists());
    life
}

/// Completes a sign-in; whether it is the stored one, and its PIN waits no more.
fn sign_in(store: &Store, pin_id: u64) -> bool {
    let now = OffsetDateTime::UNIX_EPOCH;
    let (device_id, user_code) = ("own".to_owned(), "ABCD".to_owned());
    let pending = SignInFile { device_id: device_id.clone(), pin_id, user_code, expires_at: now };
    let account = AccountFile {
        device_id,
        plex_tv: "https://plex.tv".to_owned(),
        token: Secret::new("a-token-of-the-account"),
        account: None,
        pin_id,
        signed_in_at: now,
    };
    let done = store.save_pending(&pending).and_then(|()| store.complete(&account));
    let is_stored = store.look(Torn::Warned).is_ok_and(|(stored, pending)| {
        pending.is_none() && stored.is_some_and(|stored| stored.pin_id == pin_id)
    });
    done.is_ok() && is_stored
}
