//! What is asked of the system, and what is made of its answers.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use plexsync_protocol::identity::{Origin, ResetParams};

use super::{COPY, Folder, MAIN, expecting, file, unavailable};
use crate::identity::disk::{make_folder, parent, sync_folder};
use crate::identity::file::advice;
use crate::identity::lock::{Lock, NoLock};

#[test]
fn an_error_with_a_cure_tells_it() {
    for (kind, cure) in [
        (ErrorKind::PermissionDenied, "access to it"),
        (ErrorKind::ReadOnlyFilesystem, "choose a data folder"),
        (ErrorKind::StorageFull, "make room"),
        (ErrorKind::QuotaExceeded, "make room"),
        (ErrorKind::ResourceBusy, "mount its folder"),
    ] {
        let error = io::Error::from(kind);
        let text = advice(&error);
        assert!(text.starts_with(&error.to_string()) && text.contains(cure), "{text}");
    }
    assert_eq!(advice(&io::Error::other("nobody knows")), "nobody knows");
}

#[test]
fn a_bare_name_is_in_the_working_folder() {
    assert_eq!(parent(Path::new("name")), Path::new("."));
    assert_eq!(parent(Path::new("a/name")), Path::new("a"));
    assert_eq!(parent(Path::new("/")), Path::new("."));
}

#[test]
fn a_folder_is_made_with_its_parents_or_left_as_it_is() {
    let folder = Folder::empty();
    let deep = folder.path("a/b/c");
    for _ in 0..2 {
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
    }
}

/// `/proc` answers an `fsync` as some network file systems do: it knows no such thing.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_is_brought_to_the_disk_where_that_can_be_done() {
    sync_folder(Path::new("/proc")).unwrap();
    let folder = Folder::empty();
    sync_folder(&folder.path("")).unwrap();
    let missing = sync_folder(&folder.path("missing")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

fn lock_of(folder: &Folder) -> Lock {
    Lock::take(&folder.path(""), Duration::ZERO, &AtomicBool::new(false)).unwrap()
}

#[test]
fn a_lock_knows_whether_it_is_held() {
    let folder = Folder::empty();
    let held = lock_of(&folder);
    assert!(held.is_held());
    let busy = Lock::take(&folder.path(""), Duration::ZERO, &AtomicBool::new(false));
    assert_eq!(busy.unwrap_err(), NoLock::Busy);
    drop(held);
    assert!(lock_of(&folder).is_held());
}

/// A symlink is not followed, a FIFO not waited for: it is as if there were no locks.
#[cfg(unix)]
#[test]
fn what_stands_in_the_lock_s_place_is_left_alone() {
    let in_its_place: [fn(&Path); 3] = [
        |path| fs::create_dir(path).unwrap(),
        |path| std::os::unix::fs::symlink("elsewhere", path).unwrap(),
        |path| {
            let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
        },
    ];
    for make in in_its_place {
        let folder = Folder::empty();
        make(&folder.path("device_id.json.lock"));
        assert!(!lock_of(&folder).is_held());
        let made = folder.get().unwrap();
        assert_eq!(made.origin, Origin::Created);
        assert!(!folder.path("elsewhere").exists());
        let (path, reason) =
            unavailable(folder.keeper().reset(&expecting(&made.device_id)).unwrap_err());
        assert_eq!(path, folder.path("device_id.json.lock"));
        assert!(reason.contains("needs a lock"), "{reason}");
        assert_eq!(
            folder.keeper().reset(&ResetParams::default()).unwrap().previous,
            Some(made.device_id.clone())
        );
    }
}

#[cfg(unix)]
#[test]
fn a_recovery_writes_the_file_and_leaves_its_source_alone() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::with(&[(COPY, &file("a"))]);
    let inode = |name| fs::metadata(folder.path(name)).unwrap().ino();
    let before = inode(COPY);
    assert_eq!(folder.get().unwrap().origin, Origin::Recovered);
    assert_eq!((inode(COPY), folder.read(MAIN)), (before, file("a")));
}
