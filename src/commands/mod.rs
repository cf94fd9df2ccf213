//! The subcommands. Each gets its streams and its options as arguments, writes to them, and returns the
//! exit code; the process itself stays `main`'s.

mod call;
mod devices;
mod doctor;
mod identity;
mod login;
mod manual;
mod servers;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use plexsync_protocol::OPENRPC;
use plexsync_protocol::error::{Code, ErrorObject};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use crate::cli::{Command, Environment, ServersCommand};
use crate::identity::inspect;
use crate::json_text::JsonText;
use crate::pretty::pretty;
use crate::rpc::{Handling, Methods, Outcome, Request, Slow};

/// The streams of a command, and whether they are terminals.
pub struct Streams<'a> {
    /// Read for params that are `-`.
    pub input: &'a mut dyn Read,
    pub output: &'a mut dyn Write,
    pub errors: &'a mut dyn Write,
    /// Columns of the terminal that the output is seen in; none if it is no terminal.
    pub width: Option<usize>,
    /// The output is seen in a terminal: it may have colours.
    pub colour: bool,
    /// Input and errors are a terminal: questions may be asked.
    pub conversation: bool,
}

impl Streams<'_> {
    /// Prints a value as JSON.
    fn json(&mut self, value: &impl Serialize) -> io::Result<End> {
        self.pretty(&serde_json::to_string(value)?)?;
        Ok(End::Fine)
    }

    /// Asks a question, and returns whether the answer is yes.
    fn agreed(&mut self, question: &str) -> io::Result<bool> {
        write!(self.errors, "{question} [y/N] ")?;
        let mut answer = Vec::new();
        BufReader::new((&mut *self.input).take(64)).read_until(b'\n', &mut answer)?;
        Ok(matches!(answer.trim_ascii(), b"y" | b"Y" | b"yes" | b"Yes" | b"YES"))
    }

    fn pretty(&mut self, json: &str) -> io::Result<()> {
        self.output.write_all(pretty(json).as_bytes())
    }

    /// Prints a call's result to the output, or its error to the errors.
    fn show(&mut self, outcome: Outcome) -> io::Result<End> {
        match outcome {
            Ok(result) => {
                self.pretty(&String::from_utf8_lossy(&result.into_bytes()))?;
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
        Command::Call(arguments) => call::call(setting, streams, &arguments),
        Command::Doctor { json, no_create } => doctor::doctor(setting, streams, json, !no_create),
        Command::Identity { command } => identity::identity(setting, streams, command),
        Command::Devices { command, json, days } => {
            devices::devices(setting, streams, command, json, days)
        }
        Command::Login { renew, json } => login::login(setting, streams, renew, json),
        Command::Logout { json } => login::logout(setting, streams, json),
        Command::Servers { command: None, probe, json } => {
            servers::list(setting, streams, probe, json)
        }
        Command::Servers { command: Some(ServersCommand::Choose { name, json }), .. } => {
            servers::choose(setting, streams, name, json)
        }
        Command::Openrpc => {
            streams.output.write_all(OPENRPC.as_bytes())?;
            Ok(End::Fine)
        }
        Command::Completions { shell } => manual::completions(streams, setting.environment, shell),
        Command::Man { command } => manual::page(streams, &command),
    }
}

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

    /// Calls a method; its result as it came, and as a type.
    fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<(JsonText, T), ErrorObject> {
        self.call(method, to_raw_value(params).ok()).and_then(read)
    }

    /// Calls a method and waits for its result.
    fn call(&self, method: &str, params: Option<Box<RawValue>>) -> Outcome {
        self.call_and_tick(method, params, Duration::MAX, || ())
    }

    /// The same, with a call of `tick` now and each time after a `pause`, as long as it waits.
    fn call_and_tick(
        &self,
        method: &str,
        params: Option<Box<RawValue>>,
        pause: Duration,
        tick: impl FnMut(),
    ) -> Outcome {
        let params = params.filter(|params| params.get() != "null");
        let request = Request { params, in_turn: true, ..Request::default() };
        match self.methods.handle(method, request) {
            Handling::Done(outcome) => outcome,
            Handling::Ordered(work) => work(),
            Handling::Slow(Slow { first, work, .. }) => {
                first.map(|first| first());
                wait_for(work, pause, tick).map_err(|error| {
                    ErrorObject::new(Code::InternalError, format!("no runtime: {error}"))
                })?
            }
        }
    }
}

fn read<T: DeserializeOwned>(text: JsonText) -> Result<(JsonText, T), ErrorObject> {
    match serde_json::from_slice(&text.clone().into_bytes()) {
        Ok(value) => Ok((text, value)),
        Err(_) => Err(ErrorObject::new(Code::InternalError, "the result can't be read")),
    }
}

/// Waits for `work` only: a DNS lookup that is still running must not delay the exit.
fn wait_for<T>(
    work: impl Future<Output = T>,
    pause: Duration,
    mut tick: impl FnMut(),
) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        tokio::pin!(work);
        loop {
            tick();
            if let Ok(outcome) = tokio::time::timeout(pause, &mut work).await {
                return outcome;
            }
        }
    });
    runtime.shutdown_background();
    Ok(outcome)
}
