//! Python reads the same files: wherever it finds an id, the same one is found here.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::format::{salvaged, utf16, valid};

/// Texts that are nearly JSON, many of them with a `device_id`.
fn near_json() -> impl Strategy<Value = String> {
    let good = prop::sample::select(vec![
        "null",
        "true",
        "NaN",
        "-Infinity",
        "Infinity",
        "0",
        "-0",
        "1.5e-3",
        "1e999",
        "1E+2",
        "\"\"",
        "\"a\"",
        "\"x\\ny\"",
        "\"\\ud800\"",
        "\"\\u00e9\"",
        "\"é\"",
        "\"   \"",
        "\"device_id\"",
        "\"3F-\\\"q\\\\\\u0041\"",
        "[]",
        "{}",
        "[ ]",
        "{\"device_id\":\"inner\"}",
        "\"\u{7f}\"",
    ]);
    let bad = prop::sample::select(vec![
        "01",
        "1.",
        "-",
        ".5",
        "\"\\x\"",
        "\"a\tb\"",
        "+1",
        "nul",
        "'a'",
        "\"\\u00g0\"",
        "1e",
        "[1,]",
    ]);
    let value = prop_oneof![30 => good, 1 => bad].prop_map(str::to_owned).prop_recursive(
        3,
        12,
        3,
        |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3)
                    .prop_map(|list| format!("[{}]", list.join(", "))),
                inner.prop_map(|value| format!("{{ \"k\" :{value}}}")),
            ]
        },
    );
    let id =
        prop::sample::select(vec!["\"a\"", "\"3f-B {}\"", "\"q\\\"\\/\\u0041\"", "5", "\"é\""]);
    let blank = || prop_oneof![40 => prop::sample::select(vec!["", " ", "\n", "\r\n\t"]), 1 => Just("\u{a0}"), 1 => Just("\u{c}")];
    let name = prop::sample::select(vec!["\"x\"", "\"\"", "\"device\\u005fid\"", "\"device_id\""]);
    let other = (name, blank(), value)
        .prop_map(|(name, blank, value)| format!("{name}{blank}:{blank}{value}"));
    let ours = (blank(), id).prop_map(|(blank, id)| format!("\"device_id\"{blank}:{blank}{id}"));
    let members = prop::collection::vec(prop_oneof![ours, other], 0..4);
    let edit = prop::option::weighted(0.3, "[ -~]");
    (members, blank(), any::<prop::sample::Index>(), edit).prop_map(
        |(members, blank, place, edit)| {
            let mut text = format!("{blank}{{{}}}{blank}", members.join(", "));
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            if let Some(edit) = edit {
                text.insert_str(places[place.index(places.len())], &edit);
            }
            text
        },
    )
}

/// What becomes of such a text on a disk and in editors.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let any_place = any::<prop::sample::Index>;
    prop_oneof![
        8 => near_json().prop_map(String::into_bytes),
        1 => near_json().prop_map(|text| [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        1 => (near_json(), any_place()).prop_map(|(text, place)| {
            let bytes = text.into_bytes();
            bytes[..place.index(bytes.len())].to_vec()
        }),
        1 => (near_json(), any_place(), any::<u8>()).prop_map(|(text, place, byte)| {
            let mut bytes = text.into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            bytes
        }),
        1 => (near_json(), near_json()).prop_map(|(one, other)| (one + &other).into_bytes()),
        1 => near_json().prop_map(|text| utf16(&text, u16::to_le_bytes)),
        1 => near_json().prop_map(|text| utf16(&text, u16::to_be_bytes)),
    ]
}

/// What Python makes of a file: see there.
type Verdict = (Value, Value, Vec<String>);

/// None where there is no Python.
fn python_says(files: &[Vec<u8>]) -> Option<Vec<Verdict>> {
    let mut python = Command::new("python3")
        .args(["-c", include_str!("python.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut questions = python.stdin.take().unwrap();
    let lines: String = files
        .iter()
        .map(|file| file.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect();
    // It answers before it has read everything.
    let asking = std::thread::spawn(move || questions.write_all(lines.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    asking.join().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    Some(answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn wherever_python_finds_an_id_it_is_found_here() {
    let mut runner = TestRunner::default();
    let files: Vec<Vec<u8>> =
        (0..4000).map(|_| damaged().new_tree(&mut runner).unwrap().current()).collect();
    let Some(verdicts) = python_says(&files) else {
        return plexsync_harness::skip("python3 is not installed");
    };
    assert_eq!(verdicts.len(), files.len());
    let (mut whole, mut made_out) = (0, 0);
    for (file, (before, leniently, wherever)) in files.iter().zip(&verdicts) {
        let shown = file.escape_ascii();
        if before.is_string() {
            whole += 1;
            assert_eq!(valid(file).as_deref(), before.as_str(), "{shown}");
        }
        assert_eq!(valid(file).as_deref(), leniently.as_str(), "{shown}");
        if leniently.is_null() {
            let only = if wherever.len() == 1 { wherever.first() } else { None };
            made_out += usize::from(only.is_some());
            assert_eq!(salvaged(file).as_ref(), only, "{shown}");
        }
    }
    assert!(whole > 300, "only {whole} files with an id: the generator is no good");
    assert!(made_out > 300, "only {made_out} damaged files with an id: the generator is no good");
}
