//! The one place that decides what becomes of what is on disk.

use super::file::{State, render};

/// The file and its second copy, looked at one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// The identity's file.
    pub(super) main: State,
    /// Its second copy.
    pub(super) copy: State,
}

/// What to do about a [`View`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The file holds the identity.
    Keep(Kept),
    /// The second copy holds it: write it back.
    Restore {
        /// The id.
        id: String,
        /// The file that is to hold it.
        bytes: Vec<u8>,
    },
    /// Nobody has lived here: make an identity.
    Create,
    /// The file is damaged beyond help: make an identity in its place.
    Regenerate,
    /// Nobody knows what is on disk: touch nothing.
    Refuse {
        /// Whether it is the second copy that can't be read.
        copy: bool,
        /// Why.
        reason: String,
    },
}

/// The identity in the file, and how the second copy relates to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The id.
    pub(super) id: String,
    /// Whether it was made out in a damaged file.
    pub(super) salvaged: bool,
    /// What the second copy has to hold.
    pub(super) bytes: Vec<u8>,
    /// Whether it does.
    pub(super) in_step: bool,
    /// The id in the second copy, if it is another one.
    pub(super) other: Option<String>,
}

impl View {
    /// Whether somebody may be in the middle of writing what would be decided on: the Python plugin truncates in
    /// place, and `cp` does, too.
    pub(super) fn unsettled(&self) -> bool {
        match (&self.main, &self.copy) {
            (State::Torn { .. }, _) => true,
            (State::Absent, copy) => matches!(copy, State::Torn { .. }),
            _ => false,
        }
    }

    /// The table. A new identity comes only from certainty: both names gone, or damage that was seen.
    pub(super) fn step(&self) -> Step {
        use State::{Absent, Torn, Unreadable, Valid};
        match (&self.main, &self.copy) {
            (Unreadable(reason), _) => Step::Refuse { copy: false, reason: reason.clone() },
            (Valid { id, raw }, copy) => Step::Keep(Kept::new(id, false, raw.clone(), copy)),
            (Torn { salvaged: Some(id), .. }, copy) => {
                Step::Keep(Kept::new(id, true, render(id), copy))
            }
            (Absent | Torn { .. }, Unreadable(reason)) => {
                Step::Refuse { copy: true, reason: reason.clone() }
            }
            (Absent | Torn { .. }, Valid { id, raw }) => {
                Step::Restore { id: id.clone(), bytes: raw.clone() }
            }
            (Absent | Torn { .. }, Torn { salvaged: Some(id), .. }) => {
                Step::Restore { id: id.clone(), bytes: render(id) }
            }
            (Absent, Absent | Torn { .. }) => Step::Create,
            (Torn { .. }, Absent | Torn { .. }) => Step::Regenerate,
        }
    }
}

impl Kept {
    fn new(id: &str, salvaged: bool, bytes: Vec<u8>, copy: &State) -> Self {
        let (in_step, other) = match copy {
            State::Valid { id: other, raw } => {
                {
                    // A damaged file has nothing to tell but its id: the copy may well hold more.
                    let same = if salvaged { other == id } else { *raw == bytes };
                    (same, (other != id).then(|| other.clone()))
                }
            }
            _ => (false, None),
        };
        Self { id: id.to_owned(), salvaged, bytes, in_step, other }
    }
}

impl Step {
    /// The id that is on disk, if there is one.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Keep(Kept { id, .. }) | Self::Restore { id, .. } => Some(id),
            Self::Create | Self::Regenerate | Self::Refuse { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(id: &str) -> State {
        State::Valid { id: id.to_owned(), raw: render(id) }
    }

    fn torn(salvaged: Option<&str>) -> State {
        State::Torn { raw: b"{".to_vec(), salvaged: salvaged.map(str::to_owned) }
    }

    fn unreadable() -> State {
        State::Unreadable("why".to_owned())
    }

    /// Every pair of states, a word for each outcome.
    #[test]
    fn every_pair_has_its_step() {
        let states =
            [State::Absent, valid("a"), valid("b"), torn(None), torn(Some("a")), unreadable()];
        let table = [
            ["create", "restore a", "restore b", "create", "restore a", "refuse copy"],
            ["write a", "keep a", "write a, not b", "write a", "write a", "write a"],
            ["write b", "write b, not a", "keep b", "write b", "write b", "write b"],
            ["regenerate", "restore a", "restore b", "regenerate", "restore a", "refuse copy"],
            ["write a", "keep a", "write a, not b", "write a", "write a", "write a"],
            ["refuse", "refuse", "refuse", "refuse", "refuse", "refuse"],
        ];
        for (main, row) in states.iter().zip(table) {
            for (copy, expected) in states.iter().zip(row) {
                let view = View { main: main.clone(), copy: copy.clone() };
                assert_eq!(word(&view.step()), expected, "{view:?}");
            }
        }
    }

    fn word(step: &Step) -> String {
        match step {
            Step::Keep(Kept { id, in_step: true, .. }) => format!("keep {id}"),
            Step::Keep(Kept { id, other: None, .. }) => format!("write {id}"),
            Step::Keep(Kept { id, other: Some(other), .. }) => format!("write {id}, not {other}"),
            Step::Restore { id, .. } => format!("restore {id}"),
            Step::Create => "create".to_owned(),
            Step::Regenerate => "regenerate".to_owned(),
            Step::Refuse { copy: true, .. } => "refuse copy".to_owned(),
            Step::Refuse { .. } => "refuse".to_owned(),
        }
    }

    #[test]
    fn only_what_may_be_half_written_is_waited_for() {
        let pairs = [
            (torn(None), valid("a"), true),
            (torn(Some("a")), State::Absent, true),
            (State::Absent, torn(None), true),
            (State::Absent, State::Absent, false),
            (State::Absent, valid("a"), false),
            (valid("a"), torn(None), false),
            (unreadable(), torn(None), false),
        ];
        for (main, copy, expected) in pairs {
            let view = View { main, copy };
            assert_eq!(view.unsettled(), expected, "{view:?}");
        }
    }
}
