//! Disks that lack what nothing stands in for: what is answered there, and what still works.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use plexsync_protocol::identity::{Origin, ResetParams};
use rustix::io::Errno;

use super::odd_disks::{ALWAYS, ERRNOS, refuses};
use super::{BACKUP, Folder, MAIN, adopt, expecting, file, unavailable};
use crate::files::Call;
use crate::files::faults::{self, Fault};
use crate::identity::IdentityError;

#[test]
fn a_disk_that_knows_no_way_is_named_with_what_it_lacks() {
    let folder = Folder::empty();
    let refused = [
        refuses(Call::RenameNoReplace, Errno::INVAL),
        refuses(Call::Link, Errno::PERM),
        refuses(Call::CreateNew, Errno::OPNOTSUPP),
    ];
    let error = faults::with(&refused, || folder.get()).unwrap_err();
    let IdentityError::Unavailable { path, reason, hint } = error else { panic!("{error:?}") };
    assert_eq!((path, hint), (folder.path(MAIN), "choose a data folder on a local disk"));
    for lacking in ["RENAME_NOREPLACE: ", "link: ", "O_EXCL: ", "not permitted"] {
        assert!(reason.contains(lacking), "{reason}");
    }
    assert_eq!(folder.names(), ["device_id.json.lock"]);
}

/// Two resets that expect the same id could both succeed without one.
#[test]
fn a_disk_without_locks_does_all_but_a_comparison() {
    for errno in ERRNOS {
        let no_locks = [refuses(Call::Lock, errno)];
        let folder = Folder::empty();
        let id = faults::with(&no_locks, || folder.get()).unwrap().device_id.clone();
        let (path, reason) = unavailable(
            faults::with(&no_locks, || folder.keeper().reset(&expecting(&id))).unwrap_err(),
        );
        assert_eq!(
            (path, reason.contains("needs a lock")),
            (folder.path("device_id.json.lock"), true)
        );
        faults::with(&no_locks, || folder.keeper().reset(&adopt("b"))).unwrap();
        assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("b"), file("b")));
    }
}

/// No lock, no link, no exclusive rename: what remains is `O_EXCL`.
#[test]
fn many_agree_on_a_disk_that_knows_nothing() {
    for _ in 0..10 {
        let folder = Folder::empty();
        let ids: BTreeSet<_> = thread::scope(|scope| {
            let start = || {
                let bare = [
                    refuses(Call::RenameNoReplace, Errno::INVAL),
                    refuses(Call::Link, Errno::IO),
                    refuses(Call::Lock, Errno::NOSYS),
                ];
                faults::with(&bare, || folder.patient_keeper().get().unwrap().device_id.clone())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(folder.read(MAIN), file(ids.first().unwrap()));
    }
}

#[test]
fn a_file_that_flickers_is_waited_for_and_no_link() {
    for (errno, expected) in [
        (Errno::NOENT, "it comes and goes"),
        (Errno::STALE, "it comes and goes"),
        (Errno::IO, "it can't be read: "),
    ] {
        let flickers = |times| [Fault { times, ..refuses(Call::Open, errno) }];
        let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
        let found = faults::with(&flickers(20), || folder.patient_keeper().get()).unwrap();
        assert_eq!((found.device_id.as_str(), found.origin), ("a", Origin::Loaded));
        let (path, reason) = faults::with(&flickers(ALWAYS), || folder.refusal());
        assert_eq!((path, reason.starts_with(expected)), (folder.path(MAIN), true), "{reason}");
        assert_eq!(faults::with(&flickers(20), || folder.keeper().get_without_waiting()), None);
    }
}

/// As often as a damaged file can't be replaced, and whatever else was kept.
#[test]
fn the_same_broken_bytes_are_kept_once() {
    let folder = Folder::with(&[(MAIN, b"precious"), (BACKUP, &file("a"))]);
    let refused = [refuses(Call::Rename, Errno::PERM)];
    for bytes in [b"precious" as &[u8], b"another damage", b"precious"] {
        folder.write(MAIN, bytes);
        for _ in 0..3 {
            assert_eq!(faults::with(&refused, || folder.get()).unwrap().device_id, "a");
        }
    }
    assert_eq!(folder.kept(), [b"precious" as &[u8], b"another damage"]);
}

/// A symlink is not followed, a FIFO not waited for: it is as if there were no locks.
#[test]
fn what_stands_in_the_lock_s_place_is_left_alone() {
    let in_its_place: [fn(&Path); 3] = [
        |path| fs::create_dir(path).unwrap(),
        |path| std::os::unix::fs::symlink("elsewhere", path).unwrap(),
        |path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
    ];
    for make in in_its_place {
        let folder = Folder::empty();
        make(&folder.path("device_id.json.lock"));
        let made = folder.get().unwrap();
        assert_eq!(made.origin, Origin::Created);
        assert!(!folder.path("elsewhere").exists());
        let refused = folder.keeper().reset(&expecting(&made.device_id)).unwrap_err();
        assert_eq!(unavailable(refused).0, folder.path("device_id.json.lock"));
        let reset = folder.keeper().reset(&ResetParams::default()).unwrap();
        assert_eq!(reset.previous, Some(made.device_id.clone()));
    }
}

#[test]
fn no_space_is_no_reason_to_try_another_way() {
    for errno in [Errno::NOSPC, Errno::DQUOT] {
        for call in [Call::RenameNoReplace, Call::Rename] {
            let folder = Folder::with(if call == Call::Rename {
                &[(MAIN, b"{\"device_id\": \"a\"}")]
            } else {
                &[]
            });
            let outcome =
                faults::with(&[refuses(call, errno)], || folder.keeper().reset(&adopt("b")));
            let Err(IdentityError::Unavailable { hint, .. }) = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(hint, "make room on the disk");
        }
    }
}

#[test]
fn a_rename_that_is_refused_for_ever_is_an_error_and_the_old_identity_stays() {
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
    let mut keeper = folder.keeper();
    keeper.get().unwrap();
    let start = Instant::now();
    let refused = [refuses(Call::Rename, Errno::BUSY)];
    let error = faults::with(&refused, || keeper.reset(&ResetParams::default())).unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert!(
        matches!(error, IdentityError::Unavailable { hint, .. } if hint.contains("mount its folder"))
    );
    assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("a"), file("a")));
    assert_eq!(keeper.held().unwrap().device_id, "a");

    folder.write(MAIN, b"broken");
    let served = faults::with(&refused, || folder.get()).unwrap();
    assert_eq!((served.device_id.as_str(), served.origin), ("a", Origin::Recovered));
    assert!(served.warning.as_ref().unwrap().contains("can't be restored"));
    assert_eq!(folder.read(MAIN), b"broken");
}
