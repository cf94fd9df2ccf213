//! `doctor.run`.

use serde::{Deserialize, Serialize};

/// Params of `doctor.run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DoctorParams {
    /// Create an identity if there is none yet, so that Plex can be asked; false writes nothing.
    #[serde(default = "yes")]
    pub create: bool,
}

fn yes() -> bool {
    true
}

impl Default for DoctorParams {
    fn default() -> Self {
        Self { create: true }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing to do.
    Ok,
    /// It works, but should be looked at.
    Warning,
    /// It does not work.
    Failure,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Check {
    /// What was checked: `data_folder`, `identity`, `plex_url`, `plex_server` ...
    pub name: String,
    /// How it ended.
    pub state: CheckState,
    /// What was found, for the user.
    pub message: String,
    /// What to do; always present with a warning and a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Check {
    /// A check in this state.
    pub fn new(name: &str, state: CheckState, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state, message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Result of `doctor.run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DoctorReport {
    /// The worst state of all checks.
    pub worst: CheckState,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl DoctorReport {
    /// A report of these checks.
    pub fn new(checks: Vec<Check>) -> Self {
        let worst = checks.iter().map(|check| check.state).max().unwrap_or(CheckState::Ok);
        Self { worst, checks }
    }
}
