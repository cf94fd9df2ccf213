//! A person at a terminal: helped with two lines, understood by a method's name, asked before a reset.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use plexsync_harness::{FakePlexTv, skip};

use crate::worker;

/// The worker on a terminal that util-linux' script(1) makes; none where there is no such program.
fn on_a_terminal(data: &Path, arguments: &str) -> Option<Child> {
    on_a_terminal_of(80, data, arguments)
}

/// The same with so many columns.
pub(crate) fn on_a_terminal_of(columns: usize, data: &Path, arguments: &str) -> Option<Child> {
    let version = Command::new("script").arg("--version").output();
    if !version.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains("util-linux")) {
        skip("util-linux' script(1) is not installed");
        return None;
    }
    let (worker, data) = (worker(), data.display());
    let line =
        format!("stty cols {columns}; '{}' --data-dir '{data}' {arguments}", worker.display());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    Some(script.spawn().unwrap())
}

/// Reads until the terminal shows `wanted`, or the end.
pub(crate) fn shown(script: &mut Child, wanted: &str) -> String {
    let output = script.stdout.as_mut().unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.contains(wanted) {
            return text;
        }
        match output.read(&mut piece).unwrap() {
            0 => panic!("`{wanted}` was not shown: {text}"),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

pub(crate) fn types(script: &mut Child, text: &str) {
    let input = script.stdin.as_mut().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    input.flush().unwrap();
}

#[test]
fn a_name_is_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut script) = on_a_terminal(folder.path(), "") else { return };
    shown(&mut script, "try identity.get");
    types(&mut script, "identity.get\n");
    shown(&mut script, "\"id\": 1,\r\n  \"result\": {\r\n    \"device_id\": ");
    types(&mut script, "{\"jsonrpc\":\"2.0\",\"id\":\"own\",\"method\":\"identity.get\"}\n");
    shown(&mut script, "\"id\": \"own\",\r\n");
    types(&mut script, "plex.request {\"path\": \"/identity\"}\n");
    shown(&mut script, "no Plex server is configured");
    types(&mut script, "\x04");
    assert!(script.wait().unwrap().success());
}

/// As a keyboard sends it; a console of Windows makes two characters of it.
#[test]
fn the_enter_key_ends_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut script) = on_a_terminal(folder.path(), "") else { return };
    shown(&mut script, "try identity.get");
    types(&mut script, "identity.get\r");
    shown(&mut script, "\"device_id\": ");
    types(&mut script, "quit\r");
    assert!(script.wait().unwrap().success());
}

#[test]
fn a_person_can_ask_for_help_and_quit() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut script) = on_a_terminal(folder.path(), "2>&1") else { return };
    types(&mut script, "help\n");
    shown(&mut script, "Asks Plex to look at one folder.");
    types(&mut script, "identity.reset\n");
    shown(&mut script, "enter: identity.reset {}");
    assert!(!folder.path().join("device_id.json").exists());
    types(&mut script, "identity.reset {}\n");
    shown(&mut script, "\"origin\": ");
    types(&mut script, "quit\n");
    assert!(script.wait().unwrap().success());
}

#[test]
fn a_code_is_large_and_can_be_scanned_and_counts_down() {
    let (folder, tv) = (tempfile::tempdir().unwrap(), FakePlexTv::start());
    let arguments = format!("--plex-tv {} login 2>&1", tv.url());
    let Some(mut script) = on_a_terminal(folder.path(), &arguments) else { return };
    let text = shown(&mut script, ": 14:");
    let code = tv.codes().pop().unwrap();
    for part in [
        "Waiting for ",
        "data folder `",
        "device `",
        &code,
        "██",
        "plex.tv/link/?pin=",
        "▀",
        "Ctrl-C",
    ] {
        assert!(text.contains(part), "`{part}`: {text}");
    }
    assert!(tv.claim(&code, "alice"));
    shown(&mut script, "Signed in as alice.");
    assert!(script.wait().unwrap().success());
}

#[test]
fn a_reset_asks_first() {
    let folder = tempfile::tempdir().unwrap();
    for (answer, code) in [("n\n", 1), ("\n", 1), ("y\n", 0)] {
        let Some(mut script) = on_a_terminal(folder.path(), "identity reset") else { return };
        shown(&mut script, "[y/N]");
        let before = folder.path().join("device_id.json").exists();
        types(&mut script, answer);
        let status = script.wait().unwrap();
        assert_eq!(status.code(), Some(code), "{answer:?}");
        assert!(!before);
        assert_eq!(folder.path().join("device_id.json").exists(), code == 0);
    }
}
