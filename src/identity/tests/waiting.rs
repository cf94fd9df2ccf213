//! What is waited for, how long, and what never waits.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use plexsync_protocol::identity::Origin;

use super::{BACKUP, Folder, MAIN, adopt, file, unavailable};
use crate::identity::{IdentityError, Keeper};

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
    let (path, reason) = unavailable(keeper.get().unwrap_err());
    assert_eq!(path, folder.path("device_id.json.lock"));
    assert!(reason.contains("another process"), "{reason}");
    folder.write(MAIN, &file("a"));
    // The id is known now. The backup is not worth a wait: the next load writes it.
    keeper.store.patience.lock = Duration::from_secs(600);
    assert_eq!(keeper.get().unwrap().warning, None);
    assert_eq!(folder.names(), [MAIN, "device_id.json.lock"]);
    drop(lock);
    folder.get().unwrap();
    assert_eq!(folder.read(BACKUP), file("a"));
}

/// Whatever takes time, or a lock, is left to a call that may wait.
#[test]
fn a_good_file_is_found_without_waiting_and_nothing_else_is() {
    type Files = &'static [(&'static str, &'static [u8])];
    const GOOD: &[u8] = b"{\"device_id\": \"a\"}";
    const OTHER: &[u8] = b"{\"device_id\": \"b\"}";
    const DAMAGED: &[u8] = b"{\"device_id\": \"a\"";
    let none: [Files; 8] = [
        &[],
        &[(MAIN, GOOD)],
        &[(MAIN, GOOD), (BACKUP, OTHER)],
        &[(MAIN, GOOD), (BACKUP, b"")],
        &[(BACKUP, GOOD)],
        &[(MAIN, b""), (BACKUP, GOOD)],
        &[(MAIN, DAMAGED), (BACKUP, GOOD)],
        &[(MAIN, b"{")],
    ];
    for files in none {
        let folder = Folder::with(files);
        let before = folder.names();
        let mut keeper = folder.patient_keeper();
        assert_eq!(keeper.get_without_waiting(), None, "{files:?}");
        assert_eq!(folder.names(), before);
        let known = keeper.get().unwrap();
        assert_eq!(keeper.get_without_waiting(), Some(known), "what is held is known");
    }
    let folder = Folder::with(&[(MAIN, GOOD), (BACKUP, GOOD)]);
    // Nobody who holds the lock, and no stop, can hold it up.
    let lock = fs::File::create(folder.path("device_id.json.lock")).unwrap();
    lock.lock().unwrap();
    let mut keeper = folder.patient_keeper();
    keeper.store.stop.store(true, Ordering::Relaxed);
    assert_eq!(keeper.get_without_waiting().unwrap().device_id, "a");
    fs::remove_file(folder.path(MAIN)).unwrap();
    assert_eq!(keeper.get_without_waiting().unwrap().device_id, "a");
}

/// Whoever is told to stop does not begin; whoever has begun does not stop.
#[test]
fn a_reset_is_not_begun_when_the_worker_stops() {
    let folder = Folder::with(&[(MAIN, &file("a")), (BACKUP, &file("a"))]);
    let mut keeper = folder.keeper();
    keeper.store.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(keeper.reset(&adopt("b")), Err(IdentityError::Interrupted));
    assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file("a"), file("a")));
}
