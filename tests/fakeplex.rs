//! The fake Plex as a program: a host in any language has a Plex and a plex.tv to develop against.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use plexsync_harness::{Host, skip};
use serde_json::{Value, json};

struct FakePlex {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    token: String,
    plex_tv: String,
}

impl FakePlex {
    /// The program, which has told how to reach it; none where it is not built.
    fn start(arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new(crate::example("fakeplex")?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let mut lines = BufReader::new(stdout).lines();
        let mut value = |name: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap().to_owned()
        };
        let names = ["PLEX_URL", "PLEX_TOKEN", "PLEXSYNC_PLEX_TV", "PLEX_LIBRARY"];
        let [url, token, plex_tv, _] = names.map(&mut value);
        Some(Self { child, stdin, lines, url, token, plex_tv })
    }

    fn types(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Reads on to the line that begins so.
    fn tells(&mut self, beginning: &str) -> String {
        let told = self.lines.by_ref().map(Result::unwrap).find(|line| line.starts_with(beginning));
        told.unwrap_or_else(|| panic!("`{beginning}` was not told"))
    }

    /// A worker that knows its URL and token.
    fn host(&self) -> Host {
        crate::host().env("PLEX_URL", &self.url).env("PLEX_TOKEN", &self.token).start()
    }

    /// With the end of its stdin it ends.
    fn ends(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn sections(host: &mut Host) -> Value {
    host.call("plex.request", json!({"path": "/library/sections", "retries": 0})).unwrap()
}

#[test]
fn it_tells_each_request_and_each_device_at_its_first_sight() {
    let Some(mut fake) = FakePlex::start(&[]) else { return };
    let address = fake.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let headers = format!("X-Plex-Token: {}\r\nX-Plex-Client-Identifier: mine\r\n", fake.token);
    for target in ["/library/sections", "/identity"] {
        write!(connection, "GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").unwrap();
    }
    write!(connection, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answers = String::new();
    connection.read_to_string(&mut answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 200 "), "{answers}");
    let told: Vec<_> = fake.lines.by_ref().skip(1).take(4).map(Result::unwrap).collect();
    let device = "device mine New Device: an unnamed device (unknown) was used to access Attic";
    let requests = ["200 GET /library/sections", "200 GET /identity", "401 GET /"];
    let [first, second, third] = requests.map(|request| format!("request plex {request}"));
    assert_eq!(told, [&first, device, &second, &third]);
    fake.ends();
}

#[test]
fn a_host_signs_in_there_from_the_code_to_the_first_request() {
    let Some(mut fake) = FakePlex::start(&[]) else { return };
    let mut host = crate::host().env("PLEXSYNC_PLEX_TV", &fake.plex_tv).start();
    let code = host.call("auth.start", json!({})).unwrap()["user_code"].clone();
    let code = code.as_str().unwrap();
    assert_eq!(fake.tells("code "), format!("code {code}"));
    fake.types(&format!("claim {} bob", code.to_lowercase()));
    assert_eq!(fake.tells("claimed"), format!("claimed {code} bob"));
    assert_eq!(host.call("auth.finish", json!({})).unwrap()["account"]["username"], "bob");
    assert_eq!(sections(&mut host)["status"], 200);
    let id = host.call("identity.get", json!({})).unwrap()["device_id"].clone();
    assert!(fake.tells("device ").contains(id.as_str().unwrap()));
    fake.ends();
}

#[test]
fn it_misbehaves_as_it_is_told() {
    let Some(mut fake) = FakePlex::start(&[]) else { return };
    let mut host = fake.host();
    for (typed, status) in [("503", 503), ("401", 401), ("ok", 200)] {
        fake.types(typed);
        fake.tells("# ");
        assert_eq!(sections(&mut host)["status"], status);
    }
    fake.types("off");
    fake.tells("# Plex is off");
    let error = host.call("plex.request", json!({"path": "/", "retries": 0})).unwrap_err();
    assert_eq!(error.code, -32010, "{error}");
    fake.types("slow");
    fake.tells("# ");
    let timeout = json!({"path": "/", "retries": 0, "timeout_ms": 500});
    assert_eq!(host.call("plex.request", timeout).unwrap_err().code, -32011);
    fake.types("nonsense");
    fake.tells("# `nonsense` is no command");
    fake.types("quit");
    assert!(fake.child.wait().unwrap().success());
}

#[test]
fn a_scan_is_told_and_brings_what_was_added() {
    let Some(mut fake) = FakePlex::start(&["--library", "/films"]) else { return };
    let mut host = fake.host();
    fake.types("add /elsewhere/a.mkv");
    fake.tells("# no section holds `/elsewhere/a.mkv`");
    fake.types("add /films/new/a.mkv");
    let told = fake.tells("# the next scan of its folder brings `/films/new/a.mkv`");
    assert!(told.ends_with("(section 1)"), "{told}");
    let path = json!({"path": "/films/new/a.mkv"});
    assert_eq!(
        host.call("plex.find", path.clone()).unwrap()["missing"],
        json!(["/films/new/a.mkv"])
    );
    host.call("plex.scan", json!({"folder": "/films/new"})).unwrap();
    assert_eq!(fake.tells("scan "), "scan 1 /films/new");
    let found = host.call("plex.find", path).unwrap();
    assert_eq!(found["items"][0]["file"], "/films/new/a.mkv");
    fake.ends();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let Some(fake) = FakePlex::start(&[]) else { return };
    let port = fake.url.rsplit(':').next().unwrap();
    let program = crate::example("fakeplex").unwrap();
    let refused = Command::new(program).args(["--port", port]).output().unwrap();
    let reason = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && reason.contains(&format!("port `{port}`")), "{reason}");
    fake.ends();
}

#[test]
fn devices_that_were_left_behind_are_listed_and_removed_there() {
    let Some(mut fake) = FakePlex::start(&[]) else { return };
    let mut host = crate::host().env("PLEXSYNC_PLEX_TV", &fake.plex_tv).start();
    host.call("auth.start", json!({})).unwrap();
    fake.types("claim");
    host.call("auth.finish", json!({})).unwrap();
    fake.types("phantoms");
    fake.tells("# the account has three");
    let list = host.call("device.list", json!({})).unwrap();
    let rows = list["devices"].as_array().unwrap().iter();
    let told: Vec<_> = rows.map(|row| (&row["id"], &row["kept_because"]["reason"])).collect();
    let (own, others) =
        (json!("900000001"), ["811000001", "811000002", "811000003"].map(Value::from));
    let kept = |reason: &'static str| Value::from(reason);
    assert!(told.contains(&(&own, &kept("this_device"))), "{list}");
    assert!(told.contains(&(&others[0], &Value::Null)), "{list}");
    assert!(told.contains(&(&others[2], &kept("newest"))), "{list}");
    let removal = json!({"ids": [own, others[0], others[1]], "dry_run": false});
    let removed = host.call("device.remove", removal).unwrap();
    assert_eq!(removed["removed"], json!(others[..2]), "{removed}");
    assert_eq!(removed["refused"][0]["id"], own, "{removed}");
    fake.ends();
}

/// The program in the README of `tests/harness` runs as it stands there.
#[test]
fn python_signs_in_there() {
    let Some(fakeplex) = crate::example("fakeplex") else { return };
    let readme = include_str!("harness/README.md");
    let script = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let typed = r#""cargo", "run", "--quiet", "--example", "fakeplex""#;
    let script = script.replace(typed, &format!("{:?}", fakeplex.to_str().unwrap()));
    let script = script.replace("\"plexsync-worker\"", &format!("{:?}", crate::worker()));
    let data = tempfile::tempdir().unwrap();
    let python = Command::new("python3")
        .args(["-c", &script])
        .env("PLEXSYNC_DATA_DIR", data.path())
        .output();
    let Ok(output) = python else { return skip("python3 is not installed") };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for line in ["code K001\n", "claimed K001 alice\n", "device "] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
