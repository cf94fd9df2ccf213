//! What bytes mean, and what is written.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::identity::format::{State, classify, render, splice};

fn valid(bytes: &[u8]) -> Option<String> {
    match classify(Ok(bytes.to_vec())) {
        State::Valid { id, .. } => Some(id),
        _ => None,
    }
}

fn salvaged(bytes: &[u8]) -> Option<String> {
    match classify(Ok(bytes.to_vec())) {
        State::Torn { salvaged, .. } => salvaged,
        state => panic!("{state:?}"),
    }
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn an_id_is_taken_byte_for_byte() {
    let long = "x".repeat(255);
    for id in [
        "3f1b8b52-8f2e-4b6c-9a51-0c7d2c1f5e10",
        "3F1B8B52-8F2E-4B6C-9A51-0C7D2C1F5E10",
        "3f1b8b528f2e4b6c9a510c7d2c1f5e10",
        "pre-existing-device-id-12345",
        "{braces} and spaces ",
        "~",
        &long,
    ] {
        assert_eq!(valid(format!("{{\"device_id\":\"{id}\"}}").as_bytes()).as_deref(), Some(id));
    }
    assert_eq!(valid(br#"{"device_id": "a\"b\\c\/d\u0041"}"#).as_deref(), Some(r#"a"b\c/dA"#));
    assert_eq!(
        valid(br#"{"device\u005fid": "named with an escape"}"#).as_deref(),
        Some("named with an escape")
    );
}

#[test]
fn what_python_and_editors_leave_in_a_file_is_fine() {
    let cases: [&[u8]; 17] = [
        b"{\"x\": \"\\b\\f\\n\\r\\t\\/\\\\\\\"\", \"device_id\": \"a\"}",
        b"\xEF\xBB\xBF{\"device_id\": \"a\"}",
        b"{\r\n  \"device_id\": \"a\"\r\n}\r\n",
        b" \t\r\n{ \"device_id\" : \"a\" } \n",
        b"{\"device_id\": \"a\"}\n}tail of a longer file",
        b"{\"device_id\": \"a\"}\0\0\0",
        b"{\"x\": NaN, \"y\": [-Infinity, Infinity], \"device_id\": \"a\"}",
        b"{\"x\": 1e999, \"y\": -0.5E+3, \"device_id\": \"a\"}",
        b"{\"x\": \"\\ud800\", \"device_id\": \"a\"}",
        b"{\"x\": \"\xff\xfe\", \"\xc3\": 1, \"device_id\": \"a\"}",
        b"{\"device_id\": \"b\", \"device_id\": 5, \"device_id\": \"a\"}",
        b"{\"device_id\": \"a\", \"nested\": {\"device_id\": \"b\", \"l\": [{}, [], [1, {\"k\": null}]]}}",
        b"{\"x\": {}, \"y\": [], \"device_id\": \"a\"}",
        b"{\"x\": true, \"y\": false, \"z\": null, \"device_id\": \"a\"}",
        b"{\"x\": \"\\\"}{\", \"device_id\": \"a\"}",
        b"{\"x\": 123456789012345678901234567890.5, \"device_id\": \"a\"}",
        b"{\"device_id\": \"\\u0061\"}",
    ];
    for bytes in cases {
        assert_eq!(valid(bytes).as_deref(), Some("a"), "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_python_refuses_is_not_whole() {
    for value in
        ["1.", "1e", "1E+", "01", "-", ".5", "+1", "nul", "'x'", "\"\t\"", "\"\\x\"", "[1,]"]
    {
        let file = format!("{{\"x\": {value}, \"device_id\": \"a\"}}");
        assert_eq!(valid(file.as_bytes()), None, "{file}");
        assert_eq!(salvaged(file.as_bytes()).as_deref(), Some("a"), "{file}");
    }
}

#[test]
fn nesting_is_no_danger() {
    let deep =
        format!("{{\"x\": {}{}, \"device_id\": \"a\"}}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(valid(deep.as_bytes()).as_deref(), Some("a"));
    assert_eq!(valid("{\"x\":[".repeat(9_000).as_bytes()), None);
}

#[test]
fn what_is_no_id_is_torn() {
    let too_long = format!("{{\"device_id\": \"{}\"}}", "x".repeat(256));
    let cases: [&[u8]; 25] = [
        b"",
        b" ",
        b"\0\0\0\0",
        b"\xEF\xBB\xBF",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"5",
        b"\"device_id\"",
        b"not json",
        b"{\"device_id\"",
        b"{\"device_id\": ",
        b"{\"device_id\": \"3f1b8b52-8f2e",
        b"{\"device_id\": \"\"}",
        b"{\"device_id\": \"   \"}",
        b"{\"device_id\": 5}",
        b"{\"device_id\": null}",
        b"{\"device_id\": [\"a\"]}",
        b"{\"device_id\": \"a\nb\"}",
        b"{\"device_id\": \"a\\nb\"}",
        b"{\"device_id\": \"a\\u0000b\"}",
        "{\"device_id\": \"é\"}".as_bytes(),
        b"{\"Device_Id\": \"a\"}",
        too_long.as_bytes(),
    ];
    for bytes in cases {
        assert_eq!(valid(bytes), None, "{}", bytes.escape_ascii());
        assert_eq!(salvaged(bytes), None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn the_only_whole_id_of_a_damaged_file_is_salvaged() {
    let text = "{\n  \"device_id\": \"a-b\"\n}";
    let cases: [Vec<u8>; 13] = [
        b"{\"device_id\": \"a-b\"".to_vec(),
        b"{\"device_id\"device_id\": \"a-b\"}".to_vec(),
        b"{\"device_id\" :\n\"a-b\", \"x\": ".to_vec(),
        b"\0\0{\"device_id\": \"a-b\"}".to_vec(),
        b"{\"device_id\": \"a-b\"\xff".to_vec(),
        b"<<<<<<< {\"device_id\": \"a-b\"} ======= {\"device_id\": \"a-b\"}".to_vec(),
        b"[{\"device_id\": \"a-b\"}]".to_vec(),
        b"{\"device_id\": \"a-b\", \"device_id\": 5}".to_vec(),
        b"{'x': 1, \"device_id\": \"a-b\"}".to_vec(),
        [b"\xFF\xFE".to_vec(), utf16(text, u16::to_le_bytes)].concat(),
        [b"\xFE\xFF".to_vec(), utf16(text, u16::to_be_bytes)].concat(),
        utf16(text, u16::to_le_bytes),
        utf16("{\"device_id\": \"a-b\"", u16::to_be_bytes),
    ];
    for bytes in cases {
        assert_eq!(salvaged(&bytes).as_deref(), Some("a-b"), "{}", bytes.escape_ascii());
    }
}

#[test]
fn two_ids_are_one_too_many() {
    for bytes in [
        b"{\"device_id\": \"a\" \"device_id\": \"b\"" as &[u8],
        b"<<<<<<< {\"device_id\": \"a\"} ======= {\"device_id\": \"b\"}",
        b"{\"x\": \"\\\"device_id\\\": \\\"a\\\"\"",
        b"{\"device_id\"device_id\": \"b\", \"device_id\": \"a\"}",
    ] {
        assert_eq!(salvaged(bytes), None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_reset_changes_nothing_but_the_id() {
    let cases: [(&[u8], &[u8]); 7] = [
        (b"{\n  \"device_id\": \"a\"\n}", b"{\n  \"device_id\": \"NEW\"\n}"),
        (
            b"{\"x\": 1e999, \"device_id\" :\t\"a\" , \"y\": [NaN]}\r\n",
            b"{\"x\": 1e999, \"device_id\" :\t\"NEW\" , \"y\": [NaN]}\r\n",
        ),
        (
            b"{\"device_id\": \"a\", \"device_id\": \"b\"}",
            b"{\"device_id\": \"a\", \"device_id\": \"NEW\"}",
        ),
        (
            b"{\"x\": {\"device_id\": \"a\"}, \"device_id\": \"\\u0061\"}",
            b"{\"x\": {\"device_id\": \"a\"}, \"device_id\": \"NEW\"}",
        ),
        (
            b"\xEF\xBB\xBF{\"x\": \"\xff\", \"device_id\": \"a\"}",
            b"\xEF\xBB\xBF{\"x\": \"\xff\", \"device_id\": \"NEW\"}",
        ),
        (b"{\"device_id\": \"a\"}tail", b"{\"device_id\": \"NEW\"}"),
        (b"{", b"{\n  \"device_id\": \"NEW\"\n}"),
    ];
    for (old, new) in cases {
        assert_eq!(splice(old, "NEW").escape_ascii().to_string(), new.escape_ascii().to_string());
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(id in "[ -~]{0,20}[!-~][ -~]{0,20}", other in "[!-~]{1,255}") {
        prop_assert_eq!(valid(&render(&id)), Some(id.clone()));
        prop_assert_eq!(valid(&splice(&render(&other), &id)), Some(id));
    }

    #[test]
    fn any_bytes_are_something(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _state = classify(Ok(bytes));
    }

    #[test]
    fn a_cut_off_file_never_holds_another_id(id in "[!-~]{1,40}", length in 0usize..80) {
        let whole = render(&id);
        let cut = &whole[..length.min(whole.len())];
        let found = match classify(Ok(cut.to_vec())) {
            State::Valid { id, .. } => Some(id),
            State::Torn { salvaged, .. } => salvaged,
            _ => None,
        };
        prop_assert!(found.is_none() || found == Some(id));
    }
}

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
