//! A Plex and a plex.tv to develop against, for programs in any language.
//!
//! ```sh
//! cargo run --example fakeplex
//! ```
//!
//! The first lines tell how to reach them, each line after that what they saw. Commands are typed, or written to stdin by
//! the program that started this one; the end of stdin ends it. What they are, and what the lines mean, is in the
//! README of `tests/harness`.

mod command;

use std::io::{self, BufRead, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use clap::Parser;
use plexsync_harness::fake_plex::Section;
use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::{FakePlex, FakePlexTv};

use command::{Command, Fakes};

/// A Plex and a plex.tv to develop against.
#[derive(Debug, Parser)]
struct Options {
    /// Port of Plex on 127.0.0.1, and with it the token; plex.tv has the next one; default free ones
    #[arg(long, default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(u16).range(..65535))]
    port: u16,
    /// The one folder of the library in place of made-up ones, as Plex sees it
    #[arg(long, value_name = "DIR")]
    library: Option<String>,
}

/// What the main thread waits for: a line to print, or the end.
enum Told {
    Line(String),
    End,
}

#[expect(clippy::print_stderr, reason = "a program says why it can't start")]
fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fakeplex: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a program has its own streams")]
fn run(options: &Options) -> io::Result<()> {
    let fakes = start(options)?;
    let (teller, told) = channel();
    watch(&fakes, &teller);
    let mut stdout = io::stdout();
    stdout.write_all(greeting(&fakes).as_bytes())?;
    thread::spawn(move || obey(&fakes, io::stdin().lock(), &teller));
    while let Ok(Told::Line(line)) = told.recv() {
        writeln!(stdout, "{line}")?;
        stdout.flush()?;
    }
    Ok(())
}

fn start(options: &Options) -> io::Result<Fakes> {
    let port = options.port;
    let ports = if port == 0 { [0, 0] } else { [port, port + 1] };
    for port in ports {
        let error = |error| io::Error::other(format!("port `{port}` can't be used: {error}"));
        TcpListener::bind(("127.0.0.1", port)).map_err(error)?;
    }
    let (plex, tv) = (FakePlex::start_on(ports[0]), FakePlexTv::start_on(ports[1]));
    // The conversations in `protocol/transcripts` need a path that never answers.
    plex.hold_on("/slow");
    tv.set_resources(vec![Resource::of(&plex, "Attic")]);
    let library = options.library.as_deref();
    if let Some(folder) = library {
        plex.set_sections(vec![Section::new("1", "Movies", "movie", &[folder])]);
    }
    Ok(Fakes { plex, tv, library: library.unwrap_or("/media/movies").to_owned() })
}

/// `NAME=VALUE` is for the environment of what is developed, lines with `#` are for people.
fn greeting(fakes: &Fakes) -> String {
    format!(
        "PLEX_URL={}\nPLEX_TOKEN={}\nPLEXSYNC_PLEX_TV={}\nPLEX_LIBRARY={}\n\
         # Set URL and token in the environment of a program, or PLEXSYNC_PLEX_TV alone to sign in. `help` has commands.\n",
        fakes.plex.url(),
        fakes.plex.token(),
        fakes.tv.url(),
        fakes.library,
    )
}

/// Has every event told.
fn watch(fakes: &Fakes, teller: &Sender<Told>) {
    let (watcher, events) = channel();
    fakes.plex.watch(watcher.clone());
    fakes.tv.watch(watcher);
    let teller = teller.clone();
    thread::spawn(move || {
        events.into_iter().try_for_each(|event| teller.send(Told::Line(event.to_string())))
    });
}

/// Does what is typed, until the end of `input` or `quit`.
fn obey(fakes: &Fakes, input: impl BufRead, teller: &Sender<Told>) {
    for line in input.lines().map_while(Result::ok) {
        let answer = match Command::parse(&line) {
            Ok(Command::Quit) => break,
            Ok(command) => command.carry_out(fakes),
            Err(reason) => Some(reason),
        };
        for line in answer.iter().flat_map(|answer| answer.lines()) {
            let _ = teller.send(Told::Line(format!("# {line}")));
        }
    }
    let _ = teller.send(Told::End);
}
