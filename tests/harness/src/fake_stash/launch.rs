//! How Stash starts a plugin's process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::process::{RawTask, RpcTask, Run};

/// Variables that would change what the worker does; they are taken out of a test's processes.
const SETTINGS: [&str; 4] = ["PLEX", "STASH", "RUST_LOG", "_proxy"];

/// A program to start as Stash would.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    working_folder: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// The program at this path, with the test's environment less what configures the worker or sets a proxy.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            working_folder: None,
            environment: Vec::new(),
        }
    }

    /// Adds an argument: `exec` beyond its first word, then the task's `execArgs`.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The working folder; Stash's own is the test's.
    #[must_use]
    pub fn working_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.working_folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Sets a variable, as in Stash's own environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs the plugin with `interface: rpc`, from the start to the end of its process.
    ///
    /// # Panics
    /// When the program can't be started, or does not reply within 30 s.
    pub fn run_rpc(&self, input: &Value) -> Run {
        self.start_rpc(input).finish()
    }

    /// Starts the plugin with `interface: rpc` and sends it Run.
    ///
    /// # Panics
    /// When the program can't be started.
    pub fn start_rpc(&self, input: &Value) -> RpcTask {
        RpcTask::start(self.command(), input)
    }

    /// Runs the plugin with `interface: raw`, from the start to the end of its process.
    ///
    /// # Panics
    /// When the program can't be started, or does not end within 30 s.
    pub fn run_raw(&self, input: &Value) -> Run {
        self.start_raw(input).finish()
    }

    /// Starts the plugin with `interface: raw` and writes its input.
    ///
    /// # Panics
    /// When the program can't be started.
    pub fn start_raw(&self, input: &Value) -> RawTask {
        RawTask::start(self.command(), input)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let lower = text.to_lowercase();
            if SETTINGS.iter().any(|part| text.starts_with(part) || lower.ends_with(part)) {
                command.env_remove(&name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.working_folder {
            command.current_dir(folder);
        }
        command
    }
}
