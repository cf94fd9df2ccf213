//! What became of a sign-in that was not completed.

use serde::{Deserialize, Serialize};

/// Data of [`Code::SignInIncomplete`](crate::error::Code::SignInIncomplete).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SignInIncomplete {
    /// What became of the sign-in.
    pub reason: SignInState,
}

/// What became of a sign-in that was not completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignInState {
    /// None was begun.
    None,
    /// Its code was not entered in time.
    Expired,
    /// plex.tv refused it.
    Refused,
}
