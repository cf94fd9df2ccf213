//! The explicit wish for another identity.

use std::fs;

use plexsync_protocol::identity::{Origin, ResetParams};

use super::{BACKUP, Folder, MAIN, adopt, assert_uuid_v4, expecting, file, unavailable};
use crate::identity::IdentityError;

#[test]
fn a_reset_makes_a_new_identity_and_holds_it() {
    let folder =
        Folder::with(&[(MAIN, b"{\"x\": 1e999, \"device_id\": \"a\"}\r\n"), (BACKUP, &file("a"))]);
    let mut keeper = folder.keeper();
    keeper.get().unwrap();
    let result = keeper.reset(&ResetParams::default()).unwrap();
    let id = result.identity.device_id.clone();
    assert_uuid_v4(&id);
    assert_eq!((result.identity.origin, result.previous.as_deref()), (Origin::Reset, Some("a")));
    assert_eq!(result.identity.warning, None);
    assert_eq!(
        folder.read(MAIN),
        format!("{{\"x\": 1e999, \"device_id\": \"{id}\"}}\r\n").as_bytes()
    );
    assert_eq!(folder.read(BACKUP), folder.read(MAIN).trim_ascii_end());
    assert_eq!(*keeper.get().unwrap(), result.identity);
    assert_eq!(folder.get().unwrap().device_id, id);
    assert_eq!(folder.names(), [MAIN, BACKUP, "device_id.json.lock"]);
}

#[test]
fn an_id_can_be_adopted() {
    let folder = Folder::empty();
    let result = folder.keeper().reset(&adopt("My \"old\" Device")).unwrap();
    assert_eq!((result.identity.origin, result.previous), (Origin::Adopted, None));
    assert_eq!(folder.read(MAIN), b"{\n  \"device_id\": \"My \\\"old\\\" Device\"\n}");
    assert_eq!(folder.get().unwrap().device_id, "My \"old\" Device");
}

#[test]
fn what_is_no_id_is_not_adopted() {
    let long = "x".repeat(256);
    for id in ["", "   ", "a\nb", "é", "a\u{7f}", &long] {
        let folder = Folder::empty();
        let error = folder.keeper().reset(&adopt(id)).unwrap_err();
        assert!(matches!(error, IdentityError::InvalidId { .. }), "{error:?}");
        assert_eq!(folder.names(), [""; 0]);
    }
}

#[test]
fn a_reset_of_the_expected_id_only() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    let mut keeper = folder.keeper();
    assert_eq!(keeper.get().unwrap().device_id, "a");
    folder.write(MAIN, &file("b"));
    let changed = IdentityError::Changed { device_id: Some("b".to_owned()) };
    assert_eq!(keeper.reset(&expecting("a")), Err(changed));
    assert_eq!(keeper.get().unwrap().device_id, "b", "the one on disk is held from then on");
    assert_eq!(folder.read(MAIN), file("b"));
    let result = keeper.reset(&expecting("b")).unwrap();
    assert_eq!(result.previous.as_deref(), Some("b"));
}

#[test]
fn nothing_on_disk_is_no_expected_id() {
    let folder = Folder::empty();
    let mut keeper = folder.keeper();
    assert_eq!(keeper.reset(&expecting("a")), Err(IdentityError::Changed { device_id: None }));
    assert_eq!((keeper.held(), folder.names()), (None, vec![]));

    let folder = Folder::with(&[(MAIN, b"{")]);
    assert_eq!(
        folder.keeper().reset(&expecting("a")),
        Err(IdentityError::Changed { device_id: None })
    );
    assert_eq!(folder.read(MAIN), b"{");
}

#[test]
fn what_was_on_disk_is_told_even_if_another_was_held() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    let mut keeper = folder.keeper();
    keeper.get().unwrap();
    folder.write(MAIN, &file("b"));
    let result = keeper.reset(&ResetParams::default()).unwrap();
    assert_eq!(result.previous.as_deref(), Some("b"));
    assert!(result.identity.warning.unwrap().contains("changed from outside"));
}

/// A deleted file is an accident, and its id is still the one on disk.
#[test]
fn a_vanished_file_is_reset_from_its_backup() {
    let folder = Folder::with(&[(BACKUP, &file("a"))]);
    let other = folder.keeper().reset(&expecting("b"));
    assert_eq!(other, Err(IdentityError::Changed { device_id: Some("a".to_owned()) }));
    fs::remove_file(folder.path(MAIN)).unwrap();
    let result = folder.keeper().reset(&expecting("a")).unwrap();
    assert_eq!(result.previous.as_deref(), Some("a"));
    assert_eq!(folder.read(MAIN), file(&result.identity.device_id));
    assert_eq!(folder.read(BACKUP), folder.read(MAIN));
}

#[test]
fn a_torn_file_can_be_reset() {
    for (broken, previous) in [(b"{" as &[u8], None), (b"{\"device_id\": \"a\"", Some("a"))] {
        let folder = Folder::with(&[(MAIN, broken)]);
        let result = folder.keeper().reset(&adopt("b")).unwrap();
        assert_eq!(result.previous.as_deref(), previous);
        assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("b"), file("b")));
        assert_eq!(folder.kept(), [broken]);
    }
}

/// The crash between the two writes.
#[test]
fn an_old_id_does_not_come_back() {
    let folder = Folder::with(&[(MAIN, &file("new")), (BACKUP, &file("old"))]);
    assert_eq!(folder.get().unwrap().device_id, "new");
    fs::remove_file(folder.path(MAIN)).unwrap();
    assert_eq!(folder.get().unwrap().device_id, "new");
}

#[test]
fn a_backup_that_stays_behind_is_a_warning() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    fs::create_dir(folder.path(BACKUP)).unwrap();
    let result = folder.keeper().reset(&adopt("b")).unwrap();
    assert!(result.identity.warning.unwrap().contains("can't be written"));
    assert_eq!(folder.read(MAIN), file("b"));
}

#[test]
fn a_comparison_needs_a_lock() {
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
    fs::create_dir(folder.path("device_id.json.lock")).unwrap();
    let (path, reason) = unavailable(folder.keeper().reset(&expecting("a")).unwrap_err());
    assert_eq!(path, folder.path("device_id.json.lock"));
    assert!(reason.contains("needs a lock"), "{reason}");
    assert_eq!(folder.read(MAIN), file("a"));
    folder.keeper().reset(&adopt("b")).unwrap();
    assert_eq!(folder.read(MAIN), file("b"));
}

#[cfg(unix)]
#[test]
fn a_mode_is_narrowed_to_the_owner_s() {
    use std::os::unix::fs::PermissionsExt;
    for (mode, expected) in [
        (0o600, 0o600),
        (0o644, 0o600),
        (0o444, 0o400),
        (0o400, 0o400),
        (0o666, 0o600),
        (0o660, 0o600),
    ] {
        let folder = Folder::with(&[(MAIN, &file("a"))]);
        fs::set_permissions(folder.path(MAIN), fs::Permissions::from_mode(mode)).unwrap();
        folder.keeper().reset(&adopt("b")).unwrap();
        let mode_of = |name| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode_of(MAIN), mode_of(BACKUP)), (expected, 0o600), "{mode:o}");
    }
}
