use super::*;

/// What each way answers on file systems that don't know it, and what must stay an error.
#[test]
fn only_an_unknown_way_leads_to_the_next() {
    use Way::{Link, Rename, RenameNoReplace};
    use rustix::io::Errno;
    let after = |way: Way, errno: Errno, locked| way.after(&errno.into(), locked);
    for errno in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::PERM] {
        assert_eq!(after(RenameNoReplace, errno, false), Some(Link), "{errno}");
    }
    for errno in [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS, Errno::MLINK] {
        assert_eq!(after(Link, errno, true), Some(Rename), "{errno}");
        assert_eq!(after(Link, errno, false), None, "{errno} without a lock");
    }
    for errno in [Errno::NOSPC, Errno::IO, Errno::ROFS, Errno::DQUOT, Errno::EXIST, Errno::NOENT] {
        assert_eq!(after(RenameNoReplace, errno, true), None, "{errno}");
        assert_eq!(after(Link, errno, true), None, "{errno}");
        assert_eq!(after(Rename, errno, true), None, "{errno}");
    }
}

#[test]
fn every_way_makes_a_name_and_none_takes_one() {
    let folder = tempfile::tempdir().unwrap();
    let ways: [fn(&Path, &Path) -> io::Result<()>; 3] =
        [rename_no_replace, |from, to| fs::hard_link(from, to), rename_if_absent];
    for (count, way) in ways.into_iter().enumerate() {
        let (from, to) = (folder.path().join("from"), folder.path().join(format!("to{count}")));
        fs::write(&from, "first").unwrap();
        way(&from, &to).unwrap();
        let _linked = fs::remove_file(&from);
        fs::write(&from, "second").unwrap();
        assert_eq!(way(&from, &to).unwrap_err().kind(), ErrorKind::AlreadyExists, "{count}");
        assert_eq!(fs::read(&to).unwrap(), b"first");
        fs::remove_file(&from).unwrap();
    }
}

#[test]
fn a_name_is_given_once_and_what_is_no_name_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    assert_eq!(publish(&path, b"first", false).unwrap(), Published::Done);
    assert_eq!(publish(&path, b"second", false).unwrap(), Published::Taken);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    let too_long = folder.path().join("x".repeat(300));
    let error = publish(&too_long, b"third", true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidFilename);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_stale_replacement_changes_nothing_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    assert!(matches!(replace(&path, b"new", || false).unwrap(), Replaced::Stale));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert!(matches!(replace(&path, b"new", || true).unwrap(), Replaced::Done));
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_can_t_be_replaced_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let below = replace(&path.join("below"), b"new", || true).unwrap_err();
    assert_eq!(below.kind(), ErrorKind::NotADirectory);
    let looks = std::cell::Cell::new(0);
    let in_the_way = || {
        looks.set(looks.get() + 1);
        fs::remove_file(&path).and_then(|()| fs::create_dir(&path)).is_ok()
    };
    let error = replace(&path, b"new", in_the_way).unwrap_err();
    assert_eq!((error.kind(), looks.get()), (ErrorKind::IsADirectory, 1));
}

/// Only root may have somebody else's file to replace, and give it back.
#[test]
fn a_replaced_file_stays_its_owner_s_and_its_group_s() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (uid, gid) in [(Some(65_534), None), (None, Some(65_534)), (Some(1), Some(2))] {
        fs::write(&path, "old").unwrap();
        if chown(&path, uid, gid).is_err() {
            return eprintln!("skipped: files can't be given away here");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let old = fs::metadata(&path).unwrap();
        assert!(matches!(replace(&path, b"new", || true).unwrap(), Replaced::Done));
        let new = fs::metadata(&path).unwrap();
        assert_ne!(new.ino(), old.ino());
        let about = |about: &Metadata| (about.uid(), about.gid(), about.mode());
        assert_eq!(about(&new), about(&old));
        fs::remove_file(&path).unwrap();
    }
}

/// Somebody else's clean-up, at the worst moment.
#[test]
fn a_writer_whose_temporary_file_vanished_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let rounds = std::cell::Cell::new(0);
    let sweeping = || {
        rounds.set(rounds.get() + 1);
        if rounds.get() < 4 {
            crate::identity::leftover::sweep(folder.path());
        }
        true
    };
    assert!(matches!(replace(&path, b"new", sweeping).unwrap(), Replaced::Done));
    assert_eq!((rounds.get(), fs::read(&path).unwrap()), (4, b"new".to_vec()));
}
