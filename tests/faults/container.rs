//! Two containers on one volume: other paths, other users, the same process numbers in both.

use std::collections::BTreeSet;
use std::path::Path;

use plexsync_harness::skip;

use crate::rig::{GET, folder, have, id_of, row, runs, temporary_files};
use crate::talk::Talk;

const WORKERS: usize = 12;

/// Starts the workers, waits for the sign, and gives it to all of them: it is the call.
const TWELVE: &str = "import subprocess, sys
pipe = subprocess.PIPE
workers = [subprocess.Popen(sys.argv[1:], stdin=pipe, stdout=pipe) for _ in range(12)]
print('\"ready\"', flush=True)
call = sys.stdin.readline().encode()
for worker in workers:
    worker.stdin.write(call)
    worker.stdin.flush()
for worker in workers:
    sys.stdout.buffer.write(worker.communicate()[0])
sys.exit(any(worker.returncode for worker in workers))";

/// Namespaces of its own of every kind, the machine to read, the volume at `place`.
fn container(volume: &Path, place: &str) -> Talk {
    let mut words = vec!["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"];
    words.extend(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/mnt"]);
    words.extend(["--bind", volume.to_str().unwrap(), place, "python3", "-c", TWELVE]);
    Talk::start(&words, Path::new(place))
}

const PLACES: [&str; 2] = ["/mnt/one", "/mnt/another/way"];

fn race() {
    let volume = folder();
    let mut containers = PLACES.map(|place| container(volume.path(), place));
    containers.iter_mut().for_each(|container| assert_eq!(container.reply(), "ready"));
    containers.iter_mut().for_each(|container| container.say(&format!("{GET}\n")));
    let mut told = containers.map(Talk::end);
    told.iter_mut().for_each(|told| drop(told.replies.remove(0)));
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
    if !have(&["bwrap", "python3"]) {
        return false;
    }
    let ready = runs("bwrap", &["--unshare-all", "--ro-bind", "/", "/", "true"]);
    if !ready {
        skip("bwrap can make no namespaces here");
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
