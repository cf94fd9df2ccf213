//! The identity on disk.

use std::path::Path;
use std::sync::Arc;

use plexsync_protocol::doctor::Check;
use plexsync_protocol::identity::{Identity, IdentityHeaders, Origin};

use super::{MakeIdentity, failure, ok, warning};
use crate::files::{self, Exposure, Problem};
use crate::identity::{Finding, LockState, Report, inspect};

/// The device that Plex is asked as.
pub(super) type Device = Arc<Identity>;

const NAME: &str = "identity";

/// What is in the folder. Nothing is changed.
pub(super) struct Found(Report);

impl Found {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(inspect(folder))
    }

    /// The id that a start would use.
    pub(super) fn device_id(&self) -> Option<&str> {
        match &self.0.main.1 {
            Finding::Unreadable(_) => None,
            main => main.id().or_else(|| self.0.backup.1.id()),
        }
    }

    /// There is neither file nor backup.
    pub(super) fn is_new(&self) -> bool {
        matches!((&self.0.main.1, &self.0.backup.1), (Finding::Missing, Finding::Missing))
    }
}

/// Checks what is in the folder; returns the device that a start would be, made with `make` if there is none yet.
pub(super) fn check(
    found: &Found,
    version: &'static str,
    writable: bool,
    make: Option<&MakeIdentity>,
    checks: &mut Vec<Check>,
) -> Option<Device> {
    let report = &found.0;
    checks.extend(exposed(report));
    if let (true, Some(make)) = (found.is_new(), make) {
        return made(report, make, checks);
    }
    checks.push(main_file(report));
    checks.extend(backup(report, writable));
    checks.extend(leftovers(report));
    checks.extend(lock(report));
    let id = found.device_id()?.to_owned();
    let headers = IdentityHeaders::new(&id, version);
    let path = report.main.0.display().to_string();
    Some(Arc::new(Identity::new(id, Origin::Loaded, path, headers, None)))
}

fn made(report: &Report, make: &MakeIdentity, checks: &mut Vec<Check>) -> Option<Device> {
    match make() {
        Ok(identity) => {
            let (id, path) = (&identity.device_id, &identity.path);
            checks.push(ok(
                NAME,
                format!("`{id}` was created in `{path}`: Plex shows a new device once"),
            ));
            Some(identity)
        }
        Err(reason) => {
            let message =
                format!("none could be created in `{}`: {reason}", report.main.0.display());
            checks.push(failure(NAME, message, "without an identity no request is sent"));
            None
        }
    }
}

fn main_file(report: &Report) -> Check {
    let file = report.main.0.display();
    match (&report.main.1, &report.backup.1) {
        (Finding::Good(id), _) => {
            ok(NAME, format!("`{id}`, loaded from `{file}`{}", read_by_others(&report.main.0)))
        }
        (Finding::Damaged(Some(id)), _) => warning(
            NAME,
            format!("`{id}`, read from `{file}`, which is damaged"),
            "Plex sees the same device; to write the file anew, adopt this id: `plexsync-worker identity adopt ID`",
        ),
        (Finding::Unreadable(problem), _) => unusable(&format!("`{file}`"), problem),
        (_, backup) if backup.id().is_some() => warning(
            NAME,
            format!(
                "`{file}` is lost or damaged; its backup holds `{}`",
                backup.id().unwrap_or_default()
            ),
            "nothing to do: the next use recovers the id, and Plex sees the same device",
        ),
        (_, Finding::Unreadable(problem)) => unusable(
            &format!("the backup `{}`, which is needed", report.backup.0.display()),
            problem,
        ),
        (Finding::Missing, _) => warning(
            NAME,
            format!("none yet in `{file}`"),
            "the first use creates one if the folder can be written; Plex shows a new device once",
        ),
        (Finding::Damaged(None), _) => failure(
            NAME,
            format!("`{file}` is damaged, and there is no backup to recover the id from"),
            "put an older version of the file back, else the next use creates a new device",
        ),
    }
}

fn unusable(file: &str, problem: &Problem) -> Check {
    let hint = format!("{}; until then no request is sent", problem.hint);
    failure(NAME, format!("{file}: {}", problem.reason), hint)
}

/// Only if the main file is used: else the identity's check reports the backup.
fn backup(report: &Report, writable: bool) -> Option<Check> {
    const NAME: &str = "backup";
    let (Finding::Good(main) | Finding::Damaged(Some(main))) = &report.main.1 else { return None };
    let file = report.backup.0.display();
    let next_use = match writable {
        true => "nothing to do: the next use writes it",
        false => "the next use writes it where the folder can be written: see `data_folder` above",
    };
    Some(match &report.backup.1 {
        _ if report.backed_up => ok(NAME, format!("`{file}` matches the main file")),
        Finding::Missing => warning(NAME, format!("there is no `{file}`"), next_use),
        Finding::Good(id) if id != main => warning(
            NAME,
            format!("`{file}` holds another id, `{id}`; the main file is used"),
            "if Plex knows this device by the other id, adopt that one: `plexsync-worker identity adopt ID`; else nothing \
             is to do: the next use writes the backup",
        ),
        Finding::Good(_) | Finding::Damaged(_) => {
            warning(NAME, format!("`{file}` differs from the main file"), next_use)
        }
        Finding::Unreadable(problem) => {
            warning(NAME, format!("`{file}`: {}", problem.reason), problem.hint)
        }
    })
}

/// Files and folders of the identity that other users can change.
fn exposed(report: &Report) -> impl Iterator<Item = Check> {
    report.exposed.iter().map(|exposed| {
        let others = match exposed.to {
            Exposure::Owner(user) => format!("belongs to another user (uid `{user}`)"),
            Exposure::Mode(mode) => format!("can be written by other users (mode `{mode:03o}`)"),
        };
        warning(
            "access",
            format!("`{}` {others}, who can change the identity", exposed.path.display()),
            "unless another program needs it, let the user that this process runs as own it (`chown`), and let only that \
             user write it (`chmod go-w`)",
        )
    })
}

/// Whether others can read the file, as the end of a message. An id is not a secret: this is not a warning.
fn read_by_others(file: &Path) -> String {
    match files::mode(&std::fs::metadata(file)).map(|mode| mode & 0o777) {
        Some(mode) if mode & 0o044 != 0 => format!("; others can read it (mode `{mode:03o}`)"),
        _ => String::new(),
    }
}

fn leftovers(report: &Report) -> Option<Check> {
    const NAME: &str = "leftovers";
    let folder = report.main.0.parent().unwrap_or(Path::new("")).display();
    let names = |names: &[String]| format!("`{}` in `{folder}`", names.join("`, `"));
    match (report.broken.as_slice(), report.temporary.as_slice()) {
        ([], []) => None,
        ([], temporary) => {
            Some(ok(NAME, format!("{}: the next writer removes them", names(temporary))))
        }
        (broken, _) => Some(warning(
            NAME,
            format!(
                "{}: the identity's file was damaged once, and these copies were kept",
                names(broken)
            ),
            "remove them when you no longer need them",
        )),
    }
}

/// Only that it is held: if it can't be opened, the folder's check says why.
fn lock(report: &Report) -> Option<Check> {
    let file = report.lock.0.display();
    (report.lock.1 == LockState::Held).then(|| {
        warning(
            "lock",
            format!("`{file}` is held: another process creates, recovers or resets the identity"),
            "run this again; if it stays held, end the process that hangs",
        )
    })
}
