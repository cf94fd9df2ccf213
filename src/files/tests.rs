//! Written and read, on disks of all kinds.

#![cfg(unix)]

use std::cell::Cell;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::cleanup::temporary_name;
use super::folder::parent;
use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn replace_with(path: &Path, bytes: &[u8], still: impl Fn() -> bool) -> io::Result<Replaced> {
    replace(path, bytes, Access::AsBefore, still)
}

#[test]
fn an_error_has_a_hint() {
    for (kind, hint) in [
        (ErrorKind::PermissionDenied, "access to it"),
        (ErrorKind::ReadOnlyFilesystem, "mount it so that it can be written"),
        (ErrorKind::StorageFull, "make room"),
        (ErrorKind::QuotaExceeded, "make room"),
        (ErrorKind::ResourceBusy, "mount its folder"),
        (ErrorKind::Unsupported, "local disk"),
        (ErrorKind::Other, "check the disk"),
    ] {
        let error = io::Error::from(kind);
        let problem = Problem::from(&error);
        assert_eq!(problem.reason, error.to_string());
        assert!(problem.hint.contains(hint), "{problem:?}");
    }
}

#[test]
fn a_bare_name_is_in_the_working_folder() {
    assert_eq!(parent(Path::new("name")), Path::new("."));
    assert_eq!(parent(Path::new("a/name")), Path::new("a"));
    assert_eq!(parent(Path::new("/")), Path::new("."));
}

#[test]
fn a_folder_is_made_with_its_parents_or_left_as_it_is() {
    let folder = folder();
    let deep = folder.path().join("a/b/c");
    for _ in 0..2 {
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
    }
}

/// `/proc` answers an `fsync` as some network file systems do: it knows no such thing.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_is_brought_to_the_disk_where_that_can_be_done() {
    use super::folder::sync_folder;
    sync_folder(Path::new("/proc")).unwrap();
    sync_folder(folder().path()).unwrap();
}

#[test]
fn a_lock_is_held_by_one() {
    let folder = folder();
    let path = folder.path().join("lock");
    let take = || Lock::take(&path, Duration::ZERO, &AtomicBool::new(false));
    let held = take().unwrap();
    assert!(matches!(held, Lock::Held { .. }));
    assert_eq!(take().unwrap_err(), NoLock::Busy);
    drop(held);
    assert!(matches!(take().unwrap(), Lock::Held { .. }));
}

#[test]
fn a_name_is_given_once_and_what_is_no_name_is_an_error() {
    let folder = folder();
    let path = folder.path().join("file");
    assert_eq!(create(&path, b"first").unwrap(), Created::Done);
    assert_eq!(create(&path, b"second").unwrap(), Created::Taken);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    let too_long = folder.path().join("x".repeat(300));
    assert_eq!(create(&too_long, b"third").unwrap_err().kind(), ErrorKind::InvalidFilename);
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn every_way_makes_a_name_and_none_takes_one() {
    use rustix::io::Errno;
    let refused = |call| faults::Fault {
        call,
        errno: Errno::INVAL.raw_os_error(),
        done: false,
        times: usize::MAX,
    };
    let refused = [refused(Call::RenameNoReplace), refused(Call::Link)];
    for count in 0..3 {
        let folder = folder();
        let path = folder.path().join("file");
        faults::with(&refused[..count], || {
            assert_eq!(create(&path, b"first").unwrap(), Created::Done);
            assert_eq!(create(&path, b"second").unwrap(), Created::Taken);
        });
        assert_eq!(
            (fs::read(&path).unwrap(), names(&folder)),
            (b"first".to_vec(), vec!["file".to_owned()])
        );
    }
}

#[test]
fn a_stale_replacement_changes_nothing_and_leaves_nothing() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    assert!(matches!(replace_with(&path, b"new", || false).unwrap(), Replaced::Stale));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert!(matches!(replace_with(&path, b"new", || true).unwrap(), Replaced::Done));
    assert_eq!((fs::read(&path).unwrap(), names(&folder).len()), (b"new".to_vec(), 1));
}

/// A rename that is two steps on the disk, of which the second one fails.
#[test]
fn a_rename_that_only_takes_the_old_file_away_is_made_again() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let looks = Cell::new(0);
    let is_old = || {
        looks.set(looks.get() + 1);
        if looks.get() == 2 {
            fs::remove_file(&path).unwrap();
        }
        fs::read(&path).is_ok_and(|bytes| bytes == b"old")
    };
    let errno = rustix::io::Errno::IO.raw_os_error();
    let refused = faults::Fault { call: Call::Rename, errno, done: false, times: 2 };
    faults::with(&[refused], || {
        assert!(matches!(replace_with(&path, b"new", is_old).unwrap(), Replaced::Done));
    });
    assert_eq!((fs::read(&path).unwrap(), names(&folder).len()), (b"new".to_vec(), 1));
}

#[test]
fn what_is_understood_only_at_the_next_look_is_read_whole() {
    let folder = folder();
    let path = folder.path().join("file");
    let read = || {
        read_understood(&path, 9, Duration::ZERO, |bytes| {
            fs::write(&path, "whole").unwrap();
            if bytes == b"whole" { Ok(()) } else { Err(()) }
        })
    };
    fs::write(&path, "who").unwrap();
    assert!(matches!(read(), Ok((bytes, Ok(()))) if bytes == b"whole"));
    let never = || read_understood(&path, 9, Duration::ZERO, |_| Err::<(), _>("torn"));
    assert!(matches!(never(), Ok((bytes, Err("torn"))) if bytes == b"whole"));
    fs::remove_file(&path).unwrap();
    assert!(matches!(read(), Err(Obstacle::Missing)));
}

#[test]
fn what_can_t_be_replaced_is_an_error() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let below = replace_with(&path.join("below"), b"new", || true).unwrap_err();
    assert_eq!(below.kind(), ErrorKind::NotADirectory);
    replace_with(folder.path(), b"new", || true).unwrap_err();
    let in_the_way = || {
        let _made = fs::remove_file(&path).and_then(|()| fs::create_dir(&path));
        true
    };
    let error = replace_with(&path, b"new", in_the_way).unwrap_err();
    assert_eq!((error.kind(), names(&folder)), (ErrorKind::IsADirectory, vec!["file".to_owned()]));
}

/// Only root may have somebody else's file to replace, and give it back.
#[test]
fn a_replaced_file_stays_its_owner_s_and_its_group_s() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    if !rustix::process::geteuid().is_root() {
        return plexsync_harness::skip("only root can give files away");
    }
    let folder = folder();
    let path = folder.path().join("file");
    for (uid, gid) in [(Some(65_534), None), (None, Some(65_534)), (Some(1), Some(2))] {
        fs::write(&path, "old").unwrap();
        chown(&path, uid, gid).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let old = fs::metadata(&path).unwrap();
        assert!(matches!(replace_with(&path, b"new", || true).unwrap(), Replaced::Done));
        let new = fs::metadata(&path).unwrap();
        assert_ne!(new.ino(), old.ino());
        let about = |about: &fs::Metadata| (about.uid(), about.gid(), about.mode());
        assert_eq!(about(&new), (old.uid(), old.gid(), 0o100_600));
        assert!(matches!(replace(&path, b"ours", Access::Ours, || true).unwrap(), Replaced::Done));
        assert_eq!(about(&fs::metadata(&path).unwrap()), (0, 0, 0o100_600));
    }
}

/// Somebody else's clean-up, at the worst moment.
#[test]
fn a_writer_whose_temporary_file_vanished_starts_again() {
    let folder = folder();
    let path = folder.path().join("file");
    let rounds = Cell::new(0);
    let cleaning = || {
        rounds.set(rounds.get() + 1);
        if rounds.get() < 4 {
            remove_temporary(&path);
        }
        true
    };
    assert!(matches!(replace_with(&path, b"new", cleaning).unwrap(), Replaced::Done));
    assert_eq!((rounds.get(), fs::read(&path).unwrap()), (4, b"new".to_vec()));
}

#[test]
fn leftovers_go_and_nothing_else_does() {
    let folder = folder();
    let path = folder.path().join("f.json");
    let mut foreign = [
        ".f.json.12.0123456789abcdeg.tmp",
        ".f.json.12.0123456789abcde.tmp",
        ".f.json.x.0123456789abcdef.tmp",
        ".f.json..0123456789abcdef.tmp",
        ".f.json.12.0123456789abcdef.tmp~",
        ".f.json.tmp",
        ".g.json.12.0123456789abcdef.tmp",
        "f.json.12.0123456789abcdef.tmp",
    ];
    let backup = folder.path().join("f.json.bak");
    let ours = [temporary_name(&path).unwrap(), temporary_name(&backup).unwrap()];
    for name in foreign.iter().copied().chain(ours.iter().map(String::as_str)) {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    assert_eq!(temporary_files(&path).len(), 2);
    remove_temporary(&path);
    foreign.sort_unstable();
    assert_eq!(names(&folder), foreign);
}

#[test]
fn the_newest_five_broken_files_are_kept_whatever_the_clock_says() {
    let folder = folder();
    let path = folder.path().join("file");
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    for seconds in [90, 4_070_908_800, 50, 50, 40, 30, 20] {
        let text = format!("at {seconds}");
        let kept = keep_broken(&path, text.as_bytes(), at(seconds)).unwrap();
        assert_eq!(fs::read(kept).unwrap(), text.as_bytes());
    }
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(9);
    keep_broken(&path, b"before 1970", before).unwrap();
    let kept = kept_broken(&path);
    let bytes = |name: &String| fs::read_to_string(folder.path().join(name)).unwrap();
    let kept: Vec<_> = kept.iter().map(|name| (name.as_str(), bytes(name))).collect();
    let expected = [
        ("file.corrupt-4070908801", "at 50"),
        ("file.corrupt-4070908802", "at 40"),
        ("file.corrupt-4070908803", "at 30"),
        ("file.corrupt-4070908804", "at 20"),
        ("file.corrupt-4070908805", "before 1970"),
    ];
    assert_eq!(kept, expected.map(|(name, bytes)| (name, bytes.to_owned())));
    assert_eq!(names(&folder).len(), 5);
}

#[test]
fn only_our_own_broken_files_are_counted_and_removed() {
    let folder = folder();
    let path = folder.path().join("file");
    let foreign = ["file.corrupt-", "file.corrupt-mine", "file.corrupt-18446744073709551616"];
    foreign.iter().for_each(|name| fs::write(folder.path().join(name), "").unwrap());
    fs::write(folder.path().join(format!("file.corrupt-{}", u64::MAX)), "the last second").unwrap();
    keep_broken(&path, b"broken", SystemTime::UNIX_EPOCH).unwrap_err();
    assert_eq!(kept_broken(&path).len(), 1);
    assert_eq!(names(&folder).len(), 4);
}

#[test]
fn a_file_is_read_up_to_its_limit_and_never_through_a_link() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "12345").unwrap();
    assert_eq!(read(&path, 5).unwrap(), b"12345");
    assert!(matches!(read(&path, 4), Err(Obstacle::TooLong(4))));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("file", &link).unwrap();
    assert!(matches!(read(&link, 5), Err(Obstacle::Link)));
    assert_eq!(follow(&link).unwrap(), path);
    assert_eq!(follow(&folder.path().join("missing")).unwrap(), folder.path().join("missing"));
    fs::remove_file(&path).unwrap();
    assert!(matches!(follow(&link), Err(Obstacle::DanglingLink)));
    assert!(matches!(read(&path, 5), Err(Obstacle::Missing)));
    assert!(matches!(read(folder.path(), 5), Err(Obstacle::Folder)));
}
