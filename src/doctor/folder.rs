//! The data folder: how it was found, what may be done in it, what it lies on.

use std::path::{Path, PathBuf};

use super::Check;
use crate::commands::Setting;

/// Tells the folder; returns it where one is known.
pub(super) fn check(
    setting: &Setting<'_>,
    of_stash: Option<PathBuf>,
    checks: &mut Vec<Check>,
) -> Option<PathBuf> {
    let by = match (&setting.options.data_dir, &of_stash) {
        (Some(given), _) => format!("from `{}`", given.by),
        (None, Some(_)) => "the plugin's own".to_owned(),
        (None, None) => "the platform's default (in Stash it is the plugin's `data/`)".to_owned(),
    };
    let Some(folder) = setting.data_folder(of_stash) else {
        let cure = "give `--data-dir DIR` or `PLEXSYNC_DATA_DIR`";
        checks.push(Check::failure("data_folder", "no data folder is known", cure));
        return None;
    };
    checks.push(usable(&folder, &by));
    #[cfg(target_os = "linux")]
    checks.extend(linux::filesystem(existing(&folder)));
    Some(folder)
}

fn usable(folder: &Path, by: &str) -> Check {
    let name = "data_folder";
    let shown = format!("`{}`, {by}", folder.display());
    let there = existing(folder);
    let owner = "let the user that runs this program own it (`chown`), or choose another folder";
    if there.exists() && !there.is_dir() {
        let cure = "move it away, or choose another folder with `--data-dir`";
        return Check::failure(name, format!("{shown}: `{}` is no folder", there.display()), cure);
    }
    match (there == folder, readable(there), writable(there)) {
        (true, true, true) => Check::ok(name, format!("{shown}: can be read and written")),
        (true, true, false) => Check::warning(name, format!("{shown}: can't be written"), owner),
        (true, false, _) => Check::failure(name, format!("{shown}: can't be read"), owner),
        (false, _, true) => Check::warning(
            name,
            format!("{shown}: is not there yet"),
            "nothing to do if this is the right one: it is made at the first use",
        ),
        (false, _, false) => Check::failure(
            name,
            format!("{shown}: is not there, and can't be made in `{}`", there.display()),
            owner,
        ),
    }
}

/// The folder, or the nearest one above it that is there.
fn existing(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|path| std::fs::symlink_metadata(path).is_ok())
        .unwrap_or(Path::new("/"))
}

#[cfg(unix)]
fn readable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::READ_OK | Access::EXEC_OK).is_ok()
}

#[cfg(unix)]
fn writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn readable(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok()
}

#[cfg(not(unix))]
fn writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|about| !about.permissions().readonly())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;

    use super::Check;

    /// Kinds of file systems by their magic numbers (statfs(2)), and whether what is on them goes away.
    const KINDS: &[(u32, &str, bool)] = &[
        (0xef53, "ext4", false),
        (0x9123_683e, "btrfs", false),
        (0x5846_5342, "xfs", false),
        (0x2fc1_2fc1, "zfs", false),
        (0xf2f5_2010, "f2fs", false),
        (0x6969, "nfs", false),
        (0xff53_4d42, "cifs", false),
        (0xfe53_4d42, "smb2", false),
        (0x6573_5546, "fuse", false),
        (0x0102_1997, "9p", false),
        (0x0102_1994, "tmpfs", true),
        (0x8584_58f6, "ramfs", true),
        (0x794c_7630, "overlayfs", true),
    ];

    pub(super) fn filesystem(folder: &Path) -> Option<Check> {
        let about = rustix::fs::statfs(folder).ok()?;
        // The numbers have 32 bits, whatever the width of the field is.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "only the low 32 bits tell the kind"
        )]
        let magic = about.f_type as u32;
        Some(match KINDS.iter().find(|(known, ..)| *known == magic) {
            None => Check::ok("filesystem", format!("of kind `{magic:#x}`")),
            Some((_, kind, false)) => Check::ok("filesystem", format!("`{kind}`")),
            Some((_, kind, true)) => Check::warning(
                "filesystem",
                format!("`{kind}`: the identity goes away with the container or at the next boot"),
                "choose a folder on a disk; in a container, one on a volume",
            ),
        })
    }
}
