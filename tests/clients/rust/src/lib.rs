//! What every client does, and what it says of it. README.md beside this folder tells it in words.

use serde_json::{Value, json};

pub const CALLS: usize = 100;
pub const UNKNOWN: &str = "no.such.method";

pub fn worker() -> std::ffi::OsString {
    std::env::var_os("PLEXSYNC_WORKER").expect("`PLEXSYNC_WORKER` names the worker")
}

pub fn text(n: usize) -> String {
    format!("{n} Amélie 映画 🎬\u{2028}")
}

pub fn request(n: usize) -> Value {
    json!({"path": format!("/text/{n}"), "query": {"text": text(n)}})
}

pub fn listing() -> Value {
    json!({"path": "/library/sections/1/all", "all_pages": true, "progress_token": "news"})
}

pub fn slow() -> Value {
    json!({"path": "/slow"})
}

/// Prints what was seen, with the version of this package.
pub fn tell(package: &str, mut seen: Value) {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{package}\"\nversion = \"");
    let version = lock.split_once(&name).and_then(|(_, rest)| rest.split('"').next());
    seen["version"] = json!(version);
    println!("{seen}");
}
