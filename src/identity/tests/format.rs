//! What bytes mean, and what is written.

use proptest::prelude::*;

use crate::identity::format::{State, classify, render, splice};

pub(super) fn valid(bytes: &[u8]) -> Option<String> {
    match classify(Ok(bytes.to_vec())) {
        State::Valid { id, .. } => Some(id),
        _ => None,
    }
}

pub(super) fn salvaged(bytes: &[u8]) -> Option<String> {
    match classify(Ok(bytes.to_vec())) {
        State::Torn { salvaged, .. } => salvaged,
        state => panic!("{state:?}"),
    }
}

pub(super) fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
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
        "NaN",
        "an -Infinity of NaNs",
        &long,
    ] {
        assert_eq!(valid(format!("{{\"device_id\":\"{id}\"}}").as_bytes()).as_deref(), Some(id));
    }
    assert_eq!(valid(br#"{"device_id": "a\"b\\c\/d\u0041"}"#).as_deref(), Some(r#"a"b\c/dA"#));
    let beside = br#"{"x": "\"", "device_id": "\"NaN\\", "y": NaN}"#;
    assert_eq!(valid(beside).as_deref(), Some(r#""NaN\"#));
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
