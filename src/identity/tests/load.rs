//! Finding, creating and repairing the identity.

use std::fs;
#[cfg(unix)]
use std::sync::Arc;

use plexsync_protocol::identity::{FILE_NAME, Origin};

use super::{BACKUP, Folder, MAIN, assert_uuid_v4, file, unavailable};
#[cfg(unix)]
use crate::identity::Keeper;
use crate::identity::{Finding, LockState, inspect};

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
    assert_eq!(folder.read(BACKUP), folder.read(MAIN));
    assert_eq!(folder.names(), [MAIN, BACKUP, "device_id.json.lock"]);
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
    for name in [MAIN, BACKUP, "device_id.json.lock"] {
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
        let folder = Folder::with(&[(MAIN, bytes), (BACKUP, bytes)]);
        let before = fs::metadata(folder.path(MAIN)).unwrap().modified().unwrap();
        let identity = folder.get().unwrap();
        assert_eq!((identity.origin, &identity.warning), (Origin::Loaded, &None));
        assert_eq!((folder.read(MAIN).as_slice(), folder.read(BACKUP).as_slice()), (bytes, bytes));
        assert_eq!(fs::metadata(folder.path(MAIN)).unwrap().modified().unwrap(), before);
        assert_eq!(folder.names(), [MAIN, BACKUP], "no lock is needed");
    }
}

#[test]
fn a_missing_backup_is_written() {
    for backup in [None, Some(b"" as &[u8]), Some(b"{\"device_id\": ")] {
        let folder = Folder::with(&[(MAIN, &file("a"))]);
        backup.into_iter().for_each(|bytes| folder.write(BACKUP, bytes));
        let identity = folder.get().unwrap();
        assert_eq!((identity.origin, &identity.warning), (Origin::Loaded, &None));
        assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("a"), file("a")));
    }
}

#[test]
fn when_the_two_differ_the_file_wins() {
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("b"))]);
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
    assert!(identity.warning.as_ref().unwrap().contains("`b`"), "{:?}", identity.warning);
    assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("a"), file("a")));
    assert_eq!(folder.get().unwrap().warning, None);
}

#[test]
fn a_backup_gets_the_members_of_the_file() {
    let bytes = b"{\"device_id\": \"a\", \"name\": \"mine\"}";
    let folder = Folder::with(&[(MAIN, bytes), (BACKUP, &file("a"))]);
    assert_eq!(folder.get().unwrap().warning, None);
    assert_eq!(folder.read(BACKUP), bytes);
}

#[test]
fn a_backup_that_cannot_be_written_is_a_warning() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    fs::create_dir(folder.path(BACKUP)).unwrap();
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
    assert!(identity.warning.as_ref().unwrap().contains("can't be written"));
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
fn a_missing_file_comes_back_from_its_backup() {
    let bytes = b"{\"device_id\": \"a\", \"name\": \"mine\"}";
    let folder = Folder::with(&[(BACKUP, bytes)]);
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
    assert!(identity.warning.as_ref().unwrap().contains("same device as before"));
    assert_eq!(
        (folder.read(MAIN).as_slice(), folder.read(BACKUP).as_slice()),
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
        let folder = Folder::with(&[(MAIN, broken), (BACKUP, &file("a"))]);
        let identity = folder.get().unwrap();
        assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
        assert!(identity.warning.as_ref().unwrap().contains("device_id.json.corrupt-"));
        assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("a"), file("a")));
        assert_eq!(folder.kept(), [broken]);
    }
}

#[test]
fn the_newest_five_broken_files_are_kept() {
    let folder = Folder::with(&[(BACKUP, &file("a"))]);
    for count in 0..7 {
        folder.write(MAIN, format!("broken {count}").as_bytes());
        assert_eq!(folder.get().unwrap().device_id, "a");
    }
    let expected: Vec<_> = (2..7).map(|count| format!("broken {count}").into_bytes()).collect();
    assert_eq!(folder.kept(), expected);
}

#[test]
fn a_salvaged_id_leaves_the_file_alone() {
    let broken = b"{\"device_id\": \"a\"";
    for backup in
        [None, Some(file("a")), Some(b"{\"device_id\": \"a\", \"name\": \"mine\"}".to_vec())]
    {
        let folder = Folder::with(&[(MAIN, broken)]);
        backup.iter().for_each(|bytes| folder.write(BACKUP, bytes));
        let identity = folder.get().unwrap();
        assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Loaded));
        assert!(identity.warning.as_ref().unwrap().contains("damaged"));
        assert_eq!(folder.read(MAIN), broken);
        assert_eq!(folder.read(BACKUP), backup.unwrap_or_else(|| file("a")));
        assert_eq!(folder.kept(), [b""; 0]);
    }
}

#[test]
fn a_file_beyond_help_makes_a_new_identity_loudly() {
    for backup in [None, Some(b"" as &[u8]), Some(b"{\"device_id\": 5}")] {
        let folder = Folder::with(&[(MAIN, b"{\"device_id\": \"3f1b")]);
        backup.into_iter().for_each(|bytes| folder.write(BACKUP, bytes));
        let identity = folder.get().unwrap();
        assert_uuid_v4(&identity.device_id);
        assert_eq!(identity.origin, Origin::Regenerated);
        assert!(identity.warning.as_ref().unwrap().contains("new device"));
        assert_eq!(folder.read(MAIN), file(&identity.device_id));
        assert_eq!(folder.read(BACKUP), folder.read(MAIN));
        assert_eq!(folder.kept(), [b"{\"device_id\": \"3f1b"]);
    }
}

#[test]
fn a_torn_backup_alone_gives_its_id_or_none() {
    let folder = Folder::with(&[(BACKUP, b"{\"device_id\": \"a\"")]);
    let identity = folder.get().unwrap();
    assert_eq!((identity.device_id.as_str(), identity.origin), ("a", Origin::Recovered));
    assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("a"), file("a")));

    let folder = Folder::with(&[(BACKUP, b"")]);
    let identity = folder.get().unwrap();
    assert_eq!(identity.origin, Origin::Created);
    assert!(identity.warning.as_ref().unwrap().contains("new device"));
    assert_eq!(folder.read(BACKUP), folder.read(MAIN));
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
    let folder =
        Folder::with(&[(leftover.as_str(), b"{"), (MAIN, &file("a")), (BACKUP, &file("a"))]);
    folder.get().unwrap();
    assert!(folder.names().contains(&leftover), "a good load looks at nothing else");
    fs::remove_file(folder.path(BACKUP)).unwrap();
    folder.get().unwrap();
    assert_eq!(folder.names(), [MAIN, BACKUP, "device_id.json.lock"]);
}

/// Windows' roaming folder follows its user to another machine, and an id must not.
#[test]
fn an_identity_moves_in_from_a_former_folder_once() {
    let bytes = b"{\"device_id\": \"a\", \"name\": \"mine\"}";
    for former in
        [vec![(MAIN, bytes as &[u8])], vec![(BACKUP, bytes)], vec![(MAIN, b""), (BACKUP, bytes)]]
    {
        let former = Folder::with(&former);
        let (before, folder) = (former.names(), Folder::empty());
        let get = || folder.keeper().with_former(former.path("")).get().unwrap();
        let moved = get();
        assert_eq!((moved.device_id.as_str(), moved.origin), ("a", Origin::Loaded));
        assert!(moved.warning.as_ref().unwrap().contains("was copied from"), "{moved:?}");
        assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (bytes.to_vec(), bytes.to_vec()));
        assert_eq!((get().warning.clone(), former.names()), (None, before));
        former.write(MAIN, &file("b"));
        assert_eq!(get().device_id, "a");
        fs::remove_file(folder.path(MAIN)).unwrap();
        assert_eq!((get().device_id.as_str(), get().origin), ("a", Origin::Loaded));
    }
}

#[test]
fn a_former_folder_that_holds_no_id_is_no_former_folder_and_an_unreadable_one_is_an_error() {
    for former in [Folder::empty(), Folder::with(&[(MAIN, b"{")])] {
        let folder = Folder::empty();
        let made = folder.keeper().with_former(former.path("")).get().unwrap();
        assert_eq!(made.origin, Origin::Created);
    }
    let (former, folder) = (Folder::empty(), Folder::empty());
    fs::create_dir(former.path(MAIN)).unwrap();
    let error = folder.keeper().with_former(former.path("")).get().unwrap_err();
    assert_eq!(unavailable(error).0, former.path(MAIN));
    assert!(!folder.path(MAIN).exists());
}

#[test]
fn doctor_sees_everything_and_touches_nothing() {
    let leftover = ".device_id.json.1.0123456789abcdef.tmp";
    let broken = "device_id.json.corrupt-1795426074";
    let folder = Folder::with(&[
        (leftover, b""),
        (broken, b""),
        (MAIN, b"{\"device_id\": \"a\""),
        (BACKUP, &file("b")),
    ]);
    let report = inspect(&folder.path(""));
    assert_eq!(report.main, (folder.path(MAIN), Finding::Damaged(Some("a".to_owned()))));
    assert_eq!(report.backup, (folder.path(BACKUP), Finding::Good("b".to_owned())));
    assert_eq!((report.main.1.id(), report.backup.1.id()), (Some("a"), Some("b")));
    assert!(!report.backed_up);
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
    assert!(inspect(&folder.path("")).backed_up);
    let nothing = inspect(&folder.path("nowhere")).main.1;
    assert_eq!((nothing.id(), &nothing), (None, &Finding::Missing));
}
