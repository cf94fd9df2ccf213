//! How a worker is started.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use plexsync_protocol::message::MAX_MESSAGE;
use plexsync_protocol::plex::TIMEOUT_MS;

use crate::client::{Client, MARGIN};
use crate::event::{Event, Handler};

/// How a worker is started, and how its client behaves. Made by [`Client::builder`], or from a [`Command`] for what
/// has no setter here.
pub struct Builder {
    pub(crate) command: Command,
    pub(crate) restart: bool,
    pub(crate) timeout: Duration,
    pub(crate) max_message: usize,
    pub(crate) handler: Handler,
}

impl From<Command> for Builder {
    fn from(command: Command) -> Self {
        let timeout = Duration::from_millis(TIMEOUT_MS) + MARGIN;
        Self {
            command,
            restart: false,
            timeout,
            max_message: MAX_MESSAGE,
            handler: Handler::default(),
        }
    }
}

impl Builder {
    pub(crate) fn new(program: &OsStr) -> Self {
        Self::from(Command::new(program))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the worker's environment. Everything else is inherited.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The folder of the identity (`PLEXSYNC_DATA_DIR`).
    #[must_use]
    pub fn data_dir(self, folder: impl AsRef<Path>) -> Self {
        self.env("PLEXSYNC_DATA_DIR", folder.as_ref())
    }

    /// The Plex server (`PLEX_URL`).
    #[must_use]
    pub fn plex_url(self, url: impl AsRef<OsStr>) -> Self {
        self.env("PLEX_URL", url)
    }

    /// The token for that server (`PLEX_TOKEN`): in the environment, because everybody can read arguments.
    #[must_use]
    pub fn plex_token(self, token: impl AsRef<OsStr>) -> Self {
        self.env("PLEX_TOKEN", token)
    }

    /// How long a call may take, unless it says otherwise. The default is 35 s: what the worker gives Plex, and 5 s.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The longest message that the worker reads, in bytes (`--max-message`; the default is 16 MiB). A longer call is
    /// not sent: the worker could not say which one it refuses.
    #[must_use]
    pub fn max_message(self, bytes: usize) -> Self {
        let builder = self.args(["--max-message", &bytes.to_string()]);
        Self { max_message: bytes, ..builder }
    }

    /// Whether the next call starts another worker when one has ended. Without it every call after a worker's end has
    /// [`CallError::Ended`](crate::CallError::Ended).
    #[must_use]
    pub fn restart(self, restart: bool) -> Self {
        Self { restart, ..self }
    }

    /// Takes what happens beside the calls: the worker's log, replies that belong to no call, its start and end.
    ///
    /// It runs in the threads that read the worker's output, so it must not wait for a call.
    #[must_use]
    pub fn on_event(self, handler: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self { handler: Handler::new(handler), ..self }
    }

    /// Starts the worker.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(self) -> io::Result<Client> {
        Client::new(self)
    }
}

impl std::fmt::Debug for Builder {
    /// The environment may hold a token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let program = self.command.get_program();
        formatter.debug_struct("Builder").field("program", &program).finish_non_exhaustive()
    }
}
