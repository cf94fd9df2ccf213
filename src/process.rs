//! Owns the process: arguments, environment, streams, signals, exit code. No other module touches them.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::account::{self, PlexTv};
use crate::cli::{self, Arguments, Options};
use crate::commands::{self, Setting, Streams};
use crate::host::events::Events;
use crate::host::framing::Framing;
use crate::host::typed::Typed;
use crate::host::{reader, session, streams};
use crate::log;
use crate::methods;
use crate::plex::{self, Plex, ProxySettings};
use crate::pretty;
use crate::rpc::Methods;
use crate::secret::Secrets;
use crate::target::Sources;
use clap::Parser;
use tracing::{error, warn};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Printed when the worker is started on a terminal.
const FIRST_HINT: &[u8] =
    b"Enter a method's name, and params if any; try identity.get, help or quit.\n";

/// Runs the program: a command, or the conversation with a host on stdin and stdout.
pub fn run() -> ExitCode {
    streams::keep_secrets_in_memory();
    let Arguments { command, flags } = arguments();
    let options = Options::new(flags, &variable, program);
    let secrets = Secrets::default();
    let log = log::start(
        options.log,
        options.log_format,
        if command.is_some() { log::Format::Text } else { streams::log_format() },
        secrets.clone(),
        streams::Stderr::default(),
    );
    options.warnings.iter().for_each(|warning| warn!("{warning}"));
    let ended = match command {
        Some(command) => run_command(command, options, secrets),
        None => serve_stdin(options, secrets, &log).map(|()| ExitCode::SUCCESS),
    };
    match ended {
        Ok(code) => code,
        // EPIPE, as of `| head`, is not an error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            error!("can't go on: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A hook's user waits for the start: without arguments clap, which builds its whole help first, is not called.
#[expect(clippy::disallowed_methods, reason = "this module reads the arguments")]
fn arguments() -> Arguments {
    match std::env::args_os().len() {
        0 | 1 => Arguments::default(),
        _ => Arguments::try_parse().unwrap_or_else(|error| cli::advised(error).exit()),
    }
}

fn program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

#[expect(clippy::disallowed_methods, reason = "this module reads the environment")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

fn run_command(command: cli::Command, options: Options, secrets: Secrets) -> io::Result<ExitCode> {
    let is_dumb = variable("TERM").is_some_and(|terminal| terminal == "dumb");
    let colour = streams::stdout_takes_colour() && variable("NO_COLOR").is_none() && !is_dumb;
    let setting = Setting {
        methods: methods(options.clone(), secrets.clone(), Arc::default()),
        data_folder: data_folder(&options),
        max_message: options.max_message,
        environment: &variable,
    };
    let conversation = streams::stdin_is_terminal() && streams::stderr_is_terminal();
    let width = streams::stdout_width();
    let mut streams = Streams {
        input: &mut streams::stdin()?,
        output: &mut streams::take_stdout()?,
        errors: &mut streams::stderr(),
        width,
        colour,
        conversation,
    };
    Ok(ExitCode::from(commands::run(command, &setting, &mut streams)?.code()))
}

fn data_folder(options: &Options) -> Option<PathBuf> {
    let given = options.data_dir.as_ref().or(options.default_data_dir.as_ref())?;
    Some(working_folder().join(&given.value))
}

fn plex_client(options: &Options, secrets: &Secrets) -> Plex {
    let (ca_file, proxy) = (ca_file(options), proxy(options));
    Plex::new(plex::Options { ca_file, proxy, secrets: secrets.clone() })
}

/// The client of plex.tv, or what is wrong with its URL.
fn plex_tv_client(options: &Options) -> Result<PlexTv, String> {
    let given = options.plex_tv.as_ref();
    let url = given.map(|given| given.value.clone());
    let client =
        PlexTv::new(account::Options { url, ca_file: ca_file(options), proxy: proxy(options) });
    client.map_err(|why| format!("the URL in `{}` {why}", given.map_or("", |given| given.by)))
}

fn proxy(options: &Options) -> ProxySettings {
    ProxySettings { https: options.https_proxy.clone(), no_proxy: options.no_proxy.clone() }
}

fn ca_file(options: &Options) -> Option<PathBuf> {
    options.plex_ca.as_ref().map(|given| given.value.clone())
}

fn serve_stdin(options: Options, secrets: Secrets, log: &log::Log) -> io::Result<()> {
    let by_hand = streams::stdin_is_terminal() && options.framing != Some(Framing::Headers);
    let for_a_person = by_hand && streams::stdout_is_terminal();
    let replies = streams::take_stdout()?;
    let flags = reader::Flags::default();
    let interrupt = Arc::new(AtomicBool::new(false));
    if by_hand {
        streams::stderr().write_all(FIRST_HINT)?;
    }
    let events = Events::new();
    let (input, watched) = (streams::stdin()?, replies.try_clone()?);
    let replies: Box<dyn Write> = match for_a_person {
        true => Box::new(pretty::Lines::new(replies)),
        false => Box::new(replies),
    };
    let typed = by_hand.then(|| Typed::new(Box::new(streams::stderr())));
    let credit = reader::start(input, watched, flags.clone(), events.clone(), exit)?;
    let wire = session::Options { framing: options.framing, max_message: options.max_message };
    let methods = methods(options, secrets, interrupt.clone());
    let mut on_stash = || {
        flags.stash.store(true, Ordering::Relaxed);
        log.use_stash_format();
    };
    let stop = flags.stop.clone();
    let host = session::Host { events, credit, replies, typed, stop, interrupt };
    session::serve(&methods, wire, host, &mut on_stash)
}

fn methods(options: Options, secrets: Secrets, interrupt: Arc<AtomicBool>) -> Methods {
    let plex = plex_client(&options, &secrets);
    let plex_tv = plex_tv_client(&options);
    let setup = methods::Setup {
        data_dir: options.data_dir,
        default_data_dir: options.default_data_dir,
        former_data_dir: options.former_data_dir,
        working_folder: working_folder(),
        sources: Sources::new(options.sources, secrets.clone()),
        plex_ca: options.plex_ca,
        stash_plugin: options.stash_plugin,
        version: VERSION,
        interrupt,
        secrets,
    };
    methods::methods(setup, plex, plex_tv)
}

/// The folder that relative paths are relative to. If it was deleted, paths stay as they are.
#[expect(clippy::disallowed_methods, reason = "this module knows the working folder")]
fn working_folder() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, clippy::exit, reason = "this module ends the process")]
fn exit(code: i32) {
    std::process::exit(code)
}
