//! The power goes: a file system on a loop device is shut down in the middle, and mounted again.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::mount::Mount;
use crate::rig::{
    GET, OLD, RESET, Told, ask, assert_whole, backup, command, feed, have, id_of, is_root,
    lived_in, main_file, row, runs, temporary_files, worker,
};

/// What was not on the disk is lost; `flushed` lets the journal reach it first.
pub(crate) fn lose_power(disk: &Mount, flushed: bool) {
    let shutdown = if flushed { "shutdown -f" } else { "shutdown" };
    assert!(runs("xfs_io", &["-x", "-c", shutdown, disk.path()]));
}

/// What the worker is doing when the power goes.
#[derive(Debug, Clone, Copy)]
enum Doing {
    Create,
    Reset,
    Recover,
}

impl Doing {
    fn prepare(self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        match self {
            Self::Create => {}
            Self::Reset => lived_in(folder),
            Self::Recover => {
                lived_in(folder);
                fs::remove_file(main_file(folder)).unwrap();
            }
        }
    }

    fn line(self) -> &'static str {
        match self {
            Self::Create | Self::Recover => GET,
            Self::Reset => RESET,
        }
    }
}

/// Cuts the power at one moment after another; tells how often the worker had answered by then.
fn cuts(disk: &Mount, doing: Doing, trials: usize) -> usize {
    let mut answered = 0;
    for trial in 0..trials {
        let data = disk.root().join(format!("{doing:?}-{trial}"));
        doing.prepare(&data);
        disk.sync();
        let mut child = command(&[], worker(), &data).spawn().unwrap();
        feed(&mut child, &[doing.line()]);
        sleep(Duration::from_micros(trial as u64 * 379 % 15_000));
        lose_power(disk, trial % 2 == 0);
        let told = Told::of(&child.wait_with_output().unwrap());
        disk.again();
        answered += usize::from(told.id(1).or(told.id(2)).is_some());
        judge(doing, &data, &told);
    }
    answered
}

fn judge(doing: Doing, data: &Path, told: &Told) {
    assert_whole(&main_file(data));
    assert_whole(&backup(data));
    assert!(!told.panicked(), "{told:?}");
    let told_id = told.id(1).or_else(|| told.id(2));
    // A reset replaces a file that was there; a first run has answered only when its file is there to stay. A recovery
    // may go on with the backup's id where it can't write.
    let lasts = match doing {
        Doing::Create => told_id.is_some(),
        Doing::Reset => true,
        Doing::Recover => false,
    };
    assert!(!lasts || main_file(data).exists(), "{doing:?}: the file is lost: {told:?}");
    let next = ask(data, &[GET]);
    let origin = &next.reply(1).unwrap()["result"]["origin"];
    assert!(!lasts || *origin == "loaded", "{doing:?}: {told:?}, then {next:?}");
    let found = next.id(1).unwrap();
    assert!(told_id.as_ref().is_none_or(|id| *id == found), "{told:?}, then {found}");
    if matches!(doing, Doing::Recover) {
        assert_eq!(found, OLD);
    }
    assert_eq!(id_of(data), found);
    assert!(temporary_files(data) <= 2);
}

const MKFS: [(&str, &str); 2] = [("ext4", "mkfs.ext4"), ("xfs", "mkfs.xfs")];

fn ready() -> bool {
    is_root() && have(&["xfs_io", "mount", "umount", "losetup", "sync"])
}

#[test]
fn what_was_told_outlives_the_power() {
    if !ready() {
        return;
    }
    for disk in MKFS.iter().filter_map(|(_, mkfs)| Mount::image(mkfs)) {
        for doing in [Doing::Create, Doing::Reset, Doing::Recover] {
            cuts(&disk, doing, 3);
        }
    }
}

#[test]
#[ignore = "minutes"]
fn full_power_cuts() {
    if !ready() {
        return;
    }
    for (name, mkfs) in MKFS {
        let Some(disk) = Mount::image(mkfs) else { continue };
        for doing in [Doing::Create, Doing::Reset, Doing::Recover] {
            let answered = cuts(&disk, doing, 200);
            let how = format!(
                "{doing:?} on {name}, 0 to 15 ms after the call was sent, half of them with the journal flushed"
            );
            let figure = format!("0 violations, {answered} had answered");
            row(
                "power cut",
                &how.to_lowercase(),
                200,
                "told is found, nothing torn or lost",
                &figure,
            );
        }
    }
}
