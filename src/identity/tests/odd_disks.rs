//! Disks that refuse what others can do, and disks that report a failure of what they have done.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use plexsync_protocol::identity::{Origin, ResetParams};
use rustix::io::Errno;

use super::{BACKUP, Folder, MAIN, adopt, assert_uuid_v4, expecting, file, unavailable};
use crate::files::Call;
use crate::files::faults::{self, Fault};
use crate::identity::IdentityError;

/// What file systems have been seen to answer to calls that they don't know, and to calls that they know.
const ERRNOS: [Errno; 16] = [
    Errno::PERM,
    Errno::IO,
    Errno::BADF,
    Errno::ACCESS,
    Errno::BUSY,
    Errno::XDEV,
    Errno::INVAL,
    Errno::NOTTY,
    Errno::MLINK,
    Errno::NOSYS,
    Errno::OPNOTSUPP,
    Errno::ROFS,
    Errno::ISDIR,
    Errno::TXTBSY,
    Errno::PROTO,
    Errno::STALE,
];

const ALWAYS: usize = usize::MAX;

fn refuses(call: Call, errno: Errno) -> Fault {
    Fault { call, errno: errno.raw_os_error(), done: false, times: ALWAYS }
}

/// The call is carried out, and the error is a lie.
fn lies(call: Call, errno: Errno) -> Fault {
    Fault { done: true, ..refuses(call, errno) }
}

fn once(fault: Fault) -> Fault {
    Fault { times: 1, ..fault }
}

/// Everything that is written once: a first start, a repair, a new identity in the place of a broken one, a reset.
#[track_caller]
fn assert_works(faults: &[Fault]) {
    let what = format!("{faults:?}");
    let folder = Folder::in_memory();
    let made = faults::with(faults, || folder.get()).expect(&what);
    assert_eq!((made.origin, &made.warning), (Origin::Created, &None), "{what}");
    assert_eq!(
        (folder.read(MAIN), folder.read(BACKUP)),
        (file(&made.device_id), file(&made.device_id)),
        "{what}"
    );
    fs::remove_file(folder.path(MAIN)).unwrap();
    assert_eq!(faults::with(faults, || folder.get()).unwrap().origin, Origin::Recovered, "{what}");
    assert_eq!(folder.read(MAIN), file(&made.device_id), "{what}");
    folder.write(MAIN, b"{");
    assert_eq!(faults::with(faults, || folder.get()).unwrap().device_id, made.device_id, "{what}");
    assert_eq!(
        (folder.read(MAIN), folder.kept()),
        (file(&made.device_id), vec![b"{".to_vec()]),
        "{what}"
    );
    let mut keeper = folder.keeper();
    let reset = faults::with(faults, || keeper.reset(&expecting(&made.device_id))).expect(&what);
    let id = &reset.identity.device_id;
    assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file(id), file(id)), "{what}");
    assert_eq!((&keeper.get().unwrap().device_id, &reset.identity.warning), (id, &None), "{what}");
    assert_eq!(folder.get().unwrap().warning, None, "{what}");
    fs::remove_file(folder.path(BACKUP)).unwrap();
    folder.write(MAIN, b"[");
    let made = faults::with(faults, || folder.get()).expect(&what);
    assert_uuid_v4(&made.device_id);
    assert_eq!(
        (made.origin, folder.read(MAIN)),
        (Origin::Regenerated, file(&made.device_id)),
        "{what}"
    );
    assert!(!folder.names().iter().any(|name| name.ends_with(".tmp")), "{what}");
}

#[test]
fn a_way_to_make_a_name_that_is_not_known_is_left_for_the_next() {
    for errno in ERRNOS {
        assert_works(&[refuses(Call::RenameNoReplace, errno)]);
        for other in ERRNOS {
            assert_works(&[refuses(Call::RenameNoReplace, errno), refuses(Call::Link, other)]);
        }
    }
}

#[test]
fn a_call_that_reports_a_failure_of_what_it_has_done_has_done_it() {
    for errno in ERRNOS.into_iter().chain([Errno::EXIST, Errno::NOENT]) {
        let (no_rename, no_link) =
            (refuses(Call::RenameNoReplace, Errno::INVAL), refuses(Call::Link, Errno::PERM));
        assert_works(&[lies(Call::RenameNoReplace, errno)]);
        assert_works(&[no_rename, lies(Call::Link, errno)]);
        assert_works(&[lies(Call::Rename, errno)]);
        assert_works(&[no_rename, no_link, lies(Call::Rename, errno)]);
    }
}

/// The lie is told for a while only, in every call at once.
#[test]
fn a_disk_that_lies_once_is_no_danger() {
    for errno in [Errno::IO, Errno::NOENT, Errno::EXIST] {
        for call in [Call::RenameNoReplace, Call::Link, Call::Rename] {
            assert_works(&[once(lies(call, errno))]);
            assert_works(&[
                once(refuses(Call::RenameNoReplace, Errno::INVAL)),
                once(lies(call, errno)),
            ]);
        }
    }
}

#[test]
fn a_rename_that_is_refused_for_a_moment_is_made() {
    for errno in ERRNOS {
        assert_works(&[once(refuses(Call::Rename, errno))]);
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

#[test]
fn no_mode_is_set_where_it_is_right_and_a_refusal_is_no_failure() {
    use std::os::unix::fs::PermissionsExt;
    for errno in ERRNOS {
        let refused = [refuses(Call::SetMode, errno), refuses(Call::SetOwner, errno)];
        assert_works(&refused);
        for mode in [0o600, 0o640, 0o644, 0o666, 0o400] {
            let folder = Folder::with(&[(MAIN, &file("a"))]);
            fs::set_permissions(folder.path(MAIN), fs::Permissions::from_mode(mode)).unwrap();
            faults::with(&refused, || folder.keeper().reset(&adopt("b"))).unwrap();
            let now = fs::metadata(folder.path(MAIN)).unwrap().permissions().mode() & 0o777;
            assert_eq!((folder.read(MAIN), now & !mode), (file("b"), 0), "{mode:o} became {now:o}");
        }
    }
}

#[test]
fn a_disk_without_fsync_is_good_enough() {
    let unknown = [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOTTY];
    for errno in unknown {
        assert_works(&[refuses(Call::SyncFile, errno)]);
        assert_works(&[refuses(Call::SyncFile, errno), refuses(Call::SyncFolder, errno)]);
    }
    let of_folders = [Errno::BADF, Errno::NOENT, Errno::ISDIR, Errno::ACCESS, Errno::PERM];
    for errno in unknown.into_iter().chain(of_folders) {
        assert_works(&[refuses(Call::SyncFolder, errno)]);
    }
}

/// A disk that fails has not kept what it was given: nothing is promised.
#[test]
fn a_sync_that_fails_is_an_error_and_blames_nobody_else_afterwards() {
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
    let mut keeper = folder.keeper();
    keeper.get().unwrap();
    let failing = [refuses(Call::SyncFile, Errno::IO)];
    unavailable(faults::with(&failing, || keeper.reset(&adopt("b"))).unwrap_err());
    assert_eq!((folder.read(MAIN), keeper.held().unwrap().device_id.as_str()), (file("a"), "a"));
    let failing = [once(refuses(Call::SyncFolder, Errno::IO))];
    let (_, reason) =
        unavailable(faults::with(&failing, || keeper.reset(&adopt("b"))).unwrap_err());
    assert!(reason.contains("may not outlast a crash"), "{reason}");
    assert_eq!((keeper.held(), folder.read(BACKUP)), (None, file("b")));
    let next = keeper.get().unwrap();
    assert_eq!((next.device_id.as_str(), &next.warning), ("b", &None));
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
    for lacking in ["a rename that replaces nothing", "a hard link", "a new file", "not permitted"]
    {
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
    let flickers = |times| [Fault { times, ..refuses(Call::Open, Errno::NOENT) }];
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
    let found = faults::with(&flickers(20), || folder.patient_keeper().get()).unwrap();
    assert_eq!((found.device_id.as_str(), found.origin), ("a", Origin::Loaded));
    let (path, reason) = faults::with(&flickers(ALWAYS), || folder.refusal());
    assert_eq!((path, reason.as_str()), (folder.path(MAIN), "it comes and goes"));
    assert_eq!(faults::with(&flickers(20), || folder.keeper().get_without_waiting()), None);
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

#[test]
fn a_recovery_leaves_its_source_alone() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::with(&[(BACKUP, &file("a"))]);
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let before = inode(&folder.path(BACKUP));
    assert_eq!(folder.get().unwrap().origin, Origin::Recovered);
    assert_eq!((inode(&folder.path(BACKUP)), folder.read(MAIN)), (before, file("a")));
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
