//! `scans.json` where several processes write.

use std::fs;
use std::thread;

use super::*;

#[test]
fn who_can_not_have_the_lock_notes_beside_the_file() {
    let setup = Setup::new();
    setup.put("{}");
    let lock = fs::File::create(setup.data.path().join("data/scans.lock")).unwrap();
    lock.lock().unwrap();
    let ticket = setup.ask("a/1.mp4");
    // What is not in the file was noted after everything that may be.
    assert_eq!(ticket.number, 0);
    assert_eq!(fs::read(setup.file()).unwrap(), b"{}");
    assert_eq!(setup.waiting().len(), 1);
    drop(lock);
    setup.write("b/1.mp4");
    let ticket = setup.ask("b/1.mp4");
    setup.finish(ticket, taken());
    assert_eq!(
        setup.waiting(),
        [(Waits::Folder(setup.path("a")), "Plex was not asked yet".to_owned())]
    );
    let names = crate::files::names(setup.file().parent().unwrap());
    assert_eq!(names.iter().filter(|name| name.starts_with("scans.json")).count(), 1, "{names:?}");
}

/// As rclone answers while another process replaces the file.
#[cfg(unix)]
#[test]
fn who_can_not_read_the_file_now_notes_beside_it() {
    use crate::files::Call;
    use crate::files::faults::{self, Fault};
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, Outcome::NotAsked(None));
    setup.write("b/1.mp4");
    let fault = Fault { call: Call::Open, errno: 5, done: false, times: usize::MAX };
    faults::with(&[fault], || assert_eq!(setup.ask("b/1.mp4").number, 0));
    let waiting: Vec<_> = setup.waiting().into_iter().map(|(what, _)| what).collect();
    assert_eq!(waiting, ["a", "b"].map(|folder| Waits::Folder(setup.path(folder))));
}

/// Some file systems grant the lock to two.
#[test]
fn what_another_process_has_written_meanwhile_is_not_written_over() {
    use crate::scans::store::Kept;
    let other =
        r#"{"waiting":[{"what":{"folder":"/other"},"number":7,"since":5,"reason":"changed"}]}"#;
    for (before, meanwhile) in [(None, Some(other)), (Some("{}"), Some(other)), (Some(other), None)]
    {
        let (setup, mut rounds) = (Setup::new(), 0);
        before.iter().for_each(|before| setup.put(before));
        let ((), kept) = setup.outbox.store.update(
            None,
            || setup.outbox.now(),
            |state, now| {
                rounds += 1;
                match meanwhile {
                    _ if rounds > 1 => {}
                    Some(bytes) => setup.put(bytes),
                    None => fs::remove_file(setup.file()).unwrap(),
                }
                state.note(What::Folder("/mine".to_owned()), Reason::Changed, now);
            },
        );
        assert_eq!((rounds, kept), (2, Kept::Whole));
        let waiting: Vec<_> = setup.waiting().into_iter().map(|(what, _)| what).collect();
        let folder = |name: &str| Waits::Folder(name.to_owned());
        let expected = meanwhile.map(|_| folder("/other")).into_iter().chain([folder("/mine")]);
        assert_eq!(waiting, expected.collect::<Vec<_>>());
    }
}

#[test]
fn other_files_are_no_notes_beside_the_file() {
    let setup = Setup::new();
    setup.put("{}");
    let noted =
        r#"{"waiting":[{"what":{"folder":"/other"},"number":7,"since":5,"reason":"changed"}]}"#;
    for name in ["x-0123456789abcdef", "1-0123456789abcde", "1-0123456789abcdeg", "bak"] {
        fs::write(setup.file().with_file_name(format!("scans.json.{name}")), noted).unwrap();
    }
    assert_eq!(setup.waiting(), []);
}

/// Where a disk knows no links it is written under its final name.
#[test]
fn half_a_note_beside_the_file_is_left_to_its_writer_while_there_may_be_one() {
    use std::time::SystemTime;
    let setup = Setup::new();
    setup.put("{}");
    let path = setup.file().with_file_name("scans.json.1-0123456789abcdef");
    let noted =
        r#"{"waiting":[{"what":{"folder":"/other"},"number":7,"since":5,"reason":"changed"}]}"#;
    fs::write(&path, &noted[..40]).unwrap();
    let _ticket = setup.ask("a/1.mp4");
    fs::write(&path, noted).unwrap();
    assert!(setup.waiting().iter().any(|(what, _)| *what == Waits::Folder("/other".to_owned())));
    fs::write(&path, &noted[..40]).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    setup.write("b/1.mp4");
    let _ticket = setup.ask("b/1.mp4");
    assert!(!path.exists(), "the rest of a process that was killed");
}

/// Eight at once, each with folders of its own and one that all have. On a busy machine some can't have the lock in
/// time; what those have noted is sent by the next call.
#[test]
fn eight_at_once_lose_nothing() {
    let setup = Setup::new();
    let requests = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for number in 0..8 {
            let (setup, requests) = (&setup, &requests);
            scope.spawn(move || {
                for round in 0..6 {
                    let own = format!("{number}-{round}/1.mp4");
                    for file in [own.as_str(), "a/1.mp4"] {
                        setup.write(file);
                        call(&setup.another(), setup, file, requests);
                    }
                }
            });
        }
    });
    let pick = Pick { server: SERVER.to_owned(), most: 1000, hook: false, locations: Vec::new() };
    setup.wait(31);
    for ticket in setup.outbox.pick(&pick, &mut Sweep::default()) {
        setup.finish(ticket, taken());
    }
    let requests = requests.into_inner().unwrap();
    assert_eq!(setup.waiting(), [], "{requests:?}");
    for number in 0..8 {
        assert!((0..6).all(|round| requests.contains(&setup.path(&format!("{number}-{round}")))));
    }
    let names = crate::files::names(setup.file().parent().unwrap());
    let left: Vec<_> = names.iter().filter(|name| name.starts_with(".scans")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn call(outbox: &Outbox, setup: &Setup, file: &str, requests: &Mutex<Vec<String>>) {
    let mut tickets: Vec<_> = arrive(outbox, setup, file).folders.into_iter().collect();
    while let Some(verdict) = tickets.pop() {
        if let Verdict::Ask(mut ticket) = verdict {
            outbox.look(&mut ticket);
            requests.lock().unwrap().push(ticket.folder.clone());
            let finished = outbox.finish(SERVER, true, &[(ticket, taken())]);
            tickets.extend(finished.again.into_iter().map(Verdict::Ask));
        }
    }
}
