//! Finding, making and mending the identity.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use plexsync_protocol::identity::{FILE_NAME, Origin};

use super::{COPY, Folder, MAIN, assert_uuid_v4, file, unavailable};
use crate::identity::{Finding, IdentityError, Keeper, LockState, inspect};

#[test]
fn an_empty_folder_gets_an_identity() {
    let folder = Folder::empty();
    let identity = folder.get().unwrap();
    assert_uuid_v4(&identity.device_id);
    assert_eq!((identity.origin, &identity.warning), (Origin::Created, &None));
    assert_eq!(identity.path, folder.path(MAIN).to_str().unwrap());
    assert_eq!(identity.headers.client_identifier, identity.device_id);
    assert_eq!(identity.headers.version, "1.2.3");
    assert_eq!(folder.read(MAIN), file(&identity.device_id));
    assert_eq!(folder.read(COPY), folder.read(MAIN));
    assert_eq!(folder.names(), [MAIN, COPY, "device_id.json.lock"]);
    let again = folder.get().unwrap();
    assert_eq!((&again.device_id, again.origin), (&identity.device_id, Origin::Loaded));
}

#[test]
fn two_folders_never_share_an_identity() {
    let (one, other) = (Folder::empty(), Folder::empty());
    assert_ne!(one.get().unwrap().device_id, other.get().unwrap().device_id);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::empty();
    let deep = folder.path("missing").join("parents");
    Keeper::new(deep.clone(), "1", Arc::default()).get().unwrap();
    let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for name in [MAIN, COPY, "device_id.json.lock"] {
        assert_eq!(mode(deep.join(name)), 0o600, "{name}");
    }
    assert_eq!((mode(folder.path("missing")), mode(deep)), (0o700, 0o700));
}

#[test]
fn a_good_file_is_never_written() {
    for bytes in [
        b"{\"device_id\": \"Upper-CASE no uuid\"}" as &[u8],
        b"\xEF\xBB\xBF{\r\n\"device_id\": \"a\", \"more\": 1e999}\r\n",
    ] {
        let folder = Folder::with(&[(MAIN, bytes), (COPY, bytes)]);
        let before = fs::metadata(folder.path(MAIN)).unwrap().modified().unwrap();
        let identity = folder.get().unwrap();
        assert_eq!((identity.origin, &identity.warning), (Origin::Loaded, &None));
        assert_eq!((folder.read(MAIN).as_slice(), folder.read(COPY).as_slice()), (bytes, bytes));
        assert_eq!(fs::metadata(folder.path(MAIN)).unwrap().modified().unwrap(), before);
        assert_eq!(folder.names(), [MAIN, COPY], "no lock is needed");
    }
}

#[test]
fn a_missing_second_copy_is_written() {
    for copy in [None, Some(b"" as &[u8]), Some(b"{\"device_id\": ")] {
        let folder = Folder::with(&[(MAIN, &file("a"))]);
        copy.into_iter().for_each(|bytes| folder.write(COPY, bytes));
        let identity = folder.get().unwrap();
        assert_eq!((identity.origin, &identity.warning), (Origin::Loaded, &None));
        assert_eq!((folder.read(MAIN), folder.read(COPY)), (file("a"), file("a")));
    }
}

#[test]
fn when_the_two_differ_the_file_wins() {
    let folder = Folder::with(&[(MAIN, &file("a")), (COPY, &file("b"))]);
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
    assert!(identity.warning.as_ref().unwrap().contains("`b`"), "{:?}", identity.warning);
    assert_eq!((folder.read(MAIN), folder.read(COPY)), (file("a"), file("a")));
    assert_eq!(folder.get().unwrap().warning, None);
}

#[test]
fn a_second_copy_gets_the_members_of_the_file() {
    let bytes = b"{\"device_id\": \"a\", \"name\": \"mine\"}";
    let folder = Folder::with(&[(MAIN, bytes), (COPY, &file("a"))]);
    assert_eq!(folder.get().unwrap().warning, None);
    assert_eq!(folder.read(COPY), bytes);
}

#[test]
fn a_second_copy_that_cannot_be_written_is_a_warning() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    fs::create_dir(folder.path(COPY)).unwrap();
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
    assert!(identity.warning.as_ref().unwrap().contains("second copy can't be written"));
    assert_eq!(folder.read(MAIN), file("a"));
}

#[test]
fn a_lock_that_cannot_be_made_does_not_stop_a_first_run() {
    let folder = Folder::empty();
    fs::create_dir(folder.path("device_id.json.lock")).unwrap();
    let identity = folder.get().unwrap();
    assert_eq!(identity.origin, Origin::Created);
    assert_eq!(folder.get().unwrap().device_id, identity.device_id);
}

#[test]
fn a_missing_file_comes_back_from_its_second_copy() {
    let bytes = b"{\"device_id\": \"a\", \"name\": \"mine\"}";
    let folder = Folder::with(&[(COPY, bytes)]);
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
    assert!(identity.warning.as_ref().unwrap().contains("same device as before"));
    assert_eq!(
        (folder.read(MAIN).as_slice(), folder.read(COPY).as_slice()),
        (bytes as &[u8], bytes as &[u8])
    );
    assert_eq!(folder.kept(), [b""; 0]);
    assert_eq!(folder.get().unwrap().warning, None);
}

#[test]
fn a_broken_file_is_kept_aside_and_restored() {
    for broken in [
        b"" as &[u8],
        b"\0\0\0",
        b"{\"device_id\": \"3f1b",
        b"[]",
        b"{\"device_id\": \"\xc3\xa9\"}",
    ] {
        let folder = Folder::with(&[(MAIN, broken), (COPY, &file("a"))]);
        let identity = folder.get().unwrap();
        assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
        assert!(identity.warning.as_ref().unwrap().contains("device_id.json.corrupt-"));
        assert_eq!((folder.read(MAIN), folder.read(COPY)), (file("a"), file("a")));
        assert_eq!(folder.kept(), [broken]);
    }
}

#[test]
fn the_newest_five_broken_files_are_kept() {
    let folder = Folder::with(&[(COPY, &file("a"))]);
    for count in 0..7 {
        folder.write(MAIN, format!("broken {count}").as_bytes());
        assert_eq!(folder.get().unwrap().device_id, "a");
    }
    let expected: Vec<_> = (2..7).map(|count| format!("broken {count}").into_bytes()).collect();
    assert_eq!(folder.kept(), expected);
}

/// A name that can't be written to stands for every reason: full disk, read-only folder, bind mount.
#[test]
fn an_identity_that_cannot_be_written_back_still_serves() {
    let folder = Folder::with(&[(MAIN, b"broken"), (COPY, &file("a"))]);
    let mut keeper = folder.keeper();
    let store = &mut keeper.store;
    store.folder = folder.path("no").join("such").join("folder");
    let identity = keeper.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
    assert!(identity.warning.as_ref().unwrap().contains("can't be restored"));
    assert_eq!(folder.read(MAIN), b"broken");
}

#[test]
fn a_salvaged_id_leaves_the_file_alone() {
    let broken = b"{\"device_id\": \"a\"";
    for copy in
        [None, Some(file("a")), Some(b"{\"device_id\": \"a\", \"name\": \"mine\"}".to_vec())]
    {
        let folder = Folder::with(&[(MAIN, broken)]);
        copy.iter().for_each(|bytes| folder.write(COPY, bytes));
        let identity = folder.get().unwrap();
        assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
        assert!(identity.warning.as_ref().unwrap().contains("damaged"));
        assert_eq!(folder.read(MAIN), broken);
        assert_eq!(folder.read(COPY), copy.unwrap_or_else(|| file("a")));
        assert_eq!(folder.kept(), [b""; 0]);
    }
}

#[test]
fn a_file_beyond_help_makes_a_new_identity_loudly() {
    for copy in [None, Some(b"" as &[u8]), Some(b"{\"device_id\": 5}")] {
        let folder = Folder::with(&[(MAIN, b"{\"device_id\": \"3f1b")]);
        copy.into_iter().for_each(|bytes| folder.write(COPY, bytes));
        let identity = folder.get().unwrap();
        assert_uuid_v4(&identity.device_id);
        assert_eq!(identity.origin, Origin::Regenerated);
        assert!(identity.warning.as_ref().unwrap().contains("new device"));
        assert_eq!(folder.read(MAIN), file(&identity.device_id));
        assert_eq!(folder.read(COPY), folder.read(MAIN));
        assert_eq!(folder.kept(), [b"{\"device_id\": \"3f1b"]);
    }
}

#[test]
fn a_torn_second_copy_alone_gives_its_id_or_none() {
    let folder = Folder::with(&[(COPY, b"{\"device_id\": \"a\"")]);
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
    assert_eq!((folder.read(MAIN), folder.read(COPY)), (file("a"), file("a")));

    let folder = Folder::with(&[(COPY, b"")]);
    let identity = folder.get().unwrap();
    assert_eq!(identity.origin, Origin::Created);
    assert!(identity.warning.as_ref().unwrap().contains("new device"));
    assert_eq!(folder.read(COPY), folder.read(MAIN));
}

#[test]
fn a_file_that_is_being_written_is_waited_for() {
    let folder = Folder::with(&[(MAIN, b"")]);
    let mut keeper = folder.patient_keeper();
    keeper.store.patience.torn = Duration::from_secs(600);
    let path = folder.path(MAIN);
    let writer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        fs::write(path, file("a")).unwrap();
    });
    let identity = keeper.get().unwrap();
    writer.join().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
    assert_eq!(identity.warning, None);
}

#[test]
fn what_is_held_is_held_for_life() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    let mut keeper = folder.keeper();
    assert_eq!(keeper.held(), None);
    assert_eq!(keeper.get().unwrap().device_id, "a");
    folder.write(MAIN, &file("b"));
    assert_eq!(keeper.get().unwrap().device_id, "a");
    fs::remove_dir_all(folder.path("")).unwrap();
    assert_eq!(keeper.get().unwrap().device_id, "a");
    assert_eq!(keeper.held().unwrap().device_id, "a");
}

#[test]
fn leftovers_go_when_the_lock_is_held() {
    let leftover = format!(".{FILE_NAME}.4711.0123456789abcdef.tmp");
    let folder = Folder::with(&[(leftover.as_str(), b"{"), (MAIN, &file("a")), (COPY, &file("a"))]);
    folder.get().unwrap();
    assert!(folder.names().contains(&leftover), "a good load looks at nothing else");
    fs::remove_file(folder.path(COPY)).unwrap();
    folder.get().unwrap();
    assert_eq!(folder.names(), [MAIN, COPY, "device_id.json.lock"]);
}

#[test]
fn a_stopping_worker_does_not_wait() {
    for (main, locked) in [(Some(b"" as &[u8]), false), (None, true)] {
        let folder = Folder::empty();
        main.into_iter().for_each(|bytes| folder.write(MAIN, bytes));
        let lock = fs::File::create(folder.path("device_id.json.lock")).unwrap();
        if locked {
            lock.lock().unwrap();
        }
        let stop = Arc::new(AtomicBool::new(false));
        let mut keeper = Keeper::new(folder.path(""), "1", Arc::clone(&stop));
        keeper.store.patience.torn = Duration::from_secs(600);
        keeper.store.patience.lock = Duration::from_secs(600);
        let stopper = thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(keeper.get(), Err(IdentityError::Interrupted));
        stopper.join().unwrap();
        assert_eq!(folder.names().len(), 1 + usize::from(main.is_some()));
    }
}

#[test]
fn a_lock_that_is_never_given_back_is_an_error_or_a_warning() {
    let folder = Folder::empty();
    let lock = fs::File::create(folder.path("device_id.json.lock")).unwrap();
    lock.lock().unwrap();
    let mut keeper = folder.keeper();
    keeper.store.patience.lock = Duration::ZERO;
    keeper.store.patience.copy = Duration::ZERO;
    let (path, reason) = unavailable(keeper.get().unwrap_err());
    assert_eq!(path, folder.path("device_id.json.lock"));
    assert!(reason.contains("another process"), "{reason}");
    folder.write(MAIN, &file("a"));
    // The id is known now: the long patience is not for a second copy, and the shorter one is over before a stop
    // could end it.
    keeper.store.patience.lock = Duration::from_secs(600);
    keeper.store.stop.store(true, Ordering::Relaxed);
    let identity = keeper.get().unwrap();
    assert!(identity.warning.as_ref().unwrap().contains("another process holds the lock"));
    assert_eq!(folder.names(), [MAIN, "device_id.json.lock"]);
}

#[test]
fn doctor_sees_everything_and_touches_nothing() {
    let leftover = ".device_id.json.1.0123456789abcdef.tmp";
    let broken = "device_id.json.corrupt-20260101T000000Z";
    let folder = Folder::with(&[
        (leftover, b""),
        (broken, b""),
        (MAIN, b"{\"device_id\": \"a\""),
        (COPY, &file("b")),
    ]);
    let report = inspect(&folder.path(""));
    assert_eq!(report.main, (folder.path(MAIN), Finding::Damaged(Some("a".to_owned()))));
    assert_eq!(report.copy, (folder.path(COPY), Finding::Good("b".to_owned())));
    assert_eq!((report.main.1.id(), report.copy.1.id()), (Some("a"), Some("b")));
    assert!(!report.in_step);
    assert_eq!(report.lock, (folder.path("device_id.json.lock"), LockState::Missing));
    assert_eq!(
        (report.temporary, report.broken),
        (vec![leftover.to_owned()], vec![broken.to_owned()])
    );
    assert_eq!(folder.names().len(), 4);

    let lock = fs::File::create(folder.path("device_id.json.lock")).unwrap();
    assert_eq!(inspect(&folder.path("")).lock.1, LockState::Free);
    lock.lock().unwrap();
    assert_eq!(inspect(&folder.path("")).lock.1, LockState::Held);
    folder.write(MAIN, &file("b"));
    assert!(inspect(&folder.path("")).in_step);
    let nothing = inspect(&folder.path("nowhere")).main.1;
    assert_eq!((nothing.id(), &nothing), (None, &Finding::Missing));
}
