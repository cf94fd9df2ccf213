//! How a worker is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::canary::Canary;
use super::{Host, Observer, Output, Way, Wire, binary, pipes};
use crate::FakePlex;

/// Variables that would tell the worker something that the test did not say.
const FOREIGN: [&str; 3] = ["PLEX", "STASH", "RUST_LOG"];

/// Starts workers. Unless told otherwise: a data folder of its own that goes away with the builder's last host, one
/// message a line, and none of the variables that the worker reads.
#[derive(Clone)]
pub struct HostBuilder {
    binary: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    own_folder: Arc<TempDir>,
    pass_data_dir: bool,
    current_dir: Option<PathBuf>,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    pub(super) wire: Wire,
    pub(super) observer: Option<Observer>,
}

impl HostBuilder {
    pub(super) fn new() -> Self {
        Self {
            binary: None,
            data_dir: None,
            own_folder: Arc::new(tempfile::tempdir().expect("a temporary folder")),
            pass_data_dir: true,
            current_dir: None,
            args: Vec::new(),
            env: Vec::new(),
            wire: Wire::Lines,
            observer: None,
        }
    }

    /// The worker's data folder, given as `--data-dir`.
    #[must_use]
    pub fn data_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.data_dir = Some(path.as_ref().to_owned());
        self
    }

    /// Gives no `--data-dir`: the worker finds its folder by itself. Say where with [`HostBuilder::env`].
    #[must_use]
    pub fn without_data_dir(mut self) -> Self {
        self.pass_data_dir = false;
        self
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, |builder, arg| builder.arg(arg))
    }

    /// An environment variable for the worker.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The folder that the worker is started in.
    #[must_use]
    pub fn current_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.current_dir = Some(path.as_ref().to_owned());
        self
    }

    /// How messages are framed.
    #[must_use]
    pub fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// The program to start, in place of the one that is found.
    #[must_use]
    pub fn binary(mut self, path: impl AsRef<Path>) -> Self {
        self.binary = Some(path.as_ref().to_owned());
        self
    }

    /// The token for Plex, in `PLEX_TOKEN`.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.env("PLEX_TOKEN", token)
    }

    /// Points the worker at a fake Plex: its URL, its owner's token, and its authority where it speaks TLS.
    #[must_use]
    pub fn plex(self, plex: &FakePlex) -> Self {
        let builder = self.env("PLEX_URL", plex.url()).token(&plex.token());
        let Some(pem) = plex.ca_pem() else { return builder };
        let file = builder.own_folder.path().join(format!("ca-{}.pem", plex.port()));
        std::fs::write(&file, pem).expect("a file in a temporary folder");
        builder.env("PLEX_CA", file)
    }

    /// Shows every message to `observer` as it passes.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(Way, &str) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Starts the worker.
    ///
    /// # Panics
    /// When there is none, or it can't be started.
    pub fn start(self) -> Host {
        Host::spawn(self)
    }

    /// Starts the same worker for the typed client. Keep this builder: the data folder goes away with it.
    pub fn client(&self) -> crate::client::Builder {
        self.command().into()
    }

    /// Runs the worker as a command line tool: gives it `input`, closes its stdin, and waits for its end.
    ///
    /// # Panics
    /// When it can't be started, or has not ended after 30 s.
    pub fn run(&self, input: impl Into<Vec<u8>>) -> Output {
        let child = self.command().spawn().expect("the worker can be started");
        let input = input.into();
        #[cfg(feature = "contract")]
        let asked = input.clone();
        let output = pipes::run_to_the_end(child, input);
        let leak = self.canary().found("its output", &(output.stdout.clone() + &output.stderr));
        assert_eq!(leak, None);
        #[cfg(feature = "contract")]
        crate::contract::judge_lines(&asked, &output.stdout);
        output
    }

    /// Watches for the tokens in the worker's environment.
    pub(super) fn canary(&self) -> Canary {
        let tokens = self.env.iter().filter(|(name, _)| name.to_string_lossy().ends_with("TOKEN"));
        Canary::of(tokens.filter_map(|(_, value)| value.to_str()))
    }

    /// The data folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| self.own_folder.path().join("data"))
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.binary.clone().unwrap_or_else(binary::find));
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_foreign(name)) {
            command.env_remove(name);
        }
        if self.pass_data_dir {
            command.arg("--data-dir").arg(self.folder());
        }
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.current_dir {
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl std::fmt::Debug for HostBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut builder = formatter.debug_struct("HostBuilder");
        builder.field("data_dir", &self.folder()).field("args", &self.args);
        builder.field("wire", &self.wire).finish_non_exhaustive()
    }
}

fn is_foreign(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    FOREIGN.iter().any(|prefix| name.starts_with(prefix)) || name.ends_with("_PROXY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_that_the_worker_reads_are_taken_away() {
        let table = [
            ("PLEX_TOKEN", true),
            ("PLEXSYNC_DATA_DIR", true),
            ("PLEXAPI_AUTH_SERVER_TOKEN", true),
            ("STASH_PLUGIN_DATA", true),
            ("RUST_LOG", true),
            ("https_proxy", true),
            ("NO_PROXY", true),
            ("PATH", false),
            ("HOME", false),
            ("RUST_BACKTRACE", false),
        ];
        for (name, foreign) in table {
            assert_eq!(is_foreign(OsStr::new(name)), foreign, "{name}");
        }
    }
}
