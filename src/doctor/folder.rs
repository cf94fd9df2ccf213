//! The data folder: its source, access, file system; then the identity in it.

use std::path::{Path, PathBuf};

use plexsync_protocol::doctor::Check;

use super::identity::{self, Device};
use super::{Subject, failure, ok, warning};
use crate::files;
use crate::target::Given;

const NAME: &str = "data_folder";

/// Checks the folder and the identity in it; returns the device that Plex can be asked as. A first identity is made
/// where that is allowed and there is a server to ask.
pub(super) fn check(
    subject: &Subject,
    has_server: bool,
    checks: &mut Vec<Check>,
) -> Option<Device> {
    let elsewhere = subject.hint(
        "let the user that runs Stash own it (`chown`)",
        "let the user that this process runs as own it (`chown`), or choose another one with `--data-dir` or \
         `PLEXSYNC_DATA_DIR`",
    );
    let Some(folder) = &subject.folder else {
        let hint = subject.hint(
            "set `PLEXSYNC_DATA_DIR` in Stash's environment: Stash did not send the plugin's folder",
            "give `--data-dir DIR` or `PLEXSYNC_DATA_DIR`",
        );
        checks.push(failure(NAME, "no data folder is known", hint));
        return None;
    };
    let found = identity::Found::in_folder(&folder.value);
    checks.push(usable(folder, &found, elsewhere));
    if !existing(&folder.value).is_dir() {
        return None;
    }
    checks.extend(passing(existing(&folder.value)));
    let writable = files::may_write(existing(&folder.value));
    let make = subject.make_identity.as_ref().filter(|_| has_server && writable);
    identity::check(&found, subject.version, writable, make, checks)
}

fn usable(folder: &Given<PathBuf>, found: &identity::Found, elsewhere: &str) -> Check {
    let (path, by) = (&folder.value, folder.by);
    let shown = format!("`{}`, from `{by}`", path.display());
    let there = existing(path);
    if there.exists() && !there.is_dir() {
        let hint = "move away the file in its place";
        return failure(NAME, format!("{shown}: `{}` is not a folder", there.display()), hint);
    }
    match (there == path, files::may_list(there), files::may_write(there)) {
        (true, true, true) => ok(NAME, format!("{shown}: can be read and written")),
        (true, false, _) => failure(NAME, format!("{shown}: can't be read"), elsewhere),
        (true, true, false) if found.device_id().is_some() => warning(
            NAME,
            format!("{shown}: can't be written; the identity can be used, but not reset"),
            elsewhere,
        ),
        (true, true, false) if found.is_new() => failure(
            NAME,
            format!("{shown}: can't be written, and there is no identity yet"),
            elsewhere,
        ),
        (true, true, false) => failure(NAME, format!("{shown}: can't be written"), elsewhere),
        (false, _, true) => {
            ok(NAME, format!("{shown}: does not exist yet; the first use creates it"))
        }
        (false, _, false) => failure(
            NAME,
            format!("{shown}: does not exist, and can't be created in `{}`", there.display()),
            elsewhere,
        ),
    }
}

/// The folder, or the nearest one above it that exists.
fn existing(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|path| std::fs::symlink_metadata(path).is_ok())
        .unwrap_or(Path::new("/"))
}

/// A folder whose content is lost with the container or at the next boot.
fn passing(folder: &Path) -> Option<Check> {
    let kind = files::lies_in_memory(folder)?;
    Some(warning(
        "filesystem",
        format!("`{kind}`: the identity is lost with the container or at the next boot"),
        "choose a folder on a disk; in a container, one on a volume",
    ))
}
