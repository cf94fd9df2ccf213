//! A call, made as the documentation of the room tells real ones to make them.

use super::*;

/// A call in Stash, between two of its steps.
#[expect(clippy::large_enum_variant, reason = "there are few")]
pub(super) enum Call {
    Hook {
        folder: String,
        file: String,
    },
    Task,
    /// It has these to send; `asking` is on its way, to the sections that are left.
    Sends {
        hook: bool,
        more: bool,
        sweep: Sweep,
        queue: VecDeque<Ticket>,
        asking: Option<Asking>,
    },
}

impl Call {
    pub(super) fn is_asking(&self) -> bool {
        matches!(self, Self::Sends { asking: Some(_), .. })
    }

    pub(super) fn is_sent(&self) -> bool {
        matches!(self, Self::Sends { asking: Some(asking), .. } if asking.sections.is_empty())
    }
}

pub(super) struct Asking {
    pub(super) ticket: Ticket,
    pub(super) is_marked: bool,
    pub(super) sections: Vec<usize>,
    pub(super) taken: Vec<String>,
    pub(super) refused: Vec<(String, String)>,
}
