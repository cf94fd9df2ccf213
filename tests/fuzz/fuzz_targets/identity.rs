//! Any bytes as the identity's file and as its backup, a record separator (0x1E) between them, against Python:
//!
//! - Wherever the plugin that wrote the file before found an id, the file is whole, and its id is the same.
//! - A file is whole where Python, read leniently, finds an id in the object that it begins with, and only there: a
//!   byte order mark, bytes that are no UTF-8 and what stands behind the object are no obstacles. Of several members
//!   `device_id` the last counts. An id is 1 to 255 printable ASCII characters, not all of them spaces.
//! - Any other file is salvaged where exactly one id stands in it whole, also in UTF-16.
//! - The file's id goes before the backup's, and no third one is ever used.
#![no_main]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use plexsync_worker::fuzzing::{Meaning, kept, meaning};
use serde_json::Value;

const ORACLE: &str = include_str!("../../../src/identity/tests/python.py");

fuzz_target!(|bytes: &[u8]| {
    let mut files = bytes.splitn(2, |&byte| byte == 0x1E);
    let (file, copy) = (files.next().unwrap_or_default(), files.next().unwrap_or_default());
    let (of_file, of_copy) = (checked(file), checked(copy));
    assert_eq!(kept(file, copy), of_file.or(of_copy));
});

/// The id of a file, in which Python and the worker agree.
fn checked(bytes: &[u8]) -> Option<String> {
    let (before, leniently, wherever) = ask_python(bytes);
    let found = meaning(bytes);
    if let Some(id) = before.as_str() {
        assert_eq!(found, Meaning::Whole(id.to_owned()), "as before");
    }
    let salvaged = || match wherever.as_slice() {
        [only] => Meaning::Salvaged(only.clone()),
        _ => Meaning::Nothing,
    };
    match &leniently {
        Value::String(id) => assert_eq!(found, Meaning::Whole(id.clone()), "leniently"),
        Value::Null => assert_eq!(found, salvaged(), "wherever"),
        _too_deep_for_python => {}
    }
    match found {
        Meaning::Whole(id) | Meaning::Salvaged(id) => Some(id),
        Meaning::Nothing => None,
    }
}

static PYTHON: LazyLock<Mutex<Child>> = LazyLock::new(|| {
    let python = Command::new("python3")
        .args(["-c", ORACLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    Mutex::new(python.expect("python3"))
});

fn ask_python(bytes: &[u8]) -> (Value, Value, Vec<String>) {
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut python = PYTHON.lock().expect("one thread");
    let question = python.stdin.as_mut().map(|input| writeln!(input, "{hexadecimal}"));
    question.expect("a pipe").expect("python3 reads");
    let mut line = String::new();
    // It answers one line, so that nothing is left in the reader's buffer.
    BufReader::new(python.stdout.as_mut().expect("a pipe"))
        .read_line(&mut line)
        .expect("an answer");
    serde_json::from_str(&line).expect("three things")
}
