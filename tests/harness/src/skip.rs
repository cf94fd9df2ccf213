//! Tests that can't be had on this machine: none is left out in silence.

use std::fmt::Display;
use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Says that the running test, or a part of it, is skipped, and why: in its own output, and in `target/tmp/skipped`,
/// which [`list`] shows behind all tests and `.ci/run` at its end.
///
/// # Panics
/// When that file can't be written.
#[expect(clippy::print_stdout, reason = "it is said where a test says things")]
pub fn skip(reason: impl Display) {
    println!("skipped: {reason}");
    let program = program();
    note(&tmp(&program), &test_name(&program), reason);
}

/// Prints what was skipped since it was last listed, each with its reason, and keeps it in `target/tmp/skipped.listed`;
/// of a `whole` run also that nothing was.
///
/// # Panics
/// When there is such a file and it can't be read.
#[expect(clippy::print_stdout, reason = "this is the place where it is said")]
pub fn list(whole: bool) {
    let skips = take(&tmp(&program()));
    if !skips.is_empty() {
        println!(
            "\n{} could not be run here (`ok` above is only the harness's word):",
            skips.len()
        );
        skips.iter().for_each(|line| println!("  {line}"));
    } else if whole {
        println!("\nThis machine could run all of them: nothing was skipped.");
    }
    if whole {
        println!(
            "What builds programs of its own or takes minutes was left out (`ignored`): README, \"Developing\", says how to run it."
        );
    }
}

fn program() -> PathBuf {
    std::env::current_exe().expect("the path of the running program")
}

/// The program is `target/PROFILE/deps/TEST`.
fn tmp(program: &Path) -> PathBuf {
    program.ancestors().nth(3).expect("a test lies in cargo's target folder").join("tmp")
}

/// The thread has it; a test target without tests is named by its program, `NAME-HASH`.
fn test_name(program: &Path) -> String {
    match std::thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => {
            let name = program.file_stem().unwrap_or_default().to_string_lossy();
            name.rsplit_once('-').map_or(&*name, |(name, _)| name).to_owned()
        }
    }
}

/// One write at the end of the file: tests skip at the same time.
fn note(folder: &Path, test: &str, reason: impl Display) {
    let line = format!("{test}: {reason}\n");
    create_dir_all(folder).expect("cargo's folder for temporary files");
    let file = OpenOptions::new().append(true).create(true).open(folder.join("skipped"));
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the file of the skips");
}

fn take(folder: &Path) -> Vec<String> {
    let listed = folder.join("skipped.listed");
    if std::fs::rename(folder.join("skipped"), &listed).is_err() {
        return Vec::new();
    }
    let text = std::fs::read_to_string(listed).expect("the file of the skips");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_listed_once_with_the_test_s_name() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("tmp");
        assert!(take(&below).is_empty());
        let name = test_name(&program());
        for reason in ["no printer", "no network", "no printer"] {
            note(&below, &name, reason);
        }
        let name = "skip::tests::a_skip_is_listed_once_with_the_test_s_name";
        assert_eq!(take(&below), [format!("{name}: no network"), format!("{name}: no printer")]);
        assert!(take(&below).is_empty());
    }

    #[test]
    fn a_program_without_tests_has_a_name_too() {
        let program = Path::new("target/debug/deps/real_bytes-0123456789abcdef");
        let name = std::thread::scope(|scope| scope.spawn(|| test_name(program)).join());
        assert_eq!(name.unwrap(), "real_bytes");
    }
}
