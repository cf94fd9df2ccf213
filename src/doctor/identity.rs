//! The identity as it lies on disk, looked at without touching it.

use std::path::Path;

use super::Check;
use crate::identity::{Finding, LockState, Report, inspect};

/// The id that a start would use, if there is one, and its file.
pub(super) struct OnDisk {
    pub(super) device_id: String,
    pub(super) path: String,
}

/// Tells what is in the folder.
pub(super) fn check(folder: &Path, checks: &mut Vec<Check>) -> Option<OnDisk> {
    let report = inspect(folder);
    let (first, device_id) = main_file(&report);
    checks.push(first);
    checks.extend(backup(&report));
    checks.extend(leftovers(&report));
    checks.extend(lock(&report));
    let path = report.main.0.display().to_string();
    device_id.map(|device_id| OnDisk { device_id, path })
}

fn main_file(report: &Report) -> (Check, Option<String>) {
    const NAME: &str = "identity";
    let file = report.main.0.display();
    match (&report.main.1, report.backup.1.id()) {
        (Finding::Good(id), _) => {
            (Check::ok(NAME, format!("`{id}`, loaded from `{file}`")), Some(id.clone()))
        }
        (Finding::Damaged(Some(id)), _) => {
            let cure = "`plexsync-worker identity adopt ID` with this id writes it anew";
            let message = format!("`{id}`, made out in `{file}`, which is damaged");
            (Check::warning(NAME, message, cure), Some(id.clone()))
        }
        (Finding::Unreadable(problem), _) => {
            let cure = format!("{}; until then no request is sent", problem.hint);
            (Check::failure(NAME, format!("`{file}`: {}", problem.reason), cure), None)
        }
        (Finding::Missing | Finding::Damaged(None), Some(id)) => {
            let message = format!("`{file}` is lost or damaged; its backup holds `{id}`");
            let cure = "nothing to do: the next use recovers the id, and Plex sees the same device";
            (Check::warning(NAME, message, cure), Some(id.to_owned()))
        }
        (Finding::Missing | Finding::Damaged(None), None)
            if let Finding::Unreadable(problem) = &report.backup.1 =>
        {
            let file = report.backup.0.display();
            let message = format!("`{file}`, which is needed: {}", problem.reason);
            let cure = format!("{}; until then no request is sent", problem.hint);
            (Check::failure(NAME, message, cure), None)
        }
        (Finding::Missing, None) => {
            let cure =
                "nothing to do: one is made at the first use, and Plex shows a new device once";
            (Check::warning(NAME, format!("there is none yet in `{file}`"), cure), None)
        }
        (Finding::Damaged(None), None) => {
            let message = format!("`{file}` is damaged, and no backup can help");
            let cure =
                "put an older version of the file back, else the next use makes a new device";
            (Check::failure(NAME, message, cure), None)
        }
    }
}

/// Only where the main file counts: else the check of the identity has told it.
fn backup(report: &Report) -> Option<Check> {
    const NAME: &str = "backup";
    let (Finding::Good(main) | Finding::Damaged(Some(main))) = &report.main.1 else { return None };
    let file = report.backup.0.display();
    let mended = "nothing to do: the next use writes it";
    Some(match &report.backup.1 {
        _ if report.backed_up => Check::ok(NAME, format!("`{file}` is as it should be")),
        Finding::Missing => Check::warning(NAME, format!("there is no `{file}`"), mended),
        Finding::Good(id) if id != main => Check::warning(
            NAME,
            format!("`{file}` holds another id, `{id}`; the main file counts"),
            "if Plex knows this device by the other id, `plexsync-worker identity adopt ID`; else the next use writes it",
        ),
        Finding::Good(_) | Finding::Damaged(_) => {
            Check::warning(NAME, format!("`{file}` is not what the main file is"), mended)
        }
        Finding::Unreadable(problem) => {
            Check::warning(NAME, format!("`{file}`: {}", problem.reason), problem.hint)
        }
    })
}

fn leftovers(report: &Report) -> Option<Check> {
    let names = |names: &[String]| format!("`{}`", names.join("`, `"));
    match (report.broken.as_slice(), report.temporary.as_slice()) {
        ([], []) => None,
        ([], temporary) => Some(Check::ok(
            "leftovers",
            format!("{}: the next writer removes them", names(temporary)),
        )),
        (broken, _) => Some(Check::warning(
            "leftovers",
            format!("{}: the identity's file was damaged once, and this was kept", names(broken)),
            "remove them when you need them no more",
        )),
    }
}

fn lock(report: &Report) -> Option<Check> {
    let file = report.lock.0.display();
    match &report.lock.1 {
        LockState::Missing | LockState::Free => None,
        LockState::Held => Some(Check::warning(
            "lock",
            format!("`{file}` is held: somebody makes, recovers or resets the identity just now"),
            "look again; if it stays so, end the process that hangs",
        )),
        LockState::Unusable(problem) => Some(Check::warning(
            "lock",
            format!("`{file}` can't be used: {}", problem.reason),
            "without it a reset with `if_device_id` is refused: put the file or the folder right",
        )),
    }
}
