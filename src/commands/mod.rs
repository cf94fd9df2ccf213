//! What a person types. Each command gets its streams and its options as arguments, writes to them, and tells the
//! exit code; the process itself stays `main`'s.

mod call;

mod identity;
mod pretty;

use std::cell::LazyCell;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use clap::CommandFactory;
use plexsync_protocol::OPENRPC;
use plexsync_protocol::error::{Code, ErrorObject};
use serde_json::value::RawValue;

use crate::cli::{Arguments, Command, Environment, Options};
use crate::identity::Folders;
use crate::plex::Plex;
use crate::rpc::{Handling, Methods, Outcome, Request, Slow};
use crate::secret::Secrets;

/// The streams of a command, and what is known about who is at their other end.
pub struct Streams<'a> {
    /// Read where params are `-`.
    pub input: &'a mut dyn Read,
    /// Results.
    pub output: &'a mut dyn Write,
    /// Errors.
    pub errors: &'a mut dyn Write,
    /// Results are seen in a terminal: they may have colours.
    pub colour: bool,
    /// A person sees the errors and types the input: questions may be asked.
    pub conversation: bool,
}

impl Streams<'_> {
    /// Tells how a call ended: its result to the output, its failure to the errors.
    fn tell(&mut self, outcome: Outcome) -> io::Result<End> {
        match outcome {
            Ok(result) => {
                pretty::write(self.output, &result.into_bytes(), self.colour)?;
                Ok(End::Fine)
            }
            Err(error) => {
                writeln!(self.errors, "error: {error}")?;
                if let Some(data) = &error.data {
                    pretty::write(self.errors, data.to_string().as_bytes(), false)?;
                }
                Ok(End::Failed)
            }
        }
    }
}

/// What a command works with.
pub struct Setting<'a> {
    /// The worker's own methods, made when one is called.
    pub methods: LazyCell<Methods, Box<dyn FnOnce() -> Methods + 'a>>,
    /// The options in force.
    pub options: &'a Options,
    /// The way to Plex that those options give.
    pub plex: Plex,
    /// What the log must not show.
    pub secrets: Secrets,
    /// The worker's version, as Plex is told.
    pub version: &'static str,
    /// The folder against which a relative data folder is meant.
    pub working_folder: PathBuf,
    /// Looks a variable up, where another program's settings are asked for.
    pub environment: Environment<'a>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All is well: 0.
    Fine,
    /// It failed: 1.
    Failed,
    /// It was called wrongly: 2.
    Usage,
    /// `doctor` has warnings: 1.
    Warnings,
    /// `doctor` has found a failure: 2.
    Failures,
}

impl End {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed | Self::Warnings => 1,
            Self::Usage | Self::Failures => 2,
        }
    }
}

/// Carries out a command.
///
/// # Errors
/// When a stream can't be read or written.
pub fn run(command: Command, setting: &Setting<'_>, streams: &mut Streams<'_>) -> io::Result<End> {
    match command {
        Command::Call { method, params } => {
            call::call(setting, streams, &method, params.as_deref())
        }
        Command::Doctor { json } => crate::doctor::doctor(setting, streams, json),
        Command::Identity { command } => identity::identity(setting, streams, command),
        Command::Openrpc => {
            streams.output.write_all(OPENRPC.as_bytes())?;
            Ok(End::Fine)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
            streams.output.write_all(&script)?;
            Ok(End::Fine)
        }
        Command::Man => {
            clap_mangen::Man::new(Arguments::command()).render(streams.output)?;
            Ok(End::Fine)
        }
    }
}

const NAME: &str = "plexsync-worker";

impl Setting<'_> {
    /// The data folder, as the methods find it; `of_host` is the one that a parent Stash has told.
    pub(crate) fn data_folder(&self, of_host: Option<PathBuf>) -> Option<PathBuf> {
        let folders = Folders {
            given: self.options.data_dir.as_ref().map(|given| given.value.as_path()),
            of_host,
            of_platform: self.options.platform_data_dir.as_deref(),
        };
        folders.choose(&self.working_folder)
    }

    /// Calls a method, and waits for its end.
    fn call(&self, method: &str, params: Option<Box<RawValue>>) -> Outcome {
        let params = params.filter(|params| params.get() != "null");
        let request = Request { params, in_turn: true, ..Request::default() };
        match self.methods.handle(method, request) {
            Handling::Done(outcome) => outcome,
            Handling::Ordered(work) => work(),
            Handling::Slow(Slow { first, work, .. }) => {
                first.map(|first| first());
                wait_for(work).map_err(|error| {
                    ErrorObject::new(Code::InternalError, format!("no runtime: {error}"))
                })?
            }
        }
    }
}

/// Waits for `work`, and for nothing else: a name that the system still looks for must not hold up the end.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(outcome)
}

pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
