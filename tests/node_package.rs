//! The package for hosts in Node: packed, installed into an empty folder from its files alone, and used there.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use plexsync_harness::skip;
use serde_json::{Value, json};

/// Of what the package's code says about its types: made from it by the compiler.
const DECLARATIONS: [&str; 6] =
    ["index", "lib/client", "lib/error", "lib/options", "lib/process", "lib/program"];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn package(path: &str) -> PathBuf {
    project("protocol/node").join(path)
}

/// Runs a command that has to succeed, and returns what it says.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{stderr}");
    said
}

fn have_node_and_npm() -> bool {
    ["node", "npm"].iter().all(|name| match Command::new(name).arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skip(format_args!("{name} is not installed"));
            false
        }
        _ => true,
    })
}

/// Node's name for this platform.
fn platform() -> String {
    run(Command::new("node").args(["-p", "`${process.platform}-${process.arch}`"])).trim().into()
}

/// Packs programs and their platforms, and returns the files: that of the package for hosts first.
fn pack(programs: &[(&Path, &str)], out: &Path) -> Vec<PathBuf> {
    let mut command = Command::new("node");
    command.arg(package("pack.mjs")).env("PLEXSYNC_LICENSES", project("CHANGELOG.md"));
    for (program, platform) in programs {
        command.arg(program).arg(platform);
    }
    run(command.arg(out)).lines().map(PathBuf::from).collect()
}

/// Installs these files, and nothing from elsewhere, into an empty folder.
fn install(folder: &Path, files: &[PathBuf]) {
    fs::create_dir_all(folder).unwrap();
    let mut npm = Command::new("npm");
    npm.args(["install", "--offline", "--no-audit", "--no-fund", "--prefix"]).arg(folder);
    npm.arg("--cache").arg(folder.with_file_name("cache"));
    run(npm.args(files).current_dir(folder));
}

/// What is installed once for all tests, and what it was installed from.
struct Installed {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

static INSTALLED: LazyLock<Option<Installed>> = LazyLock::new(|| {
    if !have_node_and_npm() {
        return None;
    }
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node_package");
    let _ = fs::remove_dir_all(&base);
    fs::create_dir_all(&base).unwrap();
    // Without its debug lines the program packs three times as fast.
    let stripped = base.join("stripped");
    let strip = Command::new("strip").arg("-o").arg(&stripped).arg(crate::worker()).status();
    let is_stripped = strip.is_ok_and(|status| status.success());
    let program = if is_stripped { stripped } else { crate::worker() };
    let files = pack(&[(&program, &platform())], &base.join("files"));
    let folder = base.join("host");
    install(&folder, &files);
    for host in ["examples/node-host", "protocol/node/tests"] {
        for file in fs::read_dir(project(host)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    Some(Installed { folder, files })
});

/// Where the package is installed, the hosts of `examples/node-host` beside it; nothing where Node or npm is missing.
pub(crate) fn installed() -> Option<&'static Path> {
    INSTALLED.as_ref().map(|installed| installed.folder.as_path())
}

#[test]
fn a_host_may_rely_on_what_the_package_promises() {
    let Some(folder) = installed() else { return };
    let mut node = Command::new("node");
    let said = run(node.args(["--test", "promises.test.mjs"]).current_dir(folder));
    let passed = said.lines().find_map(|line| line.split_once("pass ")?.1.parse::<u32>().ok());
    assert!(passed.is_some_and(|passed| passed >= 28), "{said}");
}

#[test]
fn a_package_without_its_program_says_what_to_install_or_takes_the_one_in_path() {
    let Some(Installed { folder, files }) = INSTALLED.as_ref() else { return };
    let alone = folder.with_file_name("alone");
    install(&alone, &files[..1]);
    let scripts = alone.join("node_modules/.bin");
    let node = PathBuf::from(run(Command::new("node").args(["-p", "process.execPath"])).trim());
    let version = |path: &[&Path]| -> Output {
        let path = path.iter().copied().chain(node.parent());
        let path = std::env::join_paths(path).unwrap();
        let mut command = Command::new(scripts.join("plexsync-worker"));
        command.arg("--version").env("PATH", path).output().unwrap()
    };
    // The package's own script is in `PATH` wherever npm runs something, and is no program.
    let missing = version(&[&scripts]);
    let stderr = String::from_utf8_lossy(&missing.stderr);
    assert_eq!(missing.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains(&format!("hint: install `plexsync-worker-{}`", platform())),
        "{stderr}"
    );
    let found = version(&[&scripts, crate::worker().parent().unwrap()]);
    assert!(found.stdout.starts_with(b"plexsync-worker "), "{found:?}");
}

/// A worker that ends at once, as one that can't start.
#[cfg(unix)]
#[test]
fn a_host_whose_worker_is_gone_is_told_so() {
    let Some(folder) = installed() else { return };
    let gone = folder.with_file_name("gone");
    let nothing =
        ["/bin/true", "/usr/bin/true"].map(Path::new).into_iter().find(|file| file.is_file());
    install(&gone, &pack(&[(nothing.unwrap(), &platform())], &gone.join("files")));
    fs::copy(folder.join("host.mjs"), gone.join("host.mjs")).unwrap();
    let mut host = Command::new("node");
    let told = host.args(["host.mjs", "unused"]).current_dir(&gone).output().unwrap();
    let stderr = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.code() == Some(1) && stderr.contains("code: 'ended'"), "{told:?}");
}

#[test]
fn each_platform_has_a_package_and_the_hosts_package_names_them() {
    if !have_node_and_npm() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, "not run here").unwrap();
    let files = pack(&[(&program, "linux-arm64"), (&program, "win32-x64")], folder.path());
    let member = |file: &Path, name: &str| {
        run(Command::new("tar").arg("-xzOf").arg(file).arg(format!("package/{name}")))
    };
    let manifest =
        |file: &Path| serde_json::from_str::<Value>(&member(file, "package.json")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let hosts = manifest(&files[0]);
    assert_eq!(hosts["version"], version);
    assert_eq!(hosts.get("dependencies"), None);
    let expected =
        json!({"plexsync-worker-linux-arm64": version, "plexsync-worker-win32-x64": version});
    assert_eq!(hosts["optionalDependencies"], expected);
    let windows = manifest(&files[2]);
    assert_eq!((&windows["os"], &windows["cpu"]), (&json!(["win32"]), &json!(["x64"])));
    // A static program needs no C library: with `libc` it would not be installed beside the other one.
    assert_eq!(manifest(&files[1]).get("libc"), None);
    assert_eq!(member(&files[2], "plexsync-worker.exe"), "not run here");
    // What goes with the program: in a release the terms of its parts.
    assert!(member(&files[2], "CHANGELOG.md").contains(version));
    let refused =
        Command::new("node").arg(package("pack.mjs")).args(["x", "linux-x86_64", "out"]).output();
    assert!(String::from_utf8_lossy(&refused.unwrap().stderr).contains("as linux-x64"));
}

#[test]
fn the_types_are_those_of_the_contract() {
    if !have_node_and_npm() {
        return;
    }
    let check = if updates() { "" } else { "--check" };
    run(Command::new("node").arg(package("generate.mjs")).arg(check));
}

/// Whether what is made from other files may be written, as in the tests of the contract.
#[expect(clippy::disallowed_methods, reason = "no option reaches a test")]
fn updates() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// TypeScript's compiler, with the types of Node; nothing where it is not installed.
fn compiler() -> Option<Command> {
    let modules = project("tests/peers/node_modules");
    let compiler = modules.join("typescript/bin/tsc");
    if !compiler.exists() || !have_node_and_npm() {
        skip("`tests/peers/install` has not been run");
        return None;
    }
    let mut command = Command::new("node");
    command.arg(compiler).arg("--typeRoots").arg(modules.join("@types"));
    Some(command)
}

#[test]
fn the_code_is_typed_and_says_so_to_hosts() {
    let Some(mut compiler) = compiler() else { return };
    // A copy without the declarations: where they are, the compiler believes them.
    let folder = tempfile::tempdir().unwrap();
    let (source, made) = (folder.path().join("source"), folder.path().join("made"));
    for part in ["", "lib", "bin"] {
        fs::create_dir_all(source.join(part)).unwrap();
        for file in fs::read_dir(package(part)).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            let is_wanted =
                name.ends_with(".js") || name.ends_with(".json") || name == "contract.d.ts";
            if is_wanted {
                fs::copy(file.path(), source.join(part).join(name)).unwrap();
            }
        }
    }
    run(compiler.arg("--project").arg(&source).arg("--outDir").arg(&made));
    for name in DECLARATIONS {
        let name = format!("{name}.d.ts");
        let (new, kept) = (made.join(&name), package(&name));
        if updates() {
            fs::copy(new, kept).unwrap();
        } else if fs::read(new).unwrap() != fs::read(kept).unwrap() {
            panic!("`protocol/node/{name}` is outdated: run this test with UPDATE_EXPECT=1");
        }
    }
}

#[test]
fn a_host_in_typescript_may_write_what_the_contract_says_and_nothing_else() {
    let (Some(folder), Some(mut compiler)) = (installed(), compiler()) else { return };
    let readme = fs::read_to_string(package("README.md")).unwrap();
    let example = readme.split("```js\n").nth(1).unwrap().split("```").next().unwrap();
    fs::write(folder.join("readme.mts"), example).unwrap();
    compiler.args(["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]);
    compiler.args(["--lib", "es2023,esnext.disposable", "--types", "node"]);
    run(compiler.args(["host.mts", "readme.mts"]).current_dir(folder));
    let file = format!("./plexsync-worker-{}.tgz ", env!("CARGO_PKG_VERSION"));
    assert!(readme.contains(&file), "the README installs `{file}`");
}
