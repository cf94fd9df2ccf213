//! `scans.json` on disks of all kinds.

use std::fs;
use std::path::PathBuf;
use std::thread;

use super::*;
use crate::files::Problem;

impl Setup {
    pub(super) fn file(&self) -> PathBuf {
        self.data.path().join("data/scans.json")
    }

    /// Puts these bytes in the file's place.
    pub(super) fn put(&self, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        fs::write(self.file(), bytes).unwrap();
    }

    pub(super) fn another(&self) -> Outbox {
        let clock = self.now.clone();
        let clock = Arc::new(move || *clock.lock().unwrap());
        Outbox::with(&self.data.path().join("data"), Arc::new(Local), clock)
    }
}

#[test]
fn what_is_not_understood_is_begun_anew() {
    let huge = format!(r#"{{"next":{}}}"#, u64::MAX);
    for bytes in [
        "",
        "{",
        "null",
        "[]",
        "5",
        "\u{0}\u{0}",
        r#"{"waiting":5}"#,
        r#"{"waiting":[{}]}"#,
        r#"{"waiting":[{"what":{"film":"x"},"number":1,"since":1,"reason":"changed"}]}"#,
        r#"{"next":-1}"#,
        &huge,
    ] {
        let setup = Setup::new();
        setup.put(bytes);
        assert_eq!(setup.waiting(), [], "{bytes}");
        let ticket = setup.ask("a/1.mp4");
        assert_eq!(setup.waiting().len(), 1, "{bytes}");
        setup.finish(ticket, taken());
        setup.wait(10);
        assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Skipped]), "{bytes}");
    }
}

#[test]
fn what_is_not_known_is_left_out_and_what_is_missing_has_a_default() {
    let setup = Setup::new();
    let note = r#"{"what":{"folder":"/a"},"number":7,"since":5,"reason":"changed","colour":"red"}"#;
    setup.put(format!(r#"{{"waiting":[{note}],"servers":{{"s":{{"speed":1}}}},"version":9}}"#));
    assert_eq!(setup.waiting()[0].0, Waits::Folder("/a".to_owned()));
    // The numbers of notes count, whatever `next` says.
    assert!(setup.ask("a/1.mp4").number > 7);
    let text = fs::read_to_string(setup.file()).unwrap();
    assert!(!text.contains("colour") && !text.contains("version"), "{text}");
}

#[test]
fn times_in_the_future_count_as_none() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    setup.outbox.keep_sections(SERVER, Vec::new());
    setup.finish(ticket, Outcome::Away { reason: "gone".to_owned(), restarted: false });
    let _claimed = setup.ask_again();
    *setup.now.lock().unwrap() -= Duration::from_secs(3600);
    // The server counts as there, the claim as none, the warning as not said, the list as not read.
    assert_eq!(setup.outbox.sections(SERVER), None);
    let ticket = setup.ask("a/1.mp4");
    let since = setup.outbox.pending().unwrap()[0].since;
    assert!(since <= *setup.now.lock().unwrap());
    let said = setup.finish(ticket, Outcome::Away { reason: "gone".to_owned(), restarted: false });
    assert_eq!(said.say[&Kind::Away], Say::Now { silent: 0 });
}

#[test]
fn an_asked_folder_of_the_future_is_asked_for() {
    let setup = Setup::new();
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, taken());
    setup.wait(10);
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Skipped]));
    *setup.now.lock().unwrap() -= Duration::from_secs(3600);
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Ask(_)]));
}

#[cfg(unix)]
#[test]
fn a_link_in_its_place_is_replaced_and_never_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let setup = Setup::new();
    let target = setup.data.path().join("target");
    fs::write(&target, r#"{"waiting":[]}"#).unwrap();
    fs::create_dir_all(setup.file().parent().unwrap()).unwrap();
    symlink(&target, setup.file()).unwrap();
    let _ticket = setup.ask("a/1.mp4");
    assert_eq!(fs::read_to_string(&target).unwrap(), r#"{"waiting":[]}"#);
    let about = fs::symlink_metadata(setup.file()).unwrap();
    assert!(about.is_file());
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert_eq!(setup.waiting().len(), 1);
}

#[test]
fn a_folder_in_its_place_lets_every_hook_ask() {
    let setup = Setup::new();
    fs::create_dir_all(setup.file()).unwrap();
    for _ in 0..2 {
        let ticket = setup.ask("a/1.mp4");
        assert_eq!(setup.finish(ticket, taken()).again, []);
    }
    let Problem { reason, hint } = setup.outbox.pending().unwrap_err();
    assert!(reason.contains("folder") && hint.contains("remove"), "{reason}; {hint}");
    // Nobody would ever read what was noted beside it.
    let names = crate::files::names(setup.file().parent().unwrap());
    assert!(!names.iter().any(|name| name.starts_with("scans.json.")), "{names:?}");
    assert!(setup.outbox.summary().is_err());
}

#[cfg(unix)]
#[test]
fn a_disk_that_can_not_be_written_lets_every_hook_ask() {
    use crate::files::Call;
    use crate::files::faults::{self, Fault};
    let setup = Setup::new();
    // Plex is away, and that is known.
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, Outcome::Away { reason: "gone".to_owned(), restarted: false });
    let before = fs::read(setup.file()).unwrap();
    setup.write("b/1.mp4");
    const ENOSPC: i32 = 28;
    const EIO: i32 = 5;
    for (call, errno) in [
        (Call::SyncFile, ENOSPC),
        (Call::SyncFile, EIO),
        (Call::Rename, ENOSPC),
        (Call::Rename, EIO),
    ] {
        let fault = Fault { call, errno, done: false, times: usize::MAX };
        faults::with(&[fault], || {
            let ticket = setup.ask("b/1.mp4");
            assert_eq!(ticket.folder, setup.path("b"));
            setup.finish(ticket, taken());
        });
        assert_eq!(fs::read(setup.file()).unwrap(), before, "{call:?} {errno}");
    }
    let fault = Fault { call: Call::Open, errno: EIO, done: false, times: usize::MAX };
    faults::with(&[fault], || drop(setup.ask("b/1.mp4")));
    // A lie: the file is there.
    let fault = Fault { call: Call::Rename, errno: EIO, done: true, times: usize::MAX };
    faults::with(&[fault], || {
        assert!(matches!(setup.hook("b/1.mp4").folders[..], [Verdict::Waiting]))
    });
    assert_eq!(setup.waiting().len(), 2);
}

#[test]
fn of_more_than_two_thousand_files_the_times_are_not_known() {
    let setup = Setup::new();
    (0..2_000).for_each(|number| setup.write(&format!("a/more {number}.mp4")));
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, taken());
    setup.wait(65);
    // Asked for 5 seconds after the file was there: another clock may be that late.
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, taken());
    setup.wait(1);
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Skipped]));
}

/// The disk's clock is behind: what changed after the request has a time before it.
#[test]
fn a_change_in_place_among_many_files_is_asked_for() {
    let setup = Setup::new();
    (0..300).for_each(|number| setup.write(&format!("a/more {number}.mp4")));
    setup.wait(30);
    let ticket = setup.ask("a/1.mp4");
    setup.finish(ticket, taken());
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Skipped]));
    thread::sleep(Duration::from_millis(20));
    setup.write("a/1.mp4");
    assert!(matches!(setup.hook("a/1.mp4").folders[..], [Verdict::Ask(_)]));
}
