//! What the account's three files hold. Members that are not known are read over.

use std::collections::BTreeMap;

use plexsync_protocol::sign_in::Account;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::secret::Secret;

/// `account.json`: a sign-in that was completed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountFile {
    /// The device that the token was made for; it is used with no other.
    pub device_id: String,
    /// The plex.tv that it was made at: [`super::PlexTv::url`].
    pub plex_tv: String,
    /// The account's token.
    #[serde(with = "in_a_file")]
    pub token: Secret,
    /// Whose it is; none until plex.tv was asked.
    pub account: Option<Account>,
    /// The PIN that it came of.
    pub pin_id: u64,
    /// When it was stored.
    #[serde(with = "rfc3339")]
    pub signed_in_at: OffsetDateTime,
}

/// `sign_in.json`: the PIN that waits to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInFile {
    /// The device that it was made for.
    pub device_id: String,
    /// Its number. Who knows it can fetch the token.
    pub pin_id: u64,
    /// The code that a user types.
    pub user_code: String,
    /// When it expires, by our clock.
    #[serde(with = "rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// `server.json`: a cache of the ways to the account's servers, and the user's choice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerFile {
    /// The device that the tokens were made for.
    pub device_id: String,
    /// The server that the user chose, by identifier.
    pub chosen: Option<String>,
    /// The only owned one, or the only one, by identifier.
    pub automatic: Option<String>,
    /// What is known, by identifier.
    pub servers: BTreeMap<String, StoredServer>,
}

/// What is known of one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredServer {
    /// The name that its owner gave it.
    pub name: String,
    /// The way to it that was found.
    pub uri: Option<String>,
    /// Its own access token.
    #[serde(with = "maybe_in_a_file", default)]
    pub token: Option<Secret>,
    /// When the way was found.
    #[serde(with = "rfc3339::option", default)]
    pub found_at: Option<OffsetDateTime>,
    /// When a search found none, or a 401 stayed.
    #[serde(with = "rfc3339::option", default)]
    pub failed_at: Option<OffsetDateTime>,
}

impl ServerFile {
    /// Forgets everything but the user's choice.
    pub fn forget_but_chosen(&mut self) {
        *self = Self { chosen: self.chosen.take(), ..Self::default() };
    }
}

/// Files in the data folder are the one place where a token is written.
mod in_a_file {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::secret::Secret;

    pub(super) fn serialize<S: Serializer>(token: &Secret, to: S) -> Result<S::Ok, S::Error> {
        token.expose().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

mod maybe_in_a_file {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::secret::Secret;

    pub(super) fn serialize<S: Serializer>(
        token: &Option<Secret>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        token.as_ref().map(Secret::expose).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Secret::new))
    }
}
