//! A release: what `.ci/release` makes of programs, a step at a time, and what the workflows call.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plexsync_harness::skip;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn workflows() -> Vec<String> {
    let files = fs::read_dir(project(".github/workflows")).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn the_workflows_are_what_github_takes() {
    let linter = project("tests/peers/bin/actionlint");
    if !linter.exists() {
        return skip("`tests/peers/install` has not been run");
    }
    let linted = Command::new(linter).current_dir(project(".")).output().unwrap();
    assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
}

/// What a workflow does can be done by hand, and every step of a release is in one.
#[test]
fn the_workflow_of_a_release_calls_the_script_s_steps() {
    let workflows = workflows();
    let release = workflows.iter().find(|text| text.starts_with("name: release\n")).unwrap();
    let runs = release.lines().filter_map(|line| line.trim().strip_prefix("- run: "));
    let (steps, others): (Vec<_>, Vec<_>) = runs.partition(|line| line.starts_with(".ci/release "));
    let tools = ["gh release create", "printenv TOKEN | buildah login"];
    for line in others {
        assert!(tools.iter().any(|tool| line.starts_with(tool)), "{line}");
    }
    let called: BTreeSet<_> = steps.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    let script = fs::read_to_string(project(".ci/release")).unwrap();
    let told = script.lines().filter_map(|line| line.strip_prefix("#   .ci/release "));
    let told: BTreeSet<_> = told
        .flat_map(|line| line[..line.find("  ").unwrap()].split(", "))
        .filter_map(|step| step.split(' ').next())
        .collect();
    assert_eq!(called, told);
}

/// No job may more than it has to, and none takes an action whose version could be anything.
#[test]
fn the_workflows_may_only_read_unless_a_job_says_otherwise() {
    for text in workflows() {
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{text}");
        assert!(!text.contains("write-all") && !text.contains("pull_request_target"), "{text}");
        for action in text.lines().filter_map(|line| line.split_once("uses: ")) {
            let version = action.1.rsplit_once('@').unwrap().1;
            assert!(version.starts_with('v') || version.len() == 40, "{}", action.1);
        }
    }
}

#[cfg(target_os = "linux")]
mod made {
    use super::*;

    use std::os::unix::fs::PermissionsExt;
    use std::process::Output;

    use plexsync_harness::fake_stash::{FakeStash, PackageManager};
    use plexsync_harness::http::{HttpServer, Response};
    use serde_json::json;

    const FOREIGN: &str = "windows-x86_64";
    const PARTS: &str = "LICENSES-OF-PARTS.txt";
    const DATE: &str = "1769860800";

    fn here() -> String {
        format!("linux-{}", std::env::consts::ARCH)
    }

    /// A release in the making, of this worker and of a program that runs elsewhere.
    struct Release {
        dist: tempfile::TempDir,
        package: PathBuf,
    }

    impl Release {
        /// None where a tool is missing.
        fn new() -> Option<Self> {
            for tool in ["git", "gzip", "sha256sum", "tar", "unzip", "zip"] {
                if Command::new("which").arg(tool).output().is_ok_and(|it| !it.status.success()) {
                    skip(format_args!("{tool} is not installed"));
                    return None;
                }
            }
            let release =
                Self { dist: tempfile::tempdir().unwrap(), package: crate::example("package")? };
            let worker = format!("#!/bin/sh\nexec '{}' \"$@\"\n", crate::worker().display());
            // As an artifact of another job arrives: without permissions.
            release.program(&here(), "plexsync-worker", &worker);
            release.program(FOREIGN, "plexsync-worker.exe", "MZ");
            Some(release)
        }

        fn program(&self, platform: &str, name: &str, content: &str) {
            let folder = self.dist.path().join("programs").join(platform);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(name), content).unwrap();
            fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o644)).unwrap();
        }

        fn step(&self, arguments: &[&str]) -> Output {
            let mut command = Command::new(project(".ci/release"));
            command.args(arguments).env("PLEXSYNC_DIST", self.dist.path());
            command.env("PLEXSYNC_PACKAGE", &self.package).env("SOURCE_DATE_EPOCH", DATE);
            command.output().unwrap()
        }

        fn does(&self, arguments: &[&str]) -> String {
            let output = self.step(arguments);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
            said
        }

        fn refuses(&self, arguments: &[&str], reason: &str) {
            let output = self.step(arguments);
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!output.status.success() && said.contains(reason), "{said}");
        }

        fn file(&self, name: &str) -> PathBuf {
            self.dist.path().join("files").join(name)
        }

        fn archive(&self, platform: &str, end: &str) -> PathBuf {
            let version = env!("CARGO_PKG_VERSION");
            self.file(&format!("plexsync-worker-{version}-{platform}.{end}"))
        }
    }

    #[test]
    fn an_archive_has_the_program_its_manual_and_its_completions() {
        let Some(release) = Release::new() else { return };
        release.does(&["try"]);
        release.does(&["archives"]);
        let archive = release.archive(&here(), "tar.gz");
        let to = tempfile::tempdir().unwrap();
        let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(to.path()).status();
        assert!(tar.unwrap().success());
        let folder = fs::read_dir(to.path()).unwrap().next().unwrap().unwrap().path();
        let program =
            Command::new(folder.join("plexsync-worker")).arg("--version").output().unwrap();
        assert!(String::from_utf8(program.stdout).unwrap().contains(env!("CARGO_PKG_VERSION")));
        for file in [
            "README.md",
            "CHANGELOG.md",
            "LICENSE-MIT",
            "man/plexsync-worker.1",
            "man/plexsync-worker-identity-adopt.1",
            "completions/plexsync-worker.bash",
            "completions/plexsync-worker.fish",
            "completions/_plexsync-worker",
        ] {
            assert!(fs::metadata(folder.join(file)).unwrap().len() > 100, "{file}");
        }
        let parts = fs::read_to_string(folder.join("LICENSES-OF-PARTS.txt")).unwrap();
        for text in ["== ring 0.", "BoringSSL", "== rustls 0.", "Permission is hereby granted"] {
            assert!(parts.contains(text), "{text}");
        }
        assert!(!parts.contains(&*project("").to_string_lossy()));
        let list =
            Command::new("unzip").arg("-l").arg(release.archive(FOREIGN, "zip")).output().unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        for file in ["/plexsync-worker.exe\n", "/man/plexsync-worker.1\n", "/LICENSE-APACHE\n"] {
            assert!(list.contains(file), "{file}: {list}");
        }
        let first = fs::read(&archive).unwrap();
        release.does(&["archives"]);
        assert_eq!(fs::read(&archive).unwrap(), first, "the same inputs give the same bytes");
    }

    #[test]
    fn stash_installs_from_the_pages_by_url() {
        let Some(release) = Release::new() else { return };
        release.does(&["stash"]);
        release.does(&["pages", "https://pages.example/plexsync/"]);
        let pages = release.dist.path().join("pages");
        let told = fs::read_to_string(pages.join("index.html")).unwrap();
        assert!(told.contains("https://pages.example/plexsync/index.yml") && !told.contains('@'));
        let server =
            HttpServer::start(move |request| match fs::read(pages.join(&request.path()[1..])) {
                Ok(bytes) => Response::text(200, "application/octet-stream", bytes),
                Err(_) => Response::new(404),
            });
        let plugins = tempfile::tempdir().unwrap();
        let manager = PackageManager::new(plugins.path(), "community");
        let missing = manager.install(Path::new(&format!("{}/no.yml", server.url())), "plexsync");
        assert!(missing.unwrap_err().contains("is not there"));
        let index = format!("{}/index.yml", server.url());
        manager.install(Path::new(&index), "plexsync").unwrap();
        let run = manager.plugins().unwrap()[0].run_task(
            &FakeStash::start(),
            "Show identity",
            &json!({}),
        );
        assert_eq!(run.error, None, "{:?}", run.log);
    }

    /// What wheels and npm packages hold, where their own tools are not at hand.
    fn packages(release: &Release) {
        let inside = tempfile::tempdir().unwrap();
        let package = inside.path().join("package");
        fs::create_dir(&package).unwrap();
        for name in ["package.json", "plexsync-worker", "plexsync-worker.exe", PARTS] {
            fs::write(package.join(name), "x").unwrap();
        }
        let version = env!("CARGO_PKG_VERSION");
        let platforms =
            ["-linux-x64", "-linux-arm64", "-win32-x64", "-darwin-arm64", "-darwin-x64"];
        for platform in platforms.into_iter().chain([""]) {
            let [npm, wheel] = [format!("{platform}-{version}.tgz"), format!("{platform}.whl")]
                .map(|end| release.file(&format!("plexsync-worker{end}")));
            let tar = Command::new("tar")
                .arg("-czf")
                .arg(npm)
                .arg("package")
                .current_dir(&inside)
                .status();
            let zip = Command::new("zip")
                .arg("-qr")
                .arg(wheel)
                .arg("package")
                .current_dir(&inside)
                .status();
            assert!(tar.unwrap().success() && zip.unwrap().success());
        }
        fs::remove_file(release.file("plexsync-worker.whl")).unwrap();
    }

    #[test]
    fn what_is_not_as_its_sum_says_is_not_released() {
        let Some(release) = Release::new() else { return };
        let script = fs::read_to_string(project(".ci/release")).unwrap();
        let platforms = script.lines().find_map(|line| line.strip_prefix("released=\"")).unwrap();
        let platforms: Vec<_> = platforms.trim_end_matches('"').split(' ').collect();
        let all = workflows().concat();
        let built = all.lines().filter_map(|line| line.trim().strip_prefix("platforms: "));
        let built: BTreeSet<_> = built.flat_map(|line| line.split(' ')).collect();
        assert_eq!(built, platforms.iter().copied().collect(), "what is built is what is expected");
        for platform in platforms.iter().filter(|it| **it != here() && **it != FOREIGN) {
            release.program(platform, "plexsync-worker", "x");
        }
        for step in ["archives", "stash"] {
            release.does(&[step]);
        }
        packages(&release);
        release.does(&["sums"]);
        // Who publishes has the files alone.
        let programs = release.dist.path().join("programs");
        fs::rename(&programs, release.dist.path().join("elsewhere")).unwrap();
        assert!(release.does(&["check"]).contains("files are what they say: 18"));
        let ends =
            ["-linux-x64-2.0.0.tgz", "-2.0.0-macos-x86_64.tar.gz", "-2.0.0-windows-x86_64.zip"];
        for name in ends.map(|end| {
            format!("plexsync-worker{}", end.replace("2.0.0", env!("CARGO_PKG_VERSION")))
        }) {
            let (file, kept) = (release.file(&name), release.dist.path().join("kept"));
            fs::rename(&file, &kept).unwrap();
            release.does(&["sums"]);
            release.refuses(&["check"], &format!("{name}` is missing"));
            fs::rename(&kept, &file).unwrap();
        }
        let wheel = release.file("plexsync-worker-linux-x64.whl");
        let strip =
            Command::new("zip").arg("-qd").arg(&wheel).arg(format!("package/{PARTS}")).status();
        assert!(strip.unwrap().success());
        release.does(&["sums"]);
        release.refuses(&["check"], "has no `LICENSES-OF-PARTS.txt`");
        fs::remove_file(&wheel).unwrap();
        release.does(&["sums"]);
        release.refuses(&["check"], "there are 4 wheels");
        fs::write(release.file("unknown"), "x").unwrap();
        release.refuses(&["check"], "`unknown` has no sum");
        release.does(&["sums"]);
        fs::write(release.file("plexsync.zip"), "x").unwrap();
        release.refuses(&["check"], "plexsync.zip");
        release.does(&["sums"]);
        release.refuses(&["check"], "`index.yml` has another sum");
    }

    /// In a copy of the project, with a `cargo` that only plays.
    #[test]
    fn a_rehearsal_tells_of_each_step_how_it_went() {
        let folder = tempfile::tempdir().unwrap();
        let (copy, tools) = (folder.path().join("copy"), folder.path().join("tools"));
        let mut git = Command::new("git");
        let cloned = git.args(["clone", "--quiet"]).arg(project("")).arg(&copy).output();
        if !cloned.is_ok_and(|output| output.status.success()) {
            return skip("git can't clone the project");
        }
        fs::copy(project(".ci/rehearse"), copy.join(".ci/rehearse")).unwrap();
        fs::create_dir(&tools).unwrap();
        let play = "case \"$*\" in
            *bench*) echo 'row  skipped: nginx is not installed' ;;
            *faults*) echo broken; exit 1 ;;
            *secrets*) mkdir -p target/tmp; echo \"x: left out, 'platforms' runs it\" >target/tmp/skipped ;;
            esac";
        fs::write(tools.join("cargo"), format!("#!/bin/sh\n{play}\n")).unwrap();
        fs::set_permissions(tools.join("cargo"), PermissionsExt::from_mode(0o755)).unwrap();
        let rehearse = |steps: &[&str]| {
            let script = "PATH=\"$0:$PATH\" exec .ci/rehearse \"$@\"";
            let mut shell = Command::new("bash");
            shell.args(["-c", script]).arg(&tools).args(steps).current_dir(&copy);
            let output = shell.output().unwrap();
            (
                output.status.code(),
                String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
            )
        };
        let (code, said) = rehearse(&["secrets", "faults", "bench"]);
        let lines: Vec<_> = said.lines().filter(|line| line.contains(" s  ")).collect();
        assert!(code == Some(1) && lines.len() == 3, "{said}");
        for (line, (name, result)) in lines.iter().zip([
            ("bench", "ok, 1 NOT RUN: "),
            ("faults", "FAILED: "),
            ("secrets", "ok"),
        ]) {
            assert!(line.starts_with(name) && line.contains(&format!(" s  {result}")), "{said}");
        }
        let told = fs::read_to_string(copy.join("target/rehearsal/04-faults.txt")).unwrap();
        assert_eq!(told, "broken\n");
        assert_eq!(rehearse(&["secrets"]).0, Some(0));
        let (code, said) = rehearse(&["secret"]);
        assert!(code == Some(2) && said.contains("expected some of: gate"), "{said}");
    }

    #[test]
    fn the_version_is_the_tag_s_and_has_notes() {
        let Some(release) = Release::new() else { return };
        let tag = concat!("v", env!("CARGO_PKG_VERSION"));
        assert_eq!(release.does(&["version", tag]).trim(), &tag[1..]);
        release.refuses(&["version", "v0.0.1"], "the tag is `v0.0.1`");
        release.refuses(&["build", "amiga-68k"], "`amiga-68k` is no platform");
        release.does(&["notes", "https://pages.example/plexsync/"]);
        let notes = fs::read_to_string(release.dist.path().join("notes.md")).unwrap();
        assert!(
            notes.contains("`https://pages.example/plexsync/index.yml`")
                && !notes.contains("\n## 1.")
        );
    }
}
