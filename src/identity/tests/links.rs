//! Symbolic links and other users: a link may be somebody's trap, and the backup is ours alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;

use plexsync_protocol::identity::{Origin, ResetParams};

use super::{BACKUP, Folder, MAIN, adopt, file, unavailable};
use crate::files::{Exposed, Exposure};
use crate::identity::{Finding, inspect};

/// A user who is neither root nor the one of this process.
const STRANGER: u32 = 65_534;

#[test]
fn a_symlink_is_followed_and_stays_one() {
    // What a killed writer has left stands beside the real file, and goes.
    let leftover = ".real.json.1.0123456789abcdef.tmp";
    let elsewhere =
        Folder::with(&[("real.json", b"{\"device_id\": \"a\", \"x\": 1}"), (leftover, b"half")]);
    let folder = Folder::empty();
    symlink(elsewhere.path("real.json"), folder.path("between")).unwrap();
    symlink("between", folder.path(MAIN)).unwrap();
    assert_eq!(folder.get().unwrap().device_id, "a");
    folder.keeper().reset(&adopt("b")).unwrap();
    assert!(fs::symlink_metadata(folder.path(MAIN)).unwrap().is_symlink());
    assert_eq!(elsewhere.read("real.json"), b"{\"device_id\": \"b\", \"x\": 1}");
    assert_eq!(elsewhere.names(), ["real.json"]);
    assert_eq!(folder.read(BACKUP), elsewhere.read("real.json"));
    assert!(!fs::symlink_metadata(folder.path(BACKUP)).unwrap().is_symlink());
}

/// It may be any file of ours: a shell profile, a key.
#[test]
fn nothing_is_written_through_a_link_to_a_file_without_an_id() {
    for bytes in [b"" as &[u8], b"export PATH=...", b"{\"token\": \"mine\"}"] {
        let elsewhere = Folder::with(&[("precious", bytes)]);
        let folder = Folder::empty();
        symlink(elsewhere.path("precious"), folder.path(MAIN)).unwrap();
        for (path, reason) in [
            folder.refusal(),
            unavailable(folder.keeper().reset(&ResetParams::default()).unwrap_err()),
        ] {
            assert_eq!(
                (path, reason.contains("holds no id")),
                (folder.path(MAIN), true),
                "{reason}"
            );
        }
        folder.write(BACKUP, &file("a"));
        let recovered = folder.get().unwrap();
        assert_eq!((recovered.device_id.as_str(), recovered.origin), ("a", Origin::Recovered));
        assert!(recovered.warning.as_ref().unwrap().contains("holds no id"), "{recovered:?}");
        unavailable(folder.keeper().reset(&adopt("b")).unwrap_err());
        assert_eq!((elsewhere.read("precious").as_slice(), elsewhere.names().len()), (bytes, 1));
        assert!(fs::symlink_metadata(folder.path(MAIN)).unwrap().is_symlink());
        assert_eq!(folder.kept(), [b""; 0], "what the link leads to is copied nowhere");
    }
}

/// A link in its place is somebody's attempt to write one of our files, or a mistake.
#[test]
fn a_link_in_the_backup_s_place_is_replaced_and_never_followed() {
    let in_its_place: [fn(&Path, &Folder); 3] = [
        |path, elsewhere| symlink(elsewhere.path("precious"), path).unwrap(),
        |path, _| symlink("nowhere", path).unwrap(),
        |path, elsewhere| symlink(elsewhere.path("good"), path).unwrap(),
    ];
    for put in in_its_place {
        let elsewhere = Folder::with(&[("precious", b"precious"), ("good", &file("a"))]);
        let folder = Folder::with(&[(MAIN, &file("a"))]);
        put(&folder.path(BACKUP), &elsewhere);
        assert_eq!(folder.get().unwrap().warning, None);
        assert!(fs::symlink_metadata(folder.path(BACKUP)).unwrap().is_file());
        assert_eq!(
            (folder.read(BACKUP), elsewhere.names()),
            (file("a"), vec!["good".to_owned(), "precious".to_owned()])
        );
        assert_eq!(elsewhere.read("precious"), b"precious");

        fs::remove_file(folder.path(BACKUP)).unwrap();
        put(&folder.path(BACKUP), &elsewhere);
        folder.keeper().reset(&adopt("b")).unwrap();
        assert_eq!(
            (folder.read(BACKUP), elsewhere.read("precious")),
            (file("b"), b"precious".to_vec())
        );
        assert_eq!(elsewhere.read("good"), file("a"));

        // When it is needed, it holds nothing that we know of.
        fs::remove_file(folder.path(BACKUP)).unwrap();
        fs::remove_file(folder.path(MAIN)).unwrap();
        put(&folder.path(BACKUP), &elsewhere);
        let (path, reason) = folder.refusal();
        assert_eq!((path, reason.contains("is a link")), (folder.path(BACKUP), true), "{reason}");
    }
}

#[test]
fn only_the_object_gets_into_the_backup() {
    for (bytes, object) in [
        (
            b"{\"device_id\": \"a\"}\n* * * * * root evil" as &[u8],
            b"{\"device_id\": \"a\"}" as &[u8],
        ),
        (
            b"\xEF\xBB\xBF \r\n{\"device_id\": \"a\", \"x\": NaN}\r\n",
            b"{\"device_id\": \"a\", \"x\": NaN}",
        ),
    ] {
        let folder = Folder::with(&[(MAIN, bytes)]);
        folder.get().unwrap();
        assert_eq!((folder.read(MAIN).as_slice(), folder.read(BACKUP).as_slice()), (bytes, object));
        fs::remove_file(folder.path(MAIN)).unwrap();
        assert_eq!(folder.get().unwrap().device_id, "a");
        assert_eq!(folder.read(MAIN), object);
    }
}

fn can_give_files_away() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        plexsync_harness::skip("only root can give files away");
    }
    root
}

#[test]
fn a_stranger_s_link_is_not_followed_to_a_file_of_ours() {
    if !can_give_files_away() {
        return;
    }
    for owner_of_target in [0, 1, STRANGER] {
        let secret = b"{\"device_id\": \"a\", \"token\": \"ROOT-ONLY\"}";
        let elsewhere = Folder::with(&[("secret", secret)]);
        lchown(elsewhere.path("secret"), Some(owner_of_target), None).unwrap();
        let folder = Folder::with(&[(BACKUP, b"")]);
        fs::set_permissions(folder.path(BACKUP), fs::Permissions::from_mode(0o666)).unwrap();
        lchown(folder.path(BACKUP), Some(STRANGER), None).unwrap();
        symlink(elsewhere.path("secret"), folder.path(MAIN)).unwrap();
        lchown(folder.path(MAIN), Some(STRANGER), None).unwrap();
        if owner_of_target == STRANGER {
            assert_eq!(folder.get().unwrap().device_id, "a");
            continue;
        }
        for (path, reason) in
            [folder.refusal(), unavailable(folder.keeper().reset(&adopt("b")).unwrap_err())]
        {
            assert_eq!((path, reason.contains("trap")), (folder.path(MAIN), true), "{reason}");
        }
        assert_eq!((folder.read(BACKUP), folder.names().len()), (vec![], 2));
        assert_eq!(elsewhere.read("secret"), secret);
    }
}

#[test]
fn the_backup_is_ours_whoever_owns_the_file() {
    if !can_give_files_away() {
        return;
    }
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("old"))]);
    for name in [MAIN, BACKUP] {
        lchown(folder.path(name), Some(STRANGER), Some(STRANGER)).unwrap();
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    let about = |name| {
        let about = fs::metadata(folder.path(name)).unwrap();
        (about.uid(), about.gid(), about.mode() & 0o7777)
    };
    folder.get().unwrap();
    assert_eq!((folder.read(BACKUP), about(BACKUP)), (file("a"), (0, 0, 0o600)));
    assert_eq!(about(MAIN), (STRANGER, STRANGER, 0o666), "a load leaves the file alone");
    folder.keeper().reset(&adopt("b")).unwrap();
    assert_eq!(about(BACKUP), (0, 0, 0o600));
    assert_eq!(about(MAIN), (STRANGER, STRANGER, 0o600));
}

#[test]
fn doctor_learns_who_else_could_change_the_identity() {
    let elsewhere = Folder::with(&[("real.json", &file("a"))]);
    let folder = Folder::with(&[(BACKUP, &file("a"))]);
    symlink(elsewhere.path("real.json"), folder.path(MAIN)).unwrap();
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(folder.path(BACKUP), 0o600);
    mode(elsewhere.path("real.json"), 0o644);
    assert_eq!(inspect(&folder.path("")).exposed, []);
    mode(elsewhere.path("real.json"), 0o620);
    mode(folder.path(""), 0o777);
    let by_mode = |path, mode| Exposed { path, to: Exposure::Mode(mode) };
    let expected = [by_mode(folder.path(""), 0o777), by_mode(elsewhere.path("real.json"), 0o620)];
    assert_eq!(inspect(&folder.path("")).exposed, expected);
    mode(folder.path(""), 0o1777);
    assert_eq!(inspect(&folder.path("")).exposed, expected[1..], "sticky");
    if can_give_files_away() {
        lchown(folder.path(BACKUP), Some(STRANGER), None).unwrap();
        let of_stranger = Exposed { path: folder.path(BACKUP), to: Exposure::Owner(STRANGER) };
        assert!(inspect(&folder.path("")).exposed.contains(&of_stranger));
        lchown(folder.path(MAIN), Some(STRANGER), None).unwrap();
        assert!(matches!(inspect(&folder.path("")).main.1, Finding::Unreadable(_)));
    }
}
