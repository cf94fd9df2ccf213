//! Tests that can't be had on this machine: none is left out in silence.

use std::fmt::Display;
use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::Path;

/// Says that the running test is skipped, and why: in its own output, and in `target/tmp/skipped`, which `.ci/run`
/// shows at its end.
///
/// # Panics
/// When that file can't be written.
#[expect(clippy::print_stdout, reason = "it is said where a test says things")]
pub fn skip(reason: impl Display) {
    println!("skipped: {reason}");
    let program = std::env::current_exe().expect("the path of the running program");
    // The program is `target/PROFILE/deps/TEST`.
    let target = program.ancestors().nth(3).expect("a test lies in cargo's target folder");
    note(&target.join("tmp"), reason);
}

/// One write at the end of the file: tests skip at the same time.
fn note(folder: &Path, reason: impl Display) {
    let thread = std::thread::current();
    let line = format!("{}: {reason}\n", thread.name().unwrap_or("a test"));
    create_dir_all(folder).expect("cargo's folder for temporary files");
    let file = OpenOptions::new().append(true).create(true).open(folder.join("skipped"));
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the file of the skips");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_a_line_with_the_test_s_name() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("tmp");
        note(&below, "no network");
        note(&below, "no printer");
        let kept = std::fs::read_to_string(below.join("skipped")).unwrap();
        let name = "skip::tests::a_skip_is_a_line_with_the_test_s_name";
        assert_eq!(kept, format!("{name}: no network\n{name}: no printer\n"));
    }
}
