//! Two containers on one volume: other paths, other users, the same process numbers in both.

use std::collections::BTreeSet;
use std::path::Path;

use crate::rig::{
    GET, Told, command, feed, folder, have, id_of, row, runs, temporary_files, worker,
};

const WORKERS: usize = 12;

/// The first line of input is the sign to start; every worker gets it.
const TWELVE: &str = r#"read -r call
for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
    printf '%s\n' "$call" | "$@" &
done
wait"#;

/// Namespaces of its own of every kind, the machine to read, the volume at `place`.
fn container<'a>(volume: &'a str, place: &'a str) -> Vec<&'a str> {
    let mut words = vec!["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"];
    words.extend(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/mnt", "--bind", volume, place]);
    words.extend(["sh", "-c", TWELVE, "sh"]);
    words
}

const PLACES: [&str; 2] = ["/mnt/one", "/mnt/another/way"];

fn race() {
    let volume = folder();
    let mut containers = PLACES.map(|place| {
        let words = container(volume.path().to_str().unwrap(), place);
        command(&words, worker(), Path::new(place)).spawn().unwrap()
    });
    containers.iter_mut().for_each(|container| feed(container, &[GET]));
    let told = containers.map(|container| Told::of(&container.wait_with_output().unwrap()));
    let results: Vec<_> =
        told.iter().flat_map(|told| &told.replies).map(|reply| &reply["result"]).collect();
    assert_eq!(results.len(), 2 * WORKERS, "{told:?}");
    let ids: BTreeSet<_> = results.iter().map(|result| result["device_id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "{told:?}");
    let makers = results.iter().filter(|result| result["origin"] == "created").count();
    assert!(makers <= 1, "{told:?}");
    for (told, place) in told.iter().zip(PLACES) {
        let path = format!("{place}/device_id.json");
        assert!(told.replies.iter().all(|reply| reply["result"]["path"] == path), "{told:?}");
        assert!(told.status.success() && !told.panicked(), "{told:?}");
    }
    assert_eq!(ids.first().unwrap().unwrap(), id_of(volume.path()));
    assert_eq!(temporary_files(volume.path()), 0);
}

fn ready() -> bool {
    let ready =
        have(&["bwrap"]) && runs("bwrap", &["--unshare-all", "--ro-bind", "/", "/", "true"]);
    if !ready {
        println!("skipped: no containers here");
    }
    ready
}

#[test]
fn containers_on_one_volume_agree() {
    if ready() {
        (0..3).for_each(|_| race());
    }
}

#[test]
#[ignore = "a minute"]
fn full_containers() {
    if ready() {
        (0..50).for_each(|_| race());
        let how = "two containers, 12 processes each, an empty volume at two paths";
        row("started together", how, 50, "one id, at most one maker, no leftovers", "0 violations");
    }
}
