//! What is asked of the system, and what becomes of its answer: single calls, where no campaign tells one from another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::answer::NOBODY;
use crate::rig::{GET, Told, ask_behind, backup, folder, have, id_of, is_root, main_file};

/// A first run of a worker, one of whose system calls on `path` is tampered with.
fn first_run(data: &Path, path: &Path, inject: &str) -> Told {
    let name = inject.split(':').next().unwrap();
    let (trace, inject) = (format!("trace={name}"), format!("inject={inject}"));
    let path = path.to_str().unwrap();
    let strace = ["strace", "-f", "-o", "/dev/null", "-P", path, "-e", &trace, "-e", &inject];
    ask_behind(&strace, data, &[GET])
}

fn no_strace() -> bool {
    !have(&["strace"])
}

/// On journaling file systems no power cut shows whether they are.
#[test]
fn new_folders_are_brought_to_the_disk_in_their_parents() {
    if no_strace() {
        return;
    }
    let (root, trace) = (folder(), folder());
    let log = trace.path().join("trace");
    let data = root.path().join("a/b/data");
    let strace = ["strace", "-f", "-y", "-o", log.to_str().unwrap(), "-e", "trace=fsync"];
    assert!(ask_behind(&strace, &data, &[GET]).id(1).is_some());
    let calls = fs::read_to_string(&log).unwrap();
    for parent in data.ancestors().take(4) {
        let synced = format!("<{}>)", parent.display());
        assert!(calls.contains(&synced), "`{}` is not synced:\n{calls}", parent.display());
    }
}

#[test]
fn a_name_that_may_not_be_on_the_disk_is_not_told() {
    if no_strace() {
        return;
    }
    let data = folder();
    let told = first_run(data.path(), data.path(), "fsync:error=EIO");
    assert_eq!(told.code(1), Some(-32001), "{told:?}");
}

/// Shares answer an `fsync` of a folder with errors of all kinds; the user is warned, and once.
#[test]
fn a_folder_that_knows_no_fsync_is_a_warning_once() {
    if no_strace() {
        return;
    }
    let unknown = [
        "EINVAL",
        "EOPNOTSUPP",
        "ENOSYS",
        "ENOTTY",
        "EBADF",
        "ENOENT",
        "EISDIR",
        "EACCES",
        "EPERM",
    ];
    for error in unknown {
        let data = folder();
        let told = first_run(data.path(), data.path(), &format!("fsync:error={error}"));
        assert!(told.id(1).is_some(), "{error}: {told:?}");
        assert_eq!(told.stderr.matches("power cut").count(), 1, "{error}: {told:?}");
    }
}

/// Nobody could load it again, its owner included.
#[test]
fn a_umask_that_takes_every_right_leaves_the_owner_the_file() {
    if !is_root() || !have(&["setpriv", "sh"]) {
        return;
    }
    let data = folder();
    fs::set_permissions(data.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let umask = ["sh", "-c", "umask 0777; exec \"$@\"", "sh"];
    let prefix = [&umask, &NOBODY[..]].concat();
    let made = ask_behind(&prefix, data.path(), &[GET]);
    let again = ask_behind(&prefix, data.path(), &[GET]);
    assert!(made.id(1).is_some(), "{made:?}");
    assert_eq!(again.id(1), made.id(1), "{again:?}");
    assert!(again.replies[0]["result"]["warning"].is_null(), "{again:?}");
}

/// The broken bytes are kept, then the backup is written: that one lasts, or nothing is told.
#[test]
fn a_backup_that_may_not_be_on_the_disk_is_no_identity() {
    if no_strace() {
        return;
    }
    let data = folder();
    fs::write(main_file(data.path()), "{").unwrap();
    fs::write(backup(data.path()), "{").unwrap();
    let told = first_run(data.path(), data.path(), "fsync:error=EIO:when=2+");
    assert_eq!(told.code(1), Some(-32001), "{told:?}");
}

/// The name is not there for `open`; whether it is a link to nowhere can't be told. musl asks with `lstat`.
#[test]
fn what_may_be_there_is_not_missing() {
    if no_strace() {
        return;
    }
    let data = folder();
    let told = first_run(data.path(), &main_file(data.path()), "/^(statx|lstat)$:error=EIO");
    assert_eq!(told.code(1), Some(-32001), "{told:?}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_can_not_be_listed_will_do() {
    if !is_root() || !have(&["setpriv"]) {
        return;
    }
    let root = folder();
    let data = root.path().join("data");
    fs::create_dir(&data).unwrap();
    for (path, mode) in [(root.path(), 0o755), (&data, 0o333)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let told = ask_behind(&nobody, &data, &[GET]);
    assert_eq!(told.id(1), Some(id_of(&data)), "{told:?}");
}
