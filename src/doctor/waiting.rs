//! What waits until Plex can be asked to scan it.

use plexsync_protocol::doctor::Check;

use super::{Subject, ok, warning};
use crate::scans::{Outbox, Summary, rfc3339};

const NAME: &str = "waiting_scans";

/// How many folders wait, since when, and why the first of them does.
pub(super) fn check(subject: &Subject, checks: &mut Vec<Check>) {
    let Some(folder) = &subject.folder else { return };
    checks.push(match Outbox::new(&folder.value).summary() {
        Ok(Summary { waiting, oldest: Some((since, reason)), .. }) => {
            let what = if waiting == 1 { "1 folder waits" } else { &format!("{waiting} folders wait") };
            let message = format!("{what} to be scanned, since {}: {reason}", rfc3339(since));
            let hint = "fix what the other checks say; each later call in Stash sends them, the task *Scan Plex library* \
                 all at once";
            warning(NAME, message, hint)
        }
        Ok(Summary { oldest: None, .. }) => ok(NAME, "no folder waits to be scanned"),
        // Reported already.
        Err(_) if !folder.value.is_dir() => return,
        Err(problem) => warning(NAME, problem.reason, problem.hint),
    });
}
