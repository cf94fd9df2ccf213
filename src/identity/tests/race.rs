//! Many at once: threads and processes agree on one identity.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;

use plexsync_protocol::identity::{Origin, ResetParams};

use super::{BACKUP, Folder, MAIN, expecting, file};
use crate::identity::{IdentityError, Keeper};

const RACERS: usize = 12;
const FOLDER: &str = "PLEXSYNC_TEST_RACE_FOLDER";

fn race<T: Send + 'static>(folder: &Folder, run: fn(Keeper) -> T) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(RACERS));
    let threads: Vec<_> = (0..RACERS)
        .map(|_| {
            let (keeper, barrier) = (folder.keeper(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                run(keeper)
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[track_caller]
fn assert_one_identity(folder: &Folder, new: Origin) {
    let identities = race(folder, |mut keeper| keeper.get().unwrap());
    let ids: BTreeSet<_> = identities.iter().map(|identity| identity.device_id.clone()).collect();
    let makers = identities.iter().filter(|identity| identity.origin == new).count();
    assert_eq!((ids.len(), makers), (1, 1), "{identities:?}");
    let id = ids.first().unwrap();
    assert_eq!((folder.read(MAIN), folder.read(BACKUP)), (file(id), file(id)));
    assert!(!folder.names().iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn threads_agree_on_an_empty_folder() {
    for _ in 0..10 {
        assert_one_identity(&Folder::empty(), Origin::Created);
    }
}

#[test]
fn threads_agree_on_a_broken_file() {
    for _ in 0..5 {
        let folder = Folder::with(&[(MAIN, b"{")]);
        assert_one_identity(&folder, Origin::Regenerated);
        assert_eq!(folder.kept().len(), 1);
        let folder = Folder::with(&[(MAIN, b"{"), (BACKUP, &file("a"))]);
        assert_one_identity(&folder, Origin::Recovered);
        assert_eq!(folder.kept().len(), 1);
        assert_one_identity(&Folder::with(&[(BACKUP, &file("a"))]), Origin::Recovered);
    }
}

/// The lock excludes nobody here: nobody can have it.
#[test]
fn threads_agree_without_a_lock() {
    for main in [None, Some(b"{" as &[u8])] {
        for _ in 0..5 {
            let folder = Folder::empty();
            main.into_iter().for_each(|bytes| folder.write(MAIN, bytes));
            fs::create_dir(folder.path("device_id.json.lock")).unwrap();
            let ids: BTreeSet<_> =
                race(&folder, |mut keeper| keeper.get().unwrap().device_id.clone())
                    .into_iter()
                    .collect();
            assert_eq!(ids.len(), 1, "{main:?}");
            // A file that is being read is not replaced on some disks of Windows: then the backup serves.
            assert_eq!(folder.get().unwrap().device_id, *ids.first().unwrap());
            assert_eq!(folder.read(MAIN), file(ids.first().unwrap()));
        }
    }
}

#[test]
fn one_of_many_resets_of_the_same_id_wins() {
    let folder = Folder::with(&[(MAIN, b"{\"device_id\": \"a\", \"x\": NaN}")]);
    let results = race(&folder, |mut keeper| keeper.reset(&expecting("a")));
    let won: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    let id = &won[0].identity.device_id;
    let changed = IdentityError::Changed { device_id: Some(id.clone()) };
    assert!(
        results.iter().filter_map(|result| result.as_ref().err()).all(|error| *error == changed)
    );
    assert_eq!(folder.read(MAIN), format!("{{\"device_id\": \"{id}\", \"x\": NaN}}").as_bytes());
    assert_eq!(folder.read(BACKUP), folder.read(MAIN));
}

#[test]
fn resets_stand_in_a_row() {
    let folder = Folder::with(&[(MAIN, &file("a"))]);
    let results = race(&folder, |mut keeper| keeper.reset(&ResetParams::default()).unwrap());
    let previous: BTreeSet<_> =
        results.iter().map(|result| result.previous.clone().unwrap()).collect();
    assert_eq!(previous.len(), RACERS, "every id was replaced once");
    assert_eq!(folder.read(BACKUP), folder.read(MAIN));
}

/// Not a test of its own: a process of the races below, and of whoever injects faults into it.
#[test]
#[expect(clippy::disallowed_methods, reason = "the parent has no other way to name the folder")]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        match Keeper::new(PathBuf::from(folder), "1", Arc::default()).get() {
            Ok(identity) => println!("id={} {:?}", identity.device_id, identity.origin),
            Err(error) => println!("error={error:?}"),
        }
    }
}

fn start(folder: &Folder) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "identity::tests::race::child", "--nocapture"]);
    command.env(FOLDER, folder.path("")).stdout(Stdio::piped()).spawn().unwrap()
}

fn answer(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = text.split_once("id=").unwrap_or_else(|| panic!("{text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// All folders at once: half of the time goes into waiting for torn files to become whole.
#[test]
fn processes_agree() {
    let states: [&[(&str, &[u8])]; 3] =
        [&[], &[(MAIN, b"{")], &[(MAIN, b""), (BACKUP, b"{\"device_id\": \"a\"}")]];
    thread::scope(|scope| {
        for files in states.iter().cycle().take(9) {
            scope.spawn(|| one_race_of_processes(files));
        }
    });
}

fn one_race_of_processes(files: &[(&str, &[u8])]) {
    let folder = Folder::with(files);
    let children: Vec<_> = (0..RACERS).map(|_| start(&folder)).collect();
    let ids: BTreeSet<_> = children.into_iter().map(answer).collect();
    assert_eq!(ids.len(), 1, "{files:?}");
    assert_eq!(folder.get().unwrap().device_id, *ids.first().unwrap());
    assert!(folder.names().len() <= 4, "{:?}", folder.names());
}

/// Killed at any moment, it leaves nothing, or a whole identity.
#[cfg(unix)]
#[test]
fn a_killed_process_leaves_the_old_or_the_new() {
    for count in 0..30 {
        let folder = Folder::empty();
        let mut child = start(&folder);
        thread::sleep(std::time::Duration::from_micros(count * 300));
        child.kill().unwrap();
        child.wait().unwrap();
        let before = fs::read(folder.path(MAIN)).ok();
        let id = folder.get().unwrap().device_id.clone();
        assert!(before.is_none_or(|bytes| bytes == file(&id)));
    }
}
