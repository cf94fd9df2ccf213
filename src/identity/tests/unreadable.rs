//! There, but it can't be read: no new identity, nothing touched, no waiting.

use std::fs;
use std::path::Path;

use plexsync_protocol::identity::ResetParams;

use super::{BACKUP, Folder, MAIN, file, unavailable};

/// Makes something unreadable at a path.
type Obstacle = (&'static str, fn(&Path));

fn obstacles() -> Vec<Obstacle> {
    let obstacles: Vec<Obstacle> = vec![
        ("folder", |path| fs::create_dir(path).unwrap()),
        ("more than", |path| fs::write(path, vec![b' '; 65_537]).unwrap()),
        ("more than", |path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap()),
    ];
    #[cfg(unix)]
    let obstacles = [obstacles, unix_obstacles()].concat();
    obstacles
}

#[cfg(unix)]
fn unix_obstacles() -> Vec<Obstacle> {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    vec![
        ("leads nowhere", |path| symlink("nowhere/at/all", path).unwrap()),
        ("can't be read", |path| symlink(path, path).unwrap()),
        ("can't be read", |path| drop(UnixListener::bind(path).unwrap())),
        ("not a regular file", |path| symlink("/dev/zero", path).unwrap()),
        ("not a regular file", |path| {
            let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
        }),
    ]
}

#[test]
fn a_file_that_cannot_be_read_is_never_replaced() {
    for (expected, make) in obstacles() {
        let folder = Folder::with(&[(BACKUP, &file("a"))]);
        make(&folder.path(MAIN));
        let before = fs::symlink_metadata(folder.path(MAIN)).unwrap();
        for (path, reason) in [
            folder.refusal(),
            unavailable(folder.keeper().reset(&ResetParams::default()).unwrap_err()),
        ] {
            assert_eq!(path, folder.path(MAIN));
            assert!(reason.contains(expected), "{reason}");
        }
        let after = fs::symlink_metadata(folder.path(MAIN)).unwrap();
        assert_eq!((after.file_type(), after.len()), (before.file_type(), before.len()));
        assert_eq!(folder.names(), [MAIN, BACKUP]);
        assert_eq!(folder.read(BACKUP), file("a"));
    }
}

#[test]
fn a_backup_that_cannot_be_read_counts_only_when_it_is_needed() {
    for (expected, make) in obstacles() {
        for main in [None, Some(b"{" as &[u8])] {
            let folder = Folder::empty();
            main.into_iter().for_each(|bytes| folder.write(MAIN, bytes));
            make(&folder.path(BACKUP));
            let (path, reason) = folder.refusal();
            assert_eq!(path, folder.path(BACKUP));
            // Where a link leads is nobody's business there.
            let link = fs::symlink_metadata(folder.path(BACKUP)).unwrap().is_symlink();
            assert!(reason.contains(if link { "is a link" } else { expected }), "{reason}");
            assert_eq!(folder.names().len(), 1 + usize::from(main.is_some()));
            folder.write(MAIN, &file("a"));
            assert_eq!(folder.get().unwrap().device_id, "a");
        }
    }
}

#[test]
fn it_is_tried_again_at_the_next_call() {
    let folder = Folder::empty();
    let mut keeper = folder.keeper();
    fs::create_dir(folder.path(MAIN)).unwrap();
    keeper.get().unwrap_err();
    fs::remove_dir(folder.path(MAIN)).unwrap();
    folder.write(MAIN, &file("a"));
    assert_eq!(keeper.get().unwrap().device_id, "a");
}

#[test]
fn the_longest_file_is_read() {
    let mut bytes = b"{\"device_id\": \"a\"}".to_vec();
    bytes.resize(65_536, b'\n');
    let folder = Folder::with(&[(MAIN, &bytes)]);
    assert_eq!(folder.get().unwrap().device_id, "a");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = Folder::with(&[("file", b"")]);
    let deep = folder.path("file").join("data");
    let mut keeper = crate::identity::Keeper::new(deep.clone(), "1", std::sync::Arc::default());
    let (path, _) = unavailable(keeper.get().unwrap_err());
    // Windows says of the file that there is none, and of the folder that it can't be made.
    assert_eq!(path, if cfg!(unix) { deep.join(MAIN) } else { deep });
    #[cfg(unix)]
    {
        let link = folder.path("link");
        std::os::unix::fs::symlink("not-mounted", &link).unwrap();
        let mut keeper = crate::identity::Keeper::new(link.clone(), "1", std::sync::Arc::default());
        let (path, reason) = unavailable(keeper.get().unwrap_err());
        assert_eq!(path, link);
        assert!(reason.contains("can't be made"), "{reason}");
    }
}

/// Root may read and write everything, so these mean something for other users only.
#[cfg(unix)]
#[test]
fn permissions_are_respected() {
    use std::os::unix::fs::PermissionsExt;
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if rustix::process::geteuid().is_root() {
        return plexsync_harness::skip("root may do everything");
    }
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
    mode(&folder.path(MAIN), 0o000);
    assert!(folder.refusal().1.contains("Permission denied"));
    mode(&folder.path(MAIN), 0o400);
    mode(&folder.path(""), 0o500);
    assert_eq!(folder.get().unwrap().warning, None);
    let (path, reason) = unavailable(folder.keeper().reset(&ResetParams::default()).unwrap_err());
    assert_eq!((path, reason.contains("can't be written")), (folder.path(MAIN), true));
    mode(&folder.path(""), 0o700);
    fs::remove_file(folder.path(BACKUP)).unwrap();
    mode(&folder.path(""), 0o500);
    assert!(folder.get().unwrap().warning.as_ref().unwrap().contains("can't be written"));
    mode(&folder.path(""), 0o700);
    fs::remove_file(folder.path(MAIN)).unwrap();
    mode(&folder.path(""), 0o500);
    assert!(folder.refusal().1.contains("can't be written"));
    mode(&folder.path(""), 0o700);
    assert_eq!(folder.names(), [""; 0]);
}
