//! Folders that were made are on the disk before the answer. On journaling file systems no power cut shows whether
//! they are, so it is the system calls that are looked at.

use std::fs;

use crate::rig::{GET, ask_behind, folder, have};

#[test]
fn a_new_folder_is_brought_to_the_disk_in_its_parent() {
    if !have(&["strace"]) {
        return println!("skipped: there is no strace");
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
