//! Batches: replies of members are collected until all members are done.

use std::collections::HashMap;

use super::envelope;
use crate::json_text::JsonText;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A message of its own.
    Single,
    /// A member of a batch.
    Member { batch: u64, index: usize },
}

/// The batches that are not answered yet.
#[derive(Default)]
pub(super) struct Batches {
    open: HashMap<u64, Batch>,
    count: u64,
}

struct Batch {
    replies: Vec<Option<JsonText>>,
    unfinished: usize,
    /// Whether its slow members were accepted; decided at the first of them.
    admitted: Option<bool>,
}

impl Batches {
    /// A new batch. It stays open until each of its members, and then the batch itself, was [`close`](Self::close)d.
    pub(super) fn open(&mut self, members: usize) -> u64 {
        self.count += 1;
        let replies = (0..members).map(|_| None).collect();
        let batch = Batch { replies, unfinished: members + 1, admitted: None };
        self.open.insert(self.count, batch);
        self.count
    }

    /// Whether slow members of this batch are accepted: all of them, or none.
    pub(super) fn admits(&mut self, number: u64, has_room: impl FnOnce() -> bool) -> bool {
        let batch = self.open.get_mut(&number);
        batch.is_none_or(|batch| *batch.admitted.get_or_insert_with(has_room))
    }

    /// Takes a member's reply, if it has one. Returns the batch's reply after the last one.
    pub(super) fn close(
        &mut self,
        number: u64,
        reply: Option<(usize, JsonText)>,
    ) -> Option<JsonText> {
        let batch = self.open.get_mut(&number)?;
        if let Some((index, reply)) = reply {
            batch.replies[index] = Some(reply);
        }
        batch.unfinished -= 1;
        if batch.unfinished > 0 {
            return None;
        }
        let replies = self.open.remove(&number)?.replies;
        envelope::batch_reply(replies.into_iter().flatten().collect())
    }
}
