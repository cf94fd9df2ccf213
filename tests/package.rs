//! The package that Stash installs: what stands in the zip decides whether users keep their device.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

#[cfg(unix)]
use plexsync_harness::fake_stash::FakeStash;
use plexsync_harness::fake_stash::{PackageManager, Plugin};
use plexsync_protocol::message::method;
use plexsync_protocol::plex::RequestParams;
#[cfg(unix)]
use serde_json::{Value, json};

#[path = "../examples/package/package.rs"]
pub(crate) mod builder;

use builder::{Binary, INDEX_NAME, Package, ZIP_NAME};

const DATE: &str = "2026-01-31 12:00:00";

/// A raw plugin that answers with its own name and its text.
fn script(text: &str) -> String {
    format!("#!/bin/sh\ncat >/dev/null\nprintf '{{\"output\":\"%s {text}\"}}' \"${{0##*/}}\"\n")
}

/// Programs for these platforms, without any permission to run.
fn programs(folder: &Path, platforms: &[&str], text: &str) -> Vec<Binary> {
    let write = |platform: &&str| {
        let path = folder.join(platform);
        fs::write(&path, script(text)).unwrap();
        Binary::parse(&format!("{platform}={}", path.display())).unwrap()
    };
    platforms.iter().map(write).collect()
}

/// Writes a release, as the example does.
fn release(folder: &Path, platforms: &[&str], text: &str, date: &str) -> PathBuf {
    let package = Package::new(&programs(folder, platforms, text), None, date).unwrap();
    fs::write(folder.join(ZIP_NAME), package.zip).unwrap();
    let index = folder.join(INDEX_NAME);
    fs::write(&index, package.index).unwrap();
    index
}

/// The package of the worker itself, packed once for all tests.
static WORKER_PACKAGE: LazyLock<Package> = LazyLock::new(|| {
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    Package::new(&[Binary { platform, path: crate::worker() }], None, DATE).unwrap()
});

/// Installs the worker itself in `<folder>/community/plexsync`, from a source in `<folder>/source`.
#[cfg_attr(windows, expect(dead_code, reason = "the plugin's tests are Unix's"))]
pub(crate) fn install_worker(folder: &Path) -> Plugin {
    let source = folder.join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join(ZIP_NAME), &WORKER_PACKAGE.zip).unwrap();
    fs::write(source.join(INDEX_NAME), &WORKER_PACKAGE.index).unwrap();
    let manager = PackageManager::new(folder, "community");
    manager.install(&source.join(INDEX_NAME), "plexsync").unwrap();
    manager.plugins().unwrap().remove(0)
}

/// Names, modes and contents.
fn entries(zip: &[u8]) -> BTreeMap<String, (u32, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        assert_eq!(entry.system(), zip::System::Unix, "a zip of Windows has no permissions");
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let name = entry.name().unwrap().into_owned();
        entries.insert(name, (entry.unix_mode().unwrap() & 0o7777, content));
    }
    entries
}

fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/stash-plugin/plexsync.yml")
}

fn check_entries(platforms: &[&str], expected: &[(&str, u32)]) {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    fs::write(&parts, "terms").unwrap();
    let programs = programs(folder.path(), platforms, "x");
    let package = Package::new(&programs, Some(&parts), DATE).unwrap();
    let entries = entries(&package.zip);
    let found = entries.iter().map(|(name, (mode, _))| (name.as_str(), *mode));
    let (licenses, found): (Vec<_>, Vec<_>) = found.partition(|(name, _)| name.contains("LICENSE"));
    assert_eq!(found, expected);
    let names = ["LICENSE-APACHE", "LICENSE-MIT", "LICENSES-OF-PARTS.txt"];
    assert_eq!(licenses, names.map(|name| (name, 0o644)));
    assert_eq!(entries["LICENSES-OF-PARTS.txt"].1, "terms");
    // Below `data/` is the user's; another folder for the manifest is another folder for `data/`.
    assert!(entries.keys().all(|name| !name.starts_with("data")));
    assert_eq!(entries["plexsync.yml"].1, fs::read_to_string(manifest()).unwrap());
}

#[test]
fn one_program_is_the_worker_itself() {
    check_entries(&["linux-x86_64"], &[("plexsync-worker", 0o755), ("plexsync.yml", 0o644)]);
    check_entries(&["windows-x86_64"], &[("plexsync-worker.exe", 0o755), ("plexsync.yml", 0o644)]);
}

#[test]
fn several_programs_stand_behind_a_launcher() {
    check_entries(
        &["windows-x86_64", "macos-aarch64", "linux-x86_64"],
        &[
            ("bin/plexsync-worker-linux-x86_64", 0o755),
            ("bin/plexsync-worker-macos-aarch64", 0o755),
            ("plexsync-worker", 0o755),
            ("plexsync-worker.exe", 0o755),
            ("plexsync.yml", 0o644),
        ],
    );
}

#[cfg(unix)]
#[test]
fn the_umask_does_not_count() {
    let run = std::process::Command::new("sh")
        .args(["-c", "umask 077 && exec \"$0\" --exact package::one_program_is_the_worker_itself"])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let platforms = ["linux-x86_64", "windows-x86_64", "linux-aarch64"];
    let folder = tempfile::tempdir().unwrap();
    let mut binaries = programs(folder.path(), &platforms, "x");
    let first = Package::new(&binaries, None, DATE).unwrap();
    // Neither the order of the arguments nor the files' times count.
    binaries.reverse();
    let other = tempfile::tempdir().unwrap();
    let second = Package::new(&programs(other.path(), &platforms, "x"), None, DATE).unwrap();
    for package in [&second, &Package::new(&binaries, None, DATE).unwrap()] {
        assert_eq!(package.zip, first.zip);
        assert_eq!(package.index, first.index);
    }
}

#[test]
fn what_is_no_program_is_refused() {
    for text in ["", "linux-x86_64", "linux-x86_64=", "linux=/x", "=x", "windows-arm=x"] {
        assert!(Binary::parse(text).unwrap_err().contains("linux-aarch64"), "{text}");
    }
    let missing = Binary::parse("linux-x86_64=/no/such/file").unwrap();
    assert!(Package::new(&[missing], None, DATE).is_err());
    let folder = tempfile::tempdir().unwrap();
    let twice = programs(folder.path(), &["linux-x86_64", "linux-aarch64", "linux-x86_64"], "x");
    assert!(Package::new(&twice, None, DATE).is_err());
    assert!(Package::new(&[], None, DATE).err().unwrap().to_string().contains("no program"));
}

#[test]
fn a_target_of_rust_s_is_a_platform_of_the_package_s() {
    for (target, platform) in [
        ("x86_64-unknown-linux-musl", "linux-x86_64"),
        ("aarch64-unknown-linux-musl", "linux-aarch64"),
        ("armv7-unknown-linux-musleabihf", "linux-armv7"),
        ("x86_64-pc-windows-gnu", "windows-x86_64"),
        ("aarch64-apple-darwin", "macos-aarch64"),
        ("x86_64-unknown-freebsd", "freebsd-x86_64"),
    ] {
        assert_eq!(builder::platform_of(target).as_deref(), Ok(platform));
    }
    for target in ["linux", "", "riscv64gc-unknown-linux-gnu", "x86_64-unknown-redox"] {
        assert!(builder::platform_of(target).unwrap_err().contains("linux-aarch64"), "{target}");
    }
}

#[test]
fn dates_are_stash_s() {
    assert_eq!(builder::date_of(1_769_860_800).unwrap(), DATE);
    assert_eq!(builder::parse_date(DATE).unwrap(), DATE);
    for text in ["2026-01-31", "2026-02-31 12:00:00", "2026-01-31T12:00:00Z", ""] {
        assert!(builder::parse_date(text).is_err(), "{text}");
    }
}

#[test]
fn stash_loads_the_manifest() {
    let plugin = Plugin::load(&manifest()).unwrap();
    assert_eq!(plugin.id, "plexsync");
    assert_eq!(plugin.version(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(plugin.exec(), ["plexsync-worker"]);
    assert_eq!(
        plugin.tasks(),
        [
            "Sign in to Plex",
            "Sign out of Plex",
            "Check Plex connection",
            "Scan Plex library",
            "Show waiting scans",
            "List phantom devices",
            "Show identity",
            "Reset identity",
            "Reset identity: yes, become a new device"
        ]
    );
    assert_eq!(plugin.triggers(), ["Scene.Create.Post", "Scene.Update.Post", "Scene.Destroy.Post"]);
    let settings: Vec<_> = plugin.settings().collect();
    assert_eq!(settings.len(), 4);
    for (key, name, description) in settings {
        assert!(["plex_url", "plex_token", "plex_server", "path_map"].contains(&key), "{key}");
        assert!(!name.is_empty() && !description.is_empty(), "{key}");
    }
}

#[test]
fn every_operation_of_the_manifest_is_one_of_the_worker_s() {
    for arguments in Plugin::load(&manifest()).unwrap().default_arguments() {
        match arguments["method"].as_str().unwrap() {
            method::PLEX_REQUEST => {
                let params = arguments["params"].as_str().unwrap();
                serde_json::from_str::<RequestParams>(params).unwrap();
            }
            method::IDENTITY_GET
            | method::IDENTITY_RESET
            | method::PLEX_SCAN
            | method::SCAN_PENDING
            | method::DEVICE_LIST
            | method::AUTH_START
            | method::AUTH_LOGOUT
            | method::DOCTOR_RUN => {
                assert!(arguments.get("params").is_none());
            }
            other => panic!("`{other}` is no method"),
        }
    }
}

#[test]
fn a_manifest_with_a_slip_is_refused() {
    let text = fs::read_to_string(manifest()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plexsync.yml");
    let slips = [
        ("type: STRING", "type: string"),
        ("type: STRING", "type: STRING\n    default: x"),
        ("interface: raw", "interface: grpc"),
        ("interface: raw", "requires: [x]"),
        ("  - plexsync-worker", "  - plexsync-worker\nexec: [x]"),
        ("exec:\n  - plexsync-worker", "exec: plexsync-worker"),
    ];
    for (good, bad) in slips {
        let slipped = text.replacen(good, bad, 1);
        assert_ne!(slipped, text, "{good}");
        fs::write(&path, slipped).unwrap();
        assert!(Plugin::load(&path).is_err(), "{bad}");
    }
}

#[cfg(unix)]
#[test]
fn data_outlives_update_uninstall_and_reinstall() {
    let stash = FakeStash::start();
    let (plugins, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manager = PackageManager::new(plugins.path(), "community");
    let run = || -> Value {
        let found = manager.plugins().unwrap();
        assert_eq!(found.len(), 1);
        found[0].run_task(&stash, "Show identity", &json!({})).output
    };

    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let index = release(source.path(), &[&platform], "one", DATE);
    let folder = manager.install(&index, "plexsync").unwrap();
    assert_eq!(folder, plugins.path().join("community/plexsync"));
    let kept = folder.join("data/device_id.json");
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(&kept, "mine").unwrap();
    assert_eq!(run(), "plexsync-worker one");

    // The date decides, not the version.
    release(source.path(), &[&platform], "two", DATE);
    assert!(!manager.update(&index, "plexsync").unwrap());
    release(source.path(), &[&platform, "windows-x86_64"], "two", "2026-02-01 00:00:00");
    assert!(manager.update(&index, "plexsync").unwrap());
    assert_eq!(run(), format!("plexsync-worker-{platform} two"));

    manager.uninstall("plexsync").unwrap();
    assert!(!folder.join("plexsync.yml").exists());
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    manager.install(&index, "plexsync").unwrap();
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    assert_eq!(run(), format!("plexsync-worker-{platform} two"));
}

#[cfg(unix)]
#[test]
fn a_launcher_without_a_program_for_this_machine_says_so() {
    let stash = FakeStash::start();
    let (plugins, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manager = PackageManager::new(plugins.path(), "");
    let index = release(source.path(), &["windows-x86_64", "linux-armv6"], "x", DATE);
    manager.install(&index, "plexsync").unwrap();
    let run = manager.plugins().unwrap()[0].run_operation(&stash, &json!({}));
    assert_eq!(run.error.as_deref(), Some("exit status: 1"));
    assert!(run.log[0].marked && run.log[0].text.contains("no program for"), "{:?}", run.log);
}

#[test]
fn a_damaged_download_is_not_installed() {
    let (plugins, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = release(source.path(), &["linux-x86_64"], "x", DATE);
    fs::write(source.path().join(ZIP_NAME), "damaged").unwrap();
    let manager = PackageManager::new(plugins.path(), "community");
    assert!(manager.install(&index, "plexsync").unwrap_err().contains("checksum mismatch"));
}

/// Rust without the target's library, as Debian's or a fresh rustup's is: nobody is left with a page of cargo's errors.
#[cfg(unix)]
#[test]
fn a_target_without_its_library_is_refused_with_what_brings_it() {
    use std::os::unix::fs::PermissionsExt;

    let Some(package) = crate::example("package") else { return };
    let folder = tempfile::tempdir().unwrap();
    let compiler = folder.path().join("rustc");
    // A folder that is missing, and one that rustup has left without what was in it.
    for libraries in [folder.path().join("none"), folder.path().to_owned()] {
        fs::write(&compiler, format!("#!/bin/sh\necho '{}'\n", libraries.display())).unwrap();
        fs::set_permissions(&compiler, PermissionsExt::from_mode(0o755)).unwrap();
        let output = std::process::Command::new(&package)
            .args(["--target", "x86_64-unknown-linux-musl", "--date", DATE, "--out"])
            .arg(folder.path().join("out"))
            .env("RUSTC", &compiler)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("`rustup target add x86_64-unknown-linux-musl`"), "{said}");
        assert!(!folder.path().join("out").exists());
    }
}
