//! The files of a sign-in: who else can read them.

use std::path::Path;

use plexsync_protocol::doctor::Check;

use super::warning;
use crate::account;

/// One finding for each file that is not its owner's alone.
pub(super) fn check(folder: &Path) -> impl Iterator<Item = Check> {
    account::FILES.into_iter().filter_map(move |name| {
        let file = folder.join(name);
        let mode = wide(&file)?;
        let message = format!(
            "`{}` holds a credential, and others have access to it (mode `{mode:03o}`)",
            file.display()
        );
        Some(warning("sign_in", message, "`chmod 600` it; the next write does so, too"))
    })
}

/// The mode of a file that others have access to.
#[cfg(unix)]
fn wide(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::symlink_metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn wide(_: &Path) -> Option<u32> {
    None
}
