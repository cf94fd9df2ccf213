//! Disks that refuse what others can do, and disks that report a failure of what they have done.

use std::fs;
use std::path::Path;

use plexsync_protocol::identity::Origin;
use rustix::io::Errno;

use super::{BACKUP, Folder, MAIN, adopt, assert_uuid_v4, expecting, file, unavailable};
use crate::files::Call;
use crate::files::faults::{self, Fault};

/// What file systems have been seen to answer to calls that they don't know, and to calls that they know.
pub(super) const ERRNOS: [Errno; 16] = [
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

pub(super) const ALWAYS: usize = usize::MAX;

pub(super) fn refuses(call: Call, errno: Errno) -> Fault {
    Fault { call, errno: errno.raw_os_error(), done: false, times: ALWAYS }
}

/// The call is carried out, and the error is a lie.
pub(super) fn lies(call: Call, errno: Errno) -> Fault {
    Fault { done: true, ..refuses(call, errno) }
}

pub(super) fn once(fault: Fault) -> Fault {
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
fn a_recovery_leaves_its_source_alone() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::with(&[(BACKUP, &file("a"))]);
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let before = inode(&folder.path(BACKUP));
    assert_eq!(folder.get().unwrap().origin, Origin::Recovered);
    assert_eq!((inode(&folder.path(BACKUP)), folder.read(MAIN)), (before, file("a")));
}
