//! An identity's whole life on the disks that people have: what it asks of them is done, by one way or another.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread;

use crate::fuse::{Fuse, LIARS, SERVERS, Server};
use crate::race::{broken, empty, one_race, only_backup};
use crate::rig::{GET, RESET, Told, ask, assert_whole, backup, id_of, main_file, row};
use crate::talk::wait_until;

/// Asks, and gets an id without a word of complaint.
#[track_caller]
fn asked(folder: &Path, lines: &[&str], call: u64, origin: &str) -> (String, Told) {
    let told = ask(folder, lines);
    let id = told.id(call).unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(told.reply(call).unwrap()["result"]["origin"], origin, "{told:?}");
    (id, told)
}

/// Whatever was told is found by the next one, which has nothing to warn of.
#[track_caller]
fn assert_settled(folder: &Path, id: &str) {
    let (found, told) = asked(folder, &[GET], 1, "loaded");
    assert_eq!(found, id);
    assert!(told.replies[0]["result"]["warning"].is_null(), "{told:?}");
    [main_file(folder), backup(folder)].iter().for_each(|file| assert_whole(file));
}

/// A disk that lies about a rename lies about the end of a file, too, that it still has open: it renames it.
fn remove(file: &Path) {
    wait_until("a file that is gone", || match fs::remove_file(file) {
        Ok(()) => true,
        Err(error) => error.kind() == ErrorKind::NotFound,
    });
}

fn one_life(root: &Path) {
    let data = tempfile::tempdir_in(root).unwrap();
    let folder = data.path();
    let (first, _) = asked(folder, &[GET], 1, "created");
    assert_settled(folder, &first);
    // The same worker goes on with what it has told.
    let (second, told) = asked(folder, &[GET, RESET, &GET.replace(":1", ":3")], 2, "reset");
    assert_eq!((told.id(1), told.id(3)), (Some(first), Some(second.clone())), "{told:?}");
    assert_settled(folder, &second);
    // A comparison is not lost against oneself, and another length shows what is cached.
    let third = "x".repeat(200);
    let params = format!(r#","params":{{"if_device_id":"{second}","device_id":"{third}"}}}}"#);
    assert_eq!(asked(folder, &[&RESET.replace('}', &params)], 2, "adopted").0, third);
    assert_settled(folder, &third);
    remove(&main_file(folder));
    assert_eq!(asked(folder, &[GET], 1, "recovered").0, third);
    assert_settled(folder, &third);
    fs::write(main_file(folder), "{\"devi").unwrap();
    assert_eq!(asked(folder, &[GET], 1, "recovered").0, third);
    assert_settled(folder, &third);
    fs::write(main_file(folder), "{\"device").unwrap();
    remove(&backup(folder));
    let (new, _) = asked(folder, &[GET], 1, "regenerated");
    assert_settled(folder, &new);
}

fn on_disks(servers: &[Server], rounds: usize, mut done: impl FnMut(&str)) {
    for server in servers {
        let Some(disk) = Fuse::mount(server) else { continue };
        println!("{}", server.name);
        for _ in 0..rounds {
            one_life(disk.root());
            for before in [empty, only_backup, broken] {
                one_race(disk.root(), &[], 16, before);
            }
        }
        done(server.name);
    }
}

/// One process resets, others look: at every moment there is an id, and it is one of those that were told.
fn looks_while_it_is_replaced(root: &Path, rounds: usize) {
    let data = tempfile::tempdir_in(root).unwrap();
    id_of(data.path());
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..rounds {
                let told = ask(data.path(), &[RESET; 10]);
                assert!(told.id(2).is_some(), "{told:?}");
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..rounds * 5 {
                    let told = ask(data.path(), &[GET]);
                    assert!(told.id(1).is_some(), "{told:?}");
                }
            });
        }
    });
}

#[test]
fn an_identity_lives_on_every_disk() {
    on_disks(&SERVERS, 1, |_| {});
}

#[test]
fn a_disk_that_lies_is_not_believed() {
    on_disks(&LIARS, 1, |_| {});
}

#[test]
fn a_file_that_is_being_replaced_is_found() {
    if let Some(disk) = Fuse::mount(&SERVERS[0]) {
        looks_while_it_is_replaced(disk.root(), 5);
    }
}

#[test]
#[ignore = "minutes"]
fn full_disks() {
    let held = "one id, told is found, no warning, no leftovers";
    for servers in [&SERVERS[..], &LIARS[..]] {
        on_disks(servers, 5, |name| {
            row(name, "a life and three races of 16 processes", 5, held, "0 violations");
        });
    }
    if let Some(disk) = Fuse::mount(&SERVERS[0]) {
        looks_while_it_is_replaced(disk.root(), 50);
        row(
            "bindfs",
            "3 look while one resets 500 times",
            1,
            "an id at every look",
            "0 violations",
        );
    }
}
