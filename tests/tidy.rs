//! Rules of the house that no compiler holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found
}

/// Which modules each module may use. Everything may use `secret` and `json_text`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("host", &["methods", "rpc", "log"]),
    ("rpc", &[]),
    (
        "methods",
        &[
            "account",
            "files",
            "identity",
            "http",
            "plex",
            "scans",
            "stash",
            "rpc",
            "target",
            "doctor",
            "remote_path",
        ],
    ),
    ("target", &["account", "files", "http", "plex", "stash"]),
    ("files", &[]),
    ("identity", &["files"]),
    ("account", &["files", "http"]),
    ("http", &[]),
    ("scans", &["files", "remote_path"]),
    ("plex", &["http", "remote_path"]),
    ("stash", &["http", "remote_path"]),
    ("remote_path", &[]),
    ("log", &[]),
    ("cli", &["log", "host", "target"]),
    ("doctor", &["account", "files", "identity", "http", "plex", "scans", "stash", "target"]),
    ("commands", &["cli", "rpc", "identity", "pretty"]),
    ("pretty", &[]),
    ("secret", &[]),
    ("json_text", &[]),
    (
        "process",
        &[
            "account", "cli", "commands", "host", "log", "methods", "plex", "pretty", "rpc",
            "target",
        ],
    ),
    ("fuzzing", &["account", "host", "identity", "plex", "rpc", "scans", "stash"]),
];

#[test]
fn nothing_runs_back_up() {
    for (module, allowed) in MAY_USE {
        let folder = root().join("src").join(module);
        let files = if folder.is_dir() {
            files_below(&folder, "rs")
        } else {
            vec![folder.with_extension("rs")]
        };
        let is_product = |file: &PathBuf| {
            !file.ends_with("tests.rs")
                && !file.components().any(|part| part.as_os_str() == "tests")
        };
        for file in files.into_iter().filter(is_product) {
            let text = fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1).filter_map(|rest| {
                rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
            }) {
                let fine = used == *module
                    || ["secret", "json_text"].contains(&used)
                    || allowed.contains(&used);
                assert!(fine, "{}: `{module}` uses `{used}`", file.display());
            }
        }
    }
    let modules = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for module in modules
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
    {
        assert!(
            MAY_USE.iter().any(|(known, _)| *known == module),
            "`{module}` is not in the list of this test"
        );
    }
}

/// A file has one reason to change; a longer one has two. clippy counts the lines of functions.
#[test]
fn no_file_is_long() {
    let is_test = |path: &Path| {
        path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
    };
    for folder in ["src", "protocol/src", "protocol/client/src"] {
        for file in files_below(&root().join(folder), "rs") {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            let relative = file.strip_prefix(root()).unwrap();
            assert!(lines <= 300 || is_test(relative), "{}: {lines} lines", file.display());
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = fs::read_to_string(root().join("tests/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests")).unwrap().flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|end| end == "rs") && name != "main" {
            assert!(
                main.contains(&format!("mod {name};")),
                "`tests/{name}.rs` is not in `tests/main.rs`"
            );
        }
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains(&format!("\n## {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_contract_has_no_way_to_do_anything() {
    let cargo = std::env!("CARGO");
    let arguments =
        ["tree", "-p", "plexsync-protocol", "-e", "normal", "--prefix", "none", "--offline"];
    let tree = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("serde"), "{tree}");
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(!["tokio", "reqwest", "rustix", "hyper", "mio", "clap"].contains(&name), "{tree}");
    }
}

/// Who opens the project finds what every project in Rust has, and nothing else.
#[test]
fn the_project_s_folder_holds_what_is_usual() {
    let listed = Command::new("git").arg("ls-files").current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return plexsync_harness::skip("git can't list the project's files");
    };
    let folders = ["benches", "examples", "proptest-regressions", "protocol", "src", "tests"];
    for path in String::from_utf8(listed.stdout).unwrap().lines() {
        let fine = match path.split_once('/') {
            Some((folder, _)) => folder.starts_with('.') || folders.contains(&folder),
            None => {
                path.ends_with(".md")
                    || [".", "Cargo.", "LICENSE"].iter().any(|begin| path.starts_with(begin))
            }
        };
        assert!(fine, "`{path}` belongs into one of {folders:?}");
    }
}
