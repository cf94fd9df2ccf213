//! The README: short, and every command in it does what it says.

use std::path::Path;
use std::process::Command;

use plexsync_harness::skip;
use serde_json::Value;

use crate::{host, worker};

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// What stands in backticks within the lines, outside of the fenced blocks.
fn quoted(readme: &str) -> Vec<String> {
    let parts = readme.split("```").step_by(2);
    let quoted = parts.flat_map(|part| part.split('`').skip(1).step_by(2));
    quoted.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The fenced blocks of a shell's lines, without their remarks.
fn shell_blocks(readme: &str) -> Vec<Vec<&str>> {
    let blocks = readme.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix("sh\n"))
        .map(|block| block.lines().map(|line| line.split("  #").next().unwrap().trim()).collect())
        .collect()
}

#[test]
fn it_is_short_enough_to_be_read() {
    assert!(read("README.md").lines().count() <= 200);
}

/// What cargo does there is done by the gate; measurements and long trials at least exist.
#[test]
fn cargo_s_commands_are_the_gate_s() {
    let (readme, gate, manifest) = (read("README.md"), read(".ci/run"), read("Cargo.toml"));
    let blocks = shell_blocks(&readme).concat();
    let commands: Vec<_> = blocks.iter().map(ToString::to_string).chain(quoted(&readme)).collect();
    let mut checked = 0;
    for command in commands.iter().filter(|command| command.starts_with("cargo ")) {
        let words: Vec<_> = command.split(' ').collect();
        let target = words.windows(2).find_map(|pair| match pair {
            ["--bench" | "--test", name] => Some(format!("name = \"{name}\"")),
            _ => None,
        });
        match target {
            Some(target) => assert!(manifest.contains(&target), "{command}"),
            None => assert!(gate.contains(&format!("\nstep {command}")), "{command}"),
        }
        checked += 1;
    }
    assert!(checked >= 7, "{commands:?}");
}

#[test]
fn what_is_tried_by_hand_tells_what_is_said_in_every_shell() {
    let readme = read("README.md");
    let blocks = shell_blocks(&readme);
    let tried = blocks.iter().find(|lines| lines[0].starts_with("export ")).unwrap();
    let script =
        tried.join("\n").replace("target/release/plexsync-worker", worker().to_str().unwrap());
    // No shell's own settings: fish would make a folder for them.
    let home = tempfile::tempdir().unwrap();
    for shell in ["sh", "bash", "zsh", "fish"] {
        let mut command = Command::new(shell);
        let output = command.args(["-c", &script]).env("HOME", home.path()).output();
        let Ok(output) = output else {
            skip(format_args!("{shell} is not installed"));
            continue;
        };
        assert!(output.status.success(), "{shell}: {output:?}");
        check_what_was_said(&String::from_utf8(output.stdout).unwrap());
    }
}

/// The same identity twice, then another one.
fn check_what_was_said(said: &str) {
    let replies: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [first, second, reset] = replies.as_slice() else { panic!("{said}") };
    let id = |reply: &Value| reply["result"]["device_id"].as_str().unwrap().to_owned();
    assert_eq!(id(first), id(second));
    assert_eq!(reset["result"]["previous"], id(first));
    assert_ne!(id(reset), id(first));
}

/// Nothing in a block is of one shell alone: words in a variable, `$'...'`, `&>`, `VAR=value` on a line of its own.
#[test]
fn shell_blocks_are_for_every_shell() {
    for file in [
        "README.md",
        "examples/README.md",
        "examples/stash-plugin/README.md",
        "tests/harness/README.md",
    ] {
        for line in shell_blocks(&read(file)).concat() {
            let words: Vec<_> = line.split_whitespace().collect();
            let assigns = words.len() == 1 && line.contains('=') && !line.starts_with('-');
            let odd = ["| $", "$'", "&>", "<(", "[["].iter().find(|odd| line.contains(*odd));
            assert!(!assigns && odd.is_none(), "{file}: {line}");
        }
    }
}

/// Each command line is taken up to its end: clap tells its help only where all before it is right.
#[test]
fn the_worker_knows_its_commands_and_options() {
    let readme = read("README.md");
    let help = host().arg("--help").run("").stdout;
    let (mut commands, mut options) = (0, 0);
    for text in quoted(&readme) {
        let typed = text
            .strip_prefix("plexsync-worker ")
            .or(text.starts_with("identity adopt ").then_some(&text));
        if let Some(typed) = typed {
            let output = host().args(typed.split(' ')).arg("--help").run("");
            assert!(output.status.success() && output.stdout.contains("Usage"), "{text}");
            commands += 1;
        } else if text.starts_with("--") {
            let option = text.split(' ').next().unwrap();
            assert!(help.contains(option), "{text}");
            options += 1;
        }
    }
    assert!(commands >= 4 && options >= 5, "{commands} commands, {options} options");
}
