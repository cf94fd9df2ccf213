//! The one place that decides what becomes of what is on disk.

use std::time::Duration;

use super::format::{State, object_in, render};
use crate::files::Problem;

/// The file and its backup, looked at one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// The identity's file.
    pub(super) main: State,
    /// Its backup.
    pub(super) backup: State,
    /// Whether the name of the file is a symbolic link.
    pub(super) linked: bool,
}

/// What to do about a [`View`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// The file holds the identity.
    Keep(Kept),
    /// The backup holds it: write it back.
    Restore {
        /// The id.
        id: String,
        /// The file that is to hold it.
        bytes: Vec<u8>,
    },
    /// Neither is there: create an identity.
    Create,
    /// The file is damaged beyond help: create an identity in its place.
    Regenerate,
    /// It is unknown what is on disk: change nothing.
    Refuse {
        /// Which of the two is in the way.
        which: Which,
        /// Why.
        problem: Problem,
    },
}

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Main,
    Backup,
}

/// The identity in the file, and how the backup relates to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The id.
    pub(super) id: String,
    /// Whether it was salvaged from a damaged file.
    pub(super) salvaged: bool,
    /// What the backup has to hold.
    pub(super) bytes: Vec<u8>,
    /// Whether it does.
    pub(super) backed_up: bool,
    /// The id in the backup, if it is another one.
    pub(super) other: Option<String>,
}

impl View {
    /// Whether another process may be in the middle of writing: the Python plugin truncates in
    /// place, and `cp` does, too.
    pub(super) fn unsettled(&self) -> bool {
        let half_written = matches!(
            (&self.main, &self.backup),
            (State::Torn { .. }, _) | (State::Absent, State::Torn { .. })
        );
        half_written || self.passes_within().is_some()
    }

    /// How long the one of both that counts may be as it is, where it comes and goes.
    pub(super) fn passes_within(&self) -> Option<Duration> {
        match (&self.main, &self.backup) {
            (State::Passing { within, .. }, _) | (State::Absent, State::Passing { within, .. }) => {
                Some(*within)
            }
            _ => None,
        }
    }

    /// The table. A new identity comes only from certainty: both files missing, or damage that was read.
    pub(super) fn decide(&self) -> Decision {
        use State::{Absent, Passing, Torn, Unreadable, Valid};
        let refuse = |which, problem| Decision::Refuse { which, problem };
        match (&self.main, &self.backup) {
            (Unreadable(problem) | Passing { problem, .. }, _) => {
                refuse(Which::Main, problem.clone())
            }
            (Valid { id, raw }, backup) => {
                Decision::Keep(Kept::new(id, false, object_in(raw).to_vec(), backup))
            }
            (Torn { salvaged: Some(id), .. }, backup) => {
                Decision::Keep(Kept::new(id, true, render(id), backup))
            }
            (Absent | Torn { .. }, Unreadable(problem) | Passing { problem, .. }) => {
                refuse(Which::Backup, problem.clone())
            }
            (Absent | Torn { .. }, Valid { id, raw }) => {
                Decision::Restore { id: id.clone(), bytes: object_in(raw).to_vec() }
            }
            (Absent | Torn { .. }, Torn { salvaged: Some(id), .. }) => {
                Decision::Restore { id: id.clone(), bytes: render(id) }
            }
            (Absent, Absent | Torn { .. }) => Decision::Create,
            (Torn { .. }, _) if self.linked => refuse(Which::Main, link_without_id()),
            (Torn { .. }, Absent | Torn { .. }) => Decision::Regenerate,
        }
    }
}

/// Whoever can make a link must not choose which file of ours is overwritten.
pub(super) fn link_without_id() -> Problem {
    Problem::new(
        "it is a link to a file that holds no id, which is not overwritten",
        "put the identity's file back where the link leads, or remove the link",
    )
}

impl Kept {
    fn new(id: &str, salvaged: bool, bytes: Vec<u8>, backup: &State) -> Self {
        let (backed_up, other) = match backup {
            State::Valid { id: other, raw } => {
                // A damaged file has nothing to offer but its id: the backup may well hold more.
                let same = if salvaged { other == id } else { object_in(raw) == bytes };
                (same, (other != id).then(|| other.clone()))
            }
            _ => (false, None),
        };
        Self { id: id.to_owned(), salvaged, bytes, backed_up, other }
    }
}

impl Decision {
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
        State::Unreadable(Problem::new("why", "what to do"))
    }

    fn passing() -> State {
        State::Passing { problem: Problem::new("why", "what to do"), within: Duration::ZERO }
    }

    fn states() -> [State; 7] {
        let (passing, damaged) = (passing(), torn(None));
        [State::Absent, valid("a"), valid("b"), damaged, torn(Some("a")), unreadable(), passing]
    }

    /// Every pair of states, a word for each outcome.
    const TABLE: [[&str; 7]; 7] = [
        ["create", "restore a", "restore b", "create", "restore a", "no backup", "no backup"],
        ["write a", "keep a", "write a, not b", "write a", "write a", "write a", "write a"],
        ["write b", "write b, not a", "keep b", "write b", "write b", "write b", "write b"],
        [
            "regenerate",
            "restore a",
            "restore b",
            "regenerate",
            "restore a",
            "no backup",
            "no backup",
        ],
        ["write a", "keep a", "write a, not b", "write a", "write a", "write a", "write a"],
        ["refuse"; 7],
        ["refuse"; 7],
    ];

    /// Behind a link nothing is made in the place of a file that holds no id; the rest is the same.
    #[test]
    fn every_pair_has_its_decision() {
        for linked in [false, true] {
            for (main, row) in states().iter().zip(TABLE) {
                for (backup, expected) in states().iter().zip(row) {
                    let view = View { main: main.clone(), backup: backup.clone(), linked };
                    let expected = if linked {
                        expected.replace("regenerate", "refuse")
                    } else {
                        expected.to_owned()
                    };
                    assert_eq!(word(&view.decide()), expected, "{view:?}");
                }
            }
        }
    }

    fn word(decision: &Decision) -> String {
        match decision {
            Decision::Keep(Kept { id, backed_up: true, .. }) => format!("keep {id}"),
            Decision::Keep(Kept { id, other: None, .. }) => format!("write {id}"),
            Decision::Keep(Kept { id, other: Some(other), .. }) => {
                format!("write {id}, not {other}")
            }
            Decision::Restore { id, .. } => format!("restore {id}"),
            Decision::Create => "create".to_owned(),
            Decision::Regenerate => "regenerate".to_owned(),
            Decision::Refuse { which: Which::Backup, .. } => "no backup".to_owned(),
            Decision::Refuse { which: Which::Main, .. } => "refuse".to_owned(),
        }
    }

    #[test]
    fn only_what_may_be_half_written_is_waited_for() {
        let pairs = [
            (torn(None), valid("a"), true),
            (torn(Some("a")), State::Absent, true),
            (State::Absent, torn(None), true),
            (passing(), valid("a"), true),
            (State::Absent, passing(), true),
            (valid("a"), passing(), false),
            (State::Absent, State::Absent, false),
            (State::Absent, valid("a"), false),
            (valid("a"), torn(None), false),
            (unreadable(), torn(None), false),
        ];
        for (main, backup, expected) in pairs {
            let view = View { main, backup, linked: false };
            assert_eq!(view.unsettled(), expected, "{view:?}");
        }
    }
}
