//! The files of a sign-in: who else can read them.

use std::path::Path;

use plexsync_protocol::doctor::Check;

use super::warning;
use crate::account;
use crate::files;

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
fn wide(file: &Path) -> Option<u32> {
    let mode = files::mode(&std::fs::symlink_metadata(file))? & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}
