//! Clients that others wrote for JSON-RPC, LSP and MCP: each does the same with the worker. `tests/clients/README.md`
//! says what that is and what came of it; `tests/clients/run` has those that take long to install.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use plexsync_harness::{FakePlex, skip};
use serde_json::{Value, json};

/// How many requests a client sends at once.
const CALLS: usize = 100;
const ITEMS: u64 = 250;
/// A client that took longer hangs.
const LONG: Duration = Duration::from_secs(120);

/// A client's program, and what its library can show.
struct Client {
    name: &'static str,
    /// What starts it, where it is installed.
    command: fn() -> Option<Command>,
    /// The ways in which it can speak, each an argument of its program.
    ways: &'static [&'static str],
    /// It takes notifications.
    progress: bool,
    /// It can cancel a call, and take the answer.
    cancel: bool,
}

/// Those that are installed soonest, by `tests/peers/install`.
const SOON: [Client; 5] = [
    Client {
        name: "jrpc2",
        command: || in_go("jrpc2"),
        ways: &["lines", "headers", "strict"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "sourcegraph",
        command: || in_go("sourcegraph"),
        ways: &["lines", "headers"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "json-rpc-2.0",
        command: || in_node("peers", "json-rpc-2.0"),
        ways: &["lines"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "deltachat",
        command: || in_python("peers", "deltachat_rpc_client"),
        ways: &["lines"],
        progress: false,
        cancel: false,
    },
    Client {
        name: "pylsp",
        command: || in_python("peers", "pylsp_jsonrpc"),
        ways: &["headers"],
        progress: true,
        cancel: true,
    },
];

/// Those that `tests/clients/run` installs.
const LATER: [Client; 9] = [
    Client { name: "lsp4j", command: in_java, ways: &["headers"], progress: true, cancel: true },
    Client {
        name: "pygls",
        command: || in_python("clients/python", "pygls"),
        ways: &["headers"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "mcp-python",
        command: || in_python("clients/python", "mcp"),
        ways: &["lines"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "mcp-node",
        command: || in_node("clients/node", "@modelcontextprotocol/sdk"),
        ways: &["lines"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "jayson",
        command: || in_node("clients/node", "jayson"),
        ways: &["2.0", "1.0"],
        progress: false,
        cancel: true,
    },
    Client {
        name: "emacs",
        command: || on_this_machine("emacs", &["--batch", "-l"], "emacs.el"),
        ways: &["headers"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "neovim",
        command: || on_this_machine("nvim", &["--headless", "-u", "NONE", "-S"], "neovim.lua"),
        ways: &["headers"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "lsp-server",
        command: || in_rust("lsp-server"),
        ways: &["headers"],
        progress: true,
        cancel: true,
    },
    Client {
        name: "jsonrpsee",
        command: || in_rust("jsonrpsee"),
        ways: &["lines"],
        progress: true,
        cancel: true,
    },
];

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.exists().then_some(path)
}

fn in_go(name: &str) -> Option<Command> {
    existing(tests("peers/bin").join(name)).map(Command::new)
}

/// A program in Node, whose package is installed in this folder of the tests.
fn in_node(folder: &str, package: &str) -> Option<Command> {
    let packages = tests(folder).join("node_modules");
    existing(packages.join(package))?;
    let file = format!("clients/node/{}.mjs", package.replace('/', "-").replace('@', ""));
    let mut node = Command::new("node");
    node.arg(tests(&file)).env("NODE_MODULES", packages);
    Some(node)
}

/// A program in Python, whose package is installed in an environment of this folder of the tests.
fn in_python(folder: &str, package: &str) -> Option<Command> {
    let environment = tests(folder).join("venv");
    let versions = fs::read_dir(environment.join("lib")).ok()?.flatten();
    let mut packages = versions.map(|version| version.path().join("site-packages"));
    existing(packages.next()?.join(package))?;
    let mut python = Command::new(environment.join("bin/python"));
    python.arg(tests(&format!("clients/python/with_{package}.py")));
    Some(python)
}

fn in_rust(name: &str) -> Option<Command> {
    existing(tests("clients/rust/target/debug").join(name)).map(Command::new)
}

fn in_java() -> Option<Command> {
    let packages = existing(tests("clients/java/jars"))?;
    let mut java = Command::new("java");
    java.arg("-cp").arg(packages.join("*")).arg(tests("clients/java/Lsp4j.java"));
    Some(java)
}

/// A script for a program that is installed on this machine.
fn on_this_machine(program: &str, arguments: &[&str], script: &str) -> Option<Command> {
    Command::new(program).arg("--version").stdout(Stdio::null()).status().ok()?;
    let mut command = Command::new(program);
    command.args(arguments).arg(tests("clients").join(script));
    Some(command)
}

/// What the nth request sends, and what comes back.
fn text(n: usize) -> String {
    format!("{n} Amélie 映画 🎬\u{2028}")
}

fn plex() -> FakePlex {
    let plex = FakePlex::start();
    plex.hold_on("/slow");
    plex.set_items("1", ITEMS);
    for n in 0..CALLS {
        let body = json!({"text": text(n)}).to_string();
        plex.respond(&format!("/text/{n}"), 200, &[("Content-Type", "application/json")], body);
    }
    plex
}

/// Waits for its end, if it has one.
fn wait(mut command: Command) -> Option<ExitStatus> {
    let mut program = command.spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < LONG {
        if let Some(status) = program.try_wait().unwrap() {
            return Some(status);
        }
        sleep(Duration::from_millis(10));
    }
    program.kill().unwrap();
    program.wait().unwrap();
    None
}

/// Runs it, and returns the version of its library, or what went wrong.
fn converse(client: &Client, mut command: Command, way: &str) -> Result<String, String> {
    let plex = plex();
    let folder = tempfile::tempdir().unwrap();
    let [data_dir, stdout, stderr] =
        ["data", "stdout", "stderr"].map(|name| folder.path().join(name));
    command.arg(way).env("PLEXSYNC_WORKER", crate::worker()).env("PLEXSYNC_DATA_DIR", &data_dir);
    command.env("PLEX_URL", plex.url()).env("PLEX_TOKEN", plex.token());
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let status = wait(command).ok_or("it hangs");
    let said = fs::read_to_string(stdout).unwrap();
    if !status.as_ref().is_ok_and(ExitStatus::success) {
        return Err(format!("{status:?}: {said}{}", fs::read_to_string(stderr).unwrap()));
    }
    let seen: Value = serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))?;
    let file = fs::read(data_dir.join("device_id.json")).unwrap();
    let id = serde_json::from_slice::<Value>(&file).unwrap()["device_id"].clone();
    let if_it_can = |can: bool, value: Value| if can { value } else { Value::Null };
    for (member, expected) in [
        ("device_id", id.clone()),
        ("unknown", json!(-32601)),
        ("answered", json!(CALLS)),
        ("progress", if_it_can(client.progress, json!(ITEMS))),
        ("cancelled", if_it_can(client.cancel, json!(-32800))),
        ("exit", json!(0)),
    ] {
        if seen[member] != expected {
            return Err(format!("`{member}` is not {expected}: {seen}"));
        }
    }
    let mut texts = BTreeSet::new();
    for request in plex.requests() {
        if json!(request.header("X-Plex-Client-Identifier")) != id {
            return Err(format!("{} is of another device", request.target));
        }
        texts.extend(request.query_value("text"));
    }
    if texts != (0..CALLS).map(text).collect() {
        return Err(format!("Plex got other texts than were sent: {texts:?}"));
    }
    Ok(seen["version"].as_str().unwrap_or_default().to_owned())
}

/// Has it speak in each of its ways, says how that went, and whether it went well. Nothing where it is not installed.
fn has_conversations(client: &Client) -> Option<bool> {
    let mut fine = true;
    for way in client.ways {
        let result = converse(client, (client.command)()?, way);
        let version = result.as_ref().map_or("", String::as_str);
        let said = result.as_ref().map_or_else(|why| format!("FAILED: {why}"), |_| "ok".to_owned());
        println!("{:<14} {way:<8} {version:<12} {said}", client.name);
        fine &= result.is_ok();
    }
    Some(fine)
}

#[test]
fn clients_that_others_wrote_are_answered() {
    for client in &SOON {
        match has_conversations(client) {
            Some(fine) => assert!(fine, "{}", client.name),
            None => skip(format_args!("`tests/peers/install` has not installed {}", client.name)),
        }
    }
}

/// Those that `PLEXSYNC_CLIENTS` names have to be there.
#[test]
#[ignore = "takes minutes to install; `tests/clients/run` does, and runs it"]
fn more_clients_that_others_wrote_are_answered() {
    let named = std::env::var("PLEXSYNC_CLIENTS").unwrap_or_default();
    let names: Vec<_> = named.split_whitespace().collect();
    let mut failed = Vec::new();
    for client in
        SOON.iter().chain(&LATER).filter(|client| names.is_empty() || names.contains(&client.name))
    {
        match has_conversations(client) {
            Some(true) => {}
            None if names.is_empty() => {
                skip(format_args!("`tests/clients/run {}` installs and runs it", client.name));
            }
            result => {
                if result.is_none() {
                    println!("{:<14} NOT RUN: it is not installed", client.name);
                }
                failed.push(client.name);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
