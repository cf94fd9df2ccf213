//! What is asked of the system, and what becomes of its answer: single calls, where no campaign tells one from another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
    for (error, code) in [("EIO", Some(-32001)), ("EINVAL", None), ("EOPNOTSUPP", None)] {
        let data = folder();
        let told = first_run(data.path(), data.path(), &format!("fsync:error={error}"));
        assert_eq!(told.code(1), code, "{error}: {told:?}");
    }
}

/// The broken bytes are kept, then the backup is written: that one lasts, or nothing is told.
#[test]
fn a_second_copy_that_may_not_be_on_the_disk_is_no_identity() {
    if no_strace() {
        return;
    }
    let data = folder();
    fs::write(main_file(data.path()), "{").unwrap();
    fs::write(backup(data.path()), "{").unwrap();
    let told = first_run(data.path(), data.path(), "fsync:error=EIO:when=2+");
    assert_eq!(told.code(1), Some(-32001), "{told:?}");
}

/// The name is not there for `open`; whether it is a link to nowhere can't be told.
#[test]
fn what_may_be_there_is_not_missing() {
    if no_strace() {
        return;
    }
    let data = folder();
    let told = first_run(data.path(), &main_file(data.path()), "statx:error=EIO");
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
