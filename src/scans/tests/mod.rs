//! The outbox on a real disk.

mod answers;
mod arrivals;
mod beside;
mod choice;
mod fake_disk;
mod file;
mod histories;
mod outcomes;

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::mark::Local;
use super::*;

const SERVER: &str = "http://plex:32400";

/// An outbox, and a folder with a file in it.
struct Setup {
    outbox: Outbox,
    now: Arc<Mutex<SystemTime>>,
    disk: TempDir,
    data: TempDir,
}

impl Setup {
    fn new() -> Self {
        let (data, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // At rest: everything on disk is older than two seconds.
        let now = Arc::new(Mutex::new(SystemTime::now() + Duration::from_secs(5)));
        let clock = now.clone();
        let clock = Arc::new(move || *clock.lock().unwrap());
        let outbox = Outbox::with(&data.path().join("data"), Arc::new(Local), clock);
        let setup = Self { outbox, now, disk, data };
        setup.write("a/1.mp4");
        setup
    }

    fn write(&self, name: &str) {
        let path = self.disk.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }

    fn wait(&self, seconds: u64) {
        *self.now.lock().unwrap() += Duration::from_secs(seconds);
    }

    fn path(&self, name: &str) -> String {
        self.disk
            .path()
            .join(name.replace('/', std::path::MAIN_SEPARATOR_STR))
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn hook(&self, file: &str) -> Arrived {
        arrive(&self.outbox, self, file)
    }

    fn ask(&self, file: &str) -> Ticket {
        match self.hook(file).folders.remove(0) {
            Verdict::Ask(mut ticket) => {
                self.outbox.look(&mut ticket);
                ticket
            }
            verdict => panic!("{verdict:?}"),
        }
    }

    fn ask_again(&self) -> Ticket {
        self.wait(61);
        self.ask("a/1.mp4")
    }

    fn finish(&self, ticket: Ticket, outcome: Outcome) -> Finished {
        self.outbox.finish(SERVER, true, &[(ticket, outcome)])
    }

    fn waiting(&self) -> Vec<(Waits, String)> {
        let pending = self.outbox.pending().unwrap();
        pending.into_iter().map(|pending| (pending.what, pending.reason)).collect()
    }
}

fn arrive(outbox: &Outbox, setup: &Setup, file: &str) -> Arrived {
    let (folder, _) = file.rsplit_once('/').unwrap();
    let changed = Changed { folder: setup.path(folder), files: vec![setup.path(file)] };
    outbox.arrive(&Arrival {
        server: Some(SERVER.to_owned()),
        folders: vec![changed],
        hook: true,
        ..Arrival::default()
    })
}

fn taken() -> Outcome {
    Outcome::Answered { taken: vec!["1".to_owned()], refused: Vec::new() }
}

#[test]
fn a_folder_that_was_asked_for_is_skipped_until_it_changes() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    assert_eq!(
        setup.waiting(),
        [(Waits::Folder(setup.path("a")), "Plex was not asked yet".to_owned())]
    );
    assert_eq!(setup.finish(ticket, taken()), Finished::default());
    assert_eq!(setup.waiting(), []);
    setup.wait(10);
    let file = setup.data.path().join("data/scans.json");
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Skipped]));
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written);
    setup.write("a/2.mp4");
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Ask(_)]));
}

#[test]
fn quick_deletes_in_one_folder_are_one_request_and_none_is_lost() {
    let setup = Setup::new();
    let names: Vec<_> = (2..=50).map(|name| format!("a/{name}.mp4")).collect();
    names.iter().for_each(|name| setup.write(name));
    let delete = |name: &String| fs::remove_file(setup.path(name)).unwrap();
    let (first, second) = names.split_at(20);
    for deleted in [first, second] {
        deleted.iter().for_each(delete);
        *setup.now.lock().unwrap() = SystemTime::now();
        let ticket = setup.ask(&deleted[0]);
        assert_eq!(setup.finish(ticket, taken()), Finished::default());
        for name in deleted {
            assert!(matches!(setup.hook(name).folders[..], [Verdict::Skipped]), "{name}");
        }
    }
    // What is there is not told by its name: it may have come back, or have changed in place.
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Ask(_)]));
}

#[test]
fn a_server_that_is_away_is_tried_once_a_minute() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    let away = || Outcome::Away { reason: "no connection".to_owned(), restarted: true };
    let said = setup.finish(ticket, away());
    assert_eq!(said.say[&Kind::Away], Say::Now { silent: 0 });
    for _ in 0..3 {
        let arrived = setup.hook("a/1.mp4");
        assert!(matches!(arrived.folders[..], [Verdict::Waiting]));
        assert_eq!((arrived.say, arrived.more), (Some(Say::Silent), false));
    }
    setup.wait(61);
    let ticket = setup.ask("a/1.mp4");
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Waiting]));
    setup.wait(600);
    assert_eq!(setup.finish(ticket, away()).say[&Kind::Away], Say::Now { silent: 4 });
    setup.wait(61);
    let ticket = setup.ask("a/1.mp4");
    assert_eq!(setup.finish(ticket, taken()), Finished::default());
    assert_eq!(setup.waiting(), []);
}

#[test]
fn what_changes_while_it_is_asked_for_is_asked_for_once_more() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    setup.write("a/2.mp4");
    assert!(matches!(setup.hook("a/2.mp4").folders[..], [Verdict::Waiting]));
    let mut again = setup.finish(ticket, taken()).again;
    let ticket = again.remove(0);
    assert_eq!(ticket.folder, setup.path("a"));
    assert_eq!(setup.finish(ticket, taken()), Finished::default());
    assert_eq!(setup.waiting(), []);
}

#[test]
fn nothing_is_made_before_something_waits() {
    let setup = Setup::new();
    assert_eq!(setup.outbox.pending(), Ok(Vec::new()));
    assert_eq!(setup.outbox.forget(), 0);
    assert_eq!(setup.outbox.sections(SERVER), None);
    assert_eq!(fs::read_dir(setup.data.path()).unwrap().count(), 0);
}

/// What a call costs while much waits: `cargo test --release --lib cost_of -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_ten_thousand() {
    for count in [10, 1_000, 10_000] {
        let setup = Setup::new();
        let folder = |number: usize| Changed {
            folder: format!(
                "/data/library/studio {}/a scene with a longer name {number}",
                number / 15
            ),
            files: vec!["/data/x".to_owned()],
        };
        let arrival = |folders| Arrival {
            server: Some(SERVER.to_owned()),
            folders,
            hook: true,
            ..Arrival::default()
        };
        setup.outbox.arrive(&arrival((0..count).map(folder).collect()));
        let bytes = fs::metadata(setup.data.path().join("data/scans.json")).unwrap().len();
        let (begin, start) = (on_cpu(), std::time::Instant::now());
        for _ in 0..10 {
            setup.outbox.summary().unwrap();
        }
        let (read, middle) = ((on_cpu() - begin) / 10, on_cpu());
        for number in 0..10 {
            setup.outbox.arrive(&arrival(vec![folder(count + number + 1_000_000)]));
        }
        let (arrive, both) = ((on_cpu() - middle) / 10, start.elapsed() / 10);
        println!(
            "{count} waiting, {bytes} bytes: read {read} us, arrive {arrive} us on the processor; {both:?} in all"
        );
    }
}

/// Microseconds that this thread has had.
fn on_cpu() -> u64 {
    let about = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    about.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or_default() / 1000
}
