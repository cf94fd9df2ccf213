//! The subcommands. Each gets its streams and its options as arguments, writes to them, and returns the
//! exit code; the process itself stays `main`'s.

mod call;
mod doctor;
mod identity;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use clap::CommandFactory;
use plexsync_protocol::OPENRPC;
use plexsync_protocol::error::{Code, ErrorObject};
use serde_json::value::RawValue;

use crate::cli::{Arguments, Command, Environment};
use crate::identity::inspect;
use crate::pretty::pretty;
use crate::rpc::{Handling, Methods, Outcome, Request, Slow};

/// The streams of a command, and whether they are terminals.
pub struct Streams<'a> {
    /// Read for params that are `-`.
    pub input: &'a mut dyn Read,
    pub output: &'a mut dyn Write,
    pub errors: &'a mut dyn Write,
    /// The output is seen in a terminal: it may have colours.
    pub colour: bool,
    /// Input and errors are a terminal: questions may be asked.
    pub conversation: bool,
}

impl Streams<'_> {
    /// Prints a call's result to the output, or its error to the errors.
    fn show(&mut self, outcome: Outcome) -> io::Result<End> {
        match outcome {
            Ok(result) => {
                let result = result.into_bytes();
                self.output.write_all(pretty(&String::from_utf8_lossy(&result)).as_bytes())?;
                Ok(End::Fine)
            }
            Err(error) => {
                writeln!(self.errors, "error: {error}")?;
                if let Some(data) = &error.data {
                    self.errors.write_all(pretty(&data.to_string()).as_bytes())?;
                }
                Ok(End::Failed)
            }
        }
    }
}

/// What commands share.
pub struct Setting<'a> {
    pub methods: Methods,
    /// The data folder, if one is known.
    pub data_folder: Option<PathBuf>,
    /// Longest input that is read from stdin, in bytes.
    pub max_message: usize,
    /// For python-plexapi's settings.
    pub environment: Environment<'a>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All is well: 0.
    Fine,
    /// It failed: 1.
    Failed,
    /// Wrong usage: 2.
    Usage,
    /// `doctor` has warnings: 1.
    Warnings,
    /// `doctor` has found a failure: 2.
    Failures,
}

impl End {
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed | Self::Warnings => 1,
            Self::Usage | Self::Failures => 2,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// When a stream can't be read or written.
pub fn run(command: Command, setting: &Setting<'_>, streams: &mut Streams<'_>) -> io::Result<End> {
    match command {
        Command::Call { method, params } => {
            call::call(setting, streams, &method, params.as_deref())
        }
        Command::Doctor { json, no_create } => doctor::doctor(setting, streams, json, !no_create),
        Command::Identity { command } => identity::identity(setting, streams, command),
        Command::Openrpc => {
            streams.output.write_all(OPENRPC.as_bytes())?;
            Ok(End::Fine)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
            let script = String::from_utf8_lossy(&script);
            // clap spells a name with a hyphen in two ways there, and bash finds no subcommand (clap #6421).
            let script = script.replace("plexsync__subcmd__worker", "plexsync__worker");
            streams.output.write_all(script.as_bytes())?;
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
    /// Folder and id: which device this is about.
    fn whose(&self) -> String {
        let folder = match &self.data_folder {
            Some(folder) => format!("data folder `{}`", folder.display()),
            None => "no data folder".to_owned(),
        };
        match self.device_id() {
            Some(id) => format!("{folder}, device `{id}`"),
            None => format!("{folder}, no device yet"),
        }
    }

    /// The id on disk; creates none.
    fn device_id(&self) -> Option<String> {
        let report = inspect(self.data_folder.as_deref()?);
        report.main.1.id().or_else(|| report.backup.1.id()).map(str::to_owned)
    }

    /// Calls a method and waits for its result.
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

/// Waits for `work` only: a DNS lookup that is still running must not delay the exit.
fn wait_for<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(outcome)
}
