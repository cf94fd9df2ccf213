//! One device, for ever: a host starts the worker, restarts it three times, resets once, and looks at what Plex saw; another one
//! signs in with a code.
//!
//! ```sh
//! cargo run --release --example quickstart
//! ```
//!
//! No Plex server is needed: a fake one listens on the loopback. Lines that begin with `-->` go to the worker's stdin,
//! those that begin with `<--` come from its stdout. A host in any language does the same with two pipes.
//!
//! With `-- --replay FILE...` it has the conversations of `protocol/transcripts` in place of this one.
#![expect(clippy::print_stdout, reason = "an example is there to be read")]

use std::path::PathBuf;
use std::process::ExitCode;

use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::host::{RpcError, Way};
use plexsync_harness::{FakePlex, FakePlexTv, Host, Transcript};
use serde_json::json;

/// How many columns a line has where no terminal tells.
const WIDTH: usize = 120;
/// How often the worker is restarted.
const RESTARTS: usize = 3;

#[expect(clippy::disallowed_methods, reason = "a program reads its arguments")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().is_some_and(|first| first == "--replay") {
        return replay(arguments);
    }
    match run() {
        Ok(true) => {
            println!(
                "\nAs promised: one device, until it was reset.\n\
                 Next: `target/release/plexsync-worker doctor` looks at your Plex, `examples/` has hosts to start from."
            );
            ExitCode::SUCCESS
        }
        Ok(false) => {
            println!("\nThis is not what was promised.");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("\nThe worker answered with an error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Holds the conversation. Whether Plex saw what it should.
fn run() -> Result<bool, RpcError> {
    println!("The worker is built first: the first time this takes a minute or two.");
    let binary = Host::build_binary();
    let plex = FakePlex::start();
    println!("A Plex server (a fake one) listens on {}.\n", plex.url());

    println!("The host starts the worker on an empty data folder, and sends a request:");
    let mut host = Host::builder().binary(&binary).plex(&plex).observe(show).start();
    host.call("identity.get", json!({}))?;
    host.call("plex.request", json!({"path": "/library/sections"}))?;

    println!("\nIt restarts the worker {RESTARTS} times, as every Stash hook does:");
    for _ in 0..RESTARTS {
        host.restart();
        println!("    (restarted: process {})", host.pid());
        host.call("plex.request", json!({"path": "/library/sections"}))?;
    }
    let one = report(&plex);

    println!("\nIt resets the identity, which is the only way to become another device:");
    host.call("identity.reset", json!({}))?;
    host.call("plex.request", json!({"path": "/library/sections"}))?;
    host.restart();
    println!("    (restarted: process {})", host.pid());
    host.call("plex.request", json!({"path": "/library/sections"}))?;
    let two = report(&plex);

    Ok((one, two) == ((RESTARTS + 1, 1), (RESTARTS + 3, 2)) && sign_in(binary)?)
}

/// Signs in with a code. Whether the account's server was found with it.
fn sign_in(binary: PathBuf) -> Result<bool, RpcError> {
    let (tv, plex) = (FakePlexTv::start(), FakePlex::start());
    tv.set_resources(vec![Resource::of(&plex, "Attic")]);
    println!(
        "\nAnother host knows no address and no token. Its user enters a code on plex.tv\n(a fake one):"
    );
    let builder = Host::builder().binary(binary).env("PLEXSYNC_PLEX_TV", tv.url());
    let mut host = builder.observe(show).start();
    let begun = host.call("auth.start", json!({}))?;
    let code = begun["user_code"].as_str().unwrap_or_default();
    println!("    (the user enters {code})");
    tv.claim(code, "alice");
    host.call("auth.finish", json!({}))?;
    let answer = host.call("plex.request", json!({"path": "/library/sections"}))?;
    Ok(answer["status"] == 200 && plex.devices().len() == 1)
}

/// Has each conversation with a worker that was just started. A difference ends the program with a panic.
fn replay(files: impl Iterator<Item = String>) -> ExitCode {
    let binary = Host::build_binary();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        let transcript = match text.and_then(|text| Transcript::parse(&text)) {
            Ok(transcript) => transcript,
            Err(reason) => {
                println!("{file}: {reason}");
                return ExitCode::FAILURE;
            }
        };
        let plex = FakePlex::start();
        plex.hold_on("/slow");
        transcript.replay(&mut Host::builder().binary(&binary).plex(&plex).start());
        println!("as written: {file}");
    }
    ExitCode::SUCCESS
}

fn show(way: Way, message: &str) {
    let arrow = match way {
        Way::Sent => "-->",
        Way::Received => "<--",
    };
    let room = width().saturating_sub("--> ...".len());
    match message.char_indices().nth(room) {
        Some((end, _)) => println!("{arrow} {}...", &message[..end]),
        None => println!("{arrow} {message}"),
    }
}

fn width() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(rustix::stdio::stdout())
        && size.ws_col > 0
    {
        return size.ws_col.into();
    }
    WIDTH
}

/// Tells what Plex saw so far: how many requests, and how many devices it announced to its owner.
fn report(plex: &FakePlex) -> (usize, usize) {
    let (requests, events) = (plex.requests().len(), plex.events());
    let devices = if events.len() == 1 { "device" } else { "devices" };
    println!("\nPlex saw {requests} requests from {} {devices}:", events.len());
    for event in &events {
        println!("  {event},\n    as {}", event.identifier.as_deref().unwrap_or("nobody"));
    }
    (requests, events.len())
}
