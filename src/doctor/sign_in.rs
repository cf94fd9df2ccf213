//! The files of a sign-in: who else can read them.

use std::path::Path;

use plexsync_protocol::doctor::Check;

use super::warning;
use crate::account;

/// One finding for each file that is not its owner's alone.
#[cfg(unix)]
pub(super) fn check(folder: &Path) -> impl Iterator<Item = Check> {
    use std::os::unix::fs::PermissionsExt;
    account::FILES.into_iter().filter_map(move |name| {
        let file = folder.join(name);
        let mode = std::fs::symlink_metadata(&file).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| {
            let message = format!(
                "`{}` holds a credential, and others have access to it (mode `{mode:03o}`)",
                file.display()
            );
            warning("sign_in", message, "`chmod 600` it; the next write does so, too")
        })
    })
}

#[cfg(not(unix))]
pub(super) fn check(_: &Path) -> impl Iterator<Item = Check> {
    let _no_modes = (account::FILES, warning);
    std::iter::empty()
}
