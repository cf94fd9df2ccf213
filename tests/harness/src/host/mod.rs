//! A host: starts the real worker as a subprocess and talks to it in every way that hosts do.
//!
//! Every wait ends after 30 s in a panic that shows what the worker wrote to stderr. Dropping a host kills its worker.
//!
//! ```no_run
//! use plexsync_harness::{FakePlex, Host};
//! use serde_json::json;
//!
//! let plex = FakePlex::start();
//! let mut host = Host::builder().plex(&plex).start();
//! let reply = host.call("plex.request", json!({"path": "/identity"})).unwrap();
//! assert_eq!(reply["status"], 200);
//! host.restart();
//! host.call("plex.request", json!({"path": "/"})).unwrap();
//! assert_eq!(plex.devices().len(), 1);
//! ```

mod binary;
mod builder;
mod canary;
mod pipes;
mod process;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

pub use builder::HostBuilder;
pub use canary::Canary;
pub use plexsync_protocol::error::ErrorObject as RpcError;
pub use process::{Memory, Signal};

use pipes::{Collected, Input, Replies};

/// Longest wait for anything that the worker owes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How messages are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wire {
    /// One JSON value a line.
    #[default]
    Lines,
    /// `Content-Length` headers, as in the Language Server Protocol.
    Headers,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the worker.
    Sent,
    /// From the worker.
    Received,
}

/// Sees messages pass.
type Observer = Arc<dyn Fn(Way, &str) + Send + Sync>;

/// What became of a worker that ran as a command line tool.
#[derive(Debug)]
#[non_exhaustive]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: String,
    /// All of its stderr.
    pub stderr: String,
}

/// A call that was sent and not yet answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "an answer that nobody waits for proves nothing"]
pub struct Pending {
    /// The id that it was sent with.
    pub id: u64,
}

/// A host with a running worker.
pub struct Host {
    setup: HostBuilder,
    child: Child,
    input: Option<Input>,
    replies: Replies,
    waiting: VecDeque<Value>,
    stderr: Collected,
    draining: Option<std::thread::JoinHandle<()>>,
    last_id: u64,
    canary: Canary,
    #[cfg(feature = "contract")]
    conversation: crate::contract::Conversation,
}

impl Host {
    /// How a worker is to be started.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    /// Starts a worker with this data folder, and nothing else said.
    pub fn at(data_dir: impl AsRef<Path>) -> Self {
        Self::builder().data_dir(data_dir).start()
    }

    /// The worker that is started unless [`HostBuilder::binary`] names another one: `PLEXSYNC_WORKER`, else the one in
    /// cargo's target folder, else the one in `PATH`.
    ///
    /// # Panics
    /// When there is none.
    pub fn find_binary() -> PathBuf {
        binary::find()
    }

    /// Builds the worker with cargo where it is missing or older than its sources, in the profile of the running
    /// program, and returns its path. For examples: cargo builds programs for tests, but not for examples.
    ///
    /// # Panics
    /// When cargo can't build it.
    pub fn build_binary() -> PathBuf {
        binary::build()
    }

    fn spawn(setup: HostBuilder) -> Self {
        let stderr = Collected::default();
        let (child, input, replies, draining) = spawned(&setup, &stderr);
        let input = Some(input);
        let (waiting, draining) = (VecDeque::new(), Some(draining));
        let canary = setup.canary();
        Self {
            setup,
            child,
            input,
            replies,
            waiting,
            stderr,
            draining,
            last_id: 0,
            canary,
            #[cfg(feature = "contract")]
            conversation: crate::contract::Conversation::default(),
        }
    }

    /// The worker's data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.setup.folder()
    }

    /// Calls a method and waits for its answer. Answers to other calls that come first are kept.
    ///
    /// # Errors
    /// The worker's error object.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        let pending = self.start_call(method, params);
        self.wait(pending)
    }

    /// Sends a call, and does not wait for its answer.
    pub fn start_call(&mut self, method: &str, params: Value) -> Pending {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        Pending { id }
    }

    /// Waits for the answer to one call.
    ///
    /// # Errors
    /// The worker's error object.
    pub fn wait(&mut self, pending: Pending) -> Result<Value, RpcError> {
        let reply = self.reply_to(&json!(pending.id));
        assert_eq!(reply["jsonrpc"], "2.0", "a 2.0 call has a 2.0 reply: {reply}");
        match reply.get("error") {
            Some(error) => Err(serde_json::from_value(error.clone())
                .unwrap_or_else(|problem| panic!("{problem} in the error object of {reply}"))),
            None => Ok(reply
                .get("result")
                .cloned()
                .unwrap_or_else(|| panic!("neither result nor error: {reply}"))),
        }
    }

    /// Calls a method in JSON-RPC 1.0, as Go's `net/rpc/jsonrpc` does.
    ///
    /// # Errors
    /// The worker's error string.
    ///
    /// # Panics
    /// When the reply would end a Go client's connection: an error that is no string, a null result.
    pub fn call_v1(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.last_id += 1;
        let id = json!(self.last_id);
        self.send(&json!({"id": id, "method": method, "params": [params]}));
        let reply = self.reply_to(&id);
        match (&reply["result"], reply.get("error")) {
            (Value::Null, Some(Value::String(error))) => Err(error.clone()),
            (result, Some(Value::Null)) if !result.is_null() => Ok(result.clone()),
            _ => panic!("no JSON-RPC 1.0 reply: {reply}"),
        }
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks the worker to stop a call. The call is still to be waited for.
    pub fn cancel(&mut self, pending: Pending) {
        self.notify("$/cancelRequest", json!({"id": pending.id}));
    }

    /// Sends one message in the wire's framing.
    ///
    /// # Panics
    /// When the worker does not take it.
    pub fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    /// Sends a text in the wire's framing, whether it is a message or not.
    ///
    /// # Panics
    /// When the worker does not take it.
    pub fn send_text(&mut self, text: &str) {
        self.observed(Way::Sent, text);
        let framed = match self.setup.wire {
            Wire::Lines => format!("{text}\n"),
            Wire::Headers => format!("Content-Length: {}\r\n\r\n{text}", text.len()),
        };
        self.send_raw(framed.as_bytes());
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the worker does not take them.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        match self.try_send_raw(bytes) {
            Ok(()) => {}
            Err(error) => self.fail(&format!("the worker takes no input: {error}")),
        }
    }

    /// Sends bytes to a worker that may be gone.
    ///
    /// # Errors
    /// When its stdin is closed.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        #[cfg(feature = "contract")]
        self.conversation.sent(bytes);
        let Some(input) = &self.input else { return Err(std::io::ErrorKind::BrokenPipe.into()) };
        match input.write(bytes) {
            Some(written) => written,
            None => self.fail("the worker does not read its input"),
        }
    }

    /// Sends bytes as they are and does not wait until the worker has taken them: for a worker that may not.
    pub fn send_raw_later(&mut self, bytes: &[u8]) {
        if let Some(input) = &self.input {
            input.write_later(bytes);
        }
    }

    /// The next message from the worker, kept ones first.
    ///
    /// # Panics
    /// When there is none, or it is no JSON.
    pub fn read_reply(&mut self) -> Value {
        self.try_read_reply(PATIENCE).unwrap_or_else(|| self.fail("no reply came"))
    }

    /// The next message from the worker; `None` when there is none within `timeout`, or stdout has ended.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn try_read_reply(&mut self, timeout: Duration) -> Option<Value> {
        if let Some(reply) = self.waiting.pop_front() {
            return Some(reply);
        }
        self.next_message(timeout)
    }

    /// The next line (or framed message) as the worker wrote it, without its line end; `None` at the end of stdout.
    /// Kept replies are passed over.
    ///
    /// # Panics
    /// When neither comes.
    pub fn read_raw_line(&mut self) -> Option<Vec<u8>> {
        let line = self.next_line()?;
        if serde_json::from_slice::<Value>(&line).is_ok() {
            self.parsed(&line);
        }
        Some(line)
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        self.replies
            .next(PATIENCE)
            .unwrap_or_else(|()| self.fail("neither a line nor the end came"))
    }

    /// Everything that still comes, until stdout ends.
    ///
    /// # Panics
    /// When it does not end.
    pub fn read_to_end(&mut self) -> Vec<Value> {
        let mut replies: Vec<Value> = std::mem::take(&mut self.waiting).into();
        while let Some(line) = self.next_line() {
            replies.push(self.parsed(&line));
        }
        replies
    }

    /// Stops reading stdout, as a host that hangs: the pipe fills up.
    pub fn pause_reading(&self) {
        self.replies.pause();
    }

    /// Reads stdout again.
    pub fn resume_reading(&self) {
        self.replies.resume();
    }

    /// Closes the worker's stdin: it answers what it has accepted, and ends.
    pub fn close_stdin(&mut self) {
        self.input = None;
    }

    /// Closes the reading end of the worker's stdout.
    pub fn close_stdout(&mut self) {
        self.replies.close();
    }

    /// Closes both, as a host that dies.
    pub fn hang_up(&mut self) {
        self.close_stdout();
        self.close_stdin();
    }

    fn reply_to(&mut self, id: &Value) -> Value {
        let kept = self.waiting.iter().position(|reply| reply.get("id") == Some(id));
        if let Some(reply) = kept.and_then(|place| self.waiting.remove(place)) {
            return reply;
        }
        loop {
            let reply = self.next_message(PATIENCE);
            match reply.unwrap_or_else(|| self.fail(&format!("no reply to call {id} came"))) {
                reply if reply.get("id") == Some(id) => return reply,
                other => self.waiting.push_back(other),
            }
        }
    }

    fn next_message(&mut self, timeout: Duration) -> Option<Value> {
        let message = self.replies.next(timeout).ok().flatten()?;
        self.observed(Way::Received, &String::from_utf8_lossy(&message));
        Some(self.parsed(&message))
    }

    fn parsed(&mut self, message: &[u8]) -> Value {
        let leak = self.canary.found("a reply", &String::from_utf8_lossy(message));
        let message = serde_json::from_slice(message).unwrap_or_else(|error| {
            let text = String::from_utf8_lossy(message).into_owned();
            self.fail(&format!("stdout holds no JSON ({error}): {text:?}"))
        });
        if let Some(leak) = leak {
            self.fail(&leak);
        }
        #[cfg(feature = "contract")]
        if let Err(breach) = self.conversation.received(&message) {
            self.fail(&format!("the reply breaks the contract: {breach}"));
        }
        message
    }

    fn observed(&self, way: Way, text: &str) {
        if let Some(observer) = &self.setup.observer {
            observer(way, text);
        }
    }

    fn fail(&mut self, what: &str) -> ! {
        // A worker whose stdout has just ended needs a moment to be gone, and to have said why.
        let state = match pipes::wait(&mut self.child, Duration::from_millis(300)) {
            Some(status) => format!("the worker has ended: {status}"),
            None => "the worker is running".to_owned(),
        };
        panic!("{what} ({state}); its stderr:\n{}", self.stderr())
    }
}

type Spawned = (Child, Input, Replies, std::thread::JoinHandle<()>);

fn spawned(setup: &HostBuilder, stderr: &Collected) -> Spawned {
    let mut command = setup.command();
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("can't start `{}`: {error}", Path::new(command.get_program()).display())
    });
    let input = Input::new(child.stdin.take().expect("a piped stdin"));
    let replies = Replies::new(child.stdout.take().expect("a piped stdout"), setup.wire);
    let draining = stderr.drain(child.stderr.take().expect("a piped stderr"));
    (child, input, replies, draining)
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
        // A child of the worker's holds its stderr open for as long as it has something to read.
        self.close_stdin();
        if std::thread::panicking() {
            return;
        }
        let stderr = self.stderr();
        let leak = self.canary.found("its stderr", &stderr);
        let leak = leak.or_else(|| self.canary.found_below(&self.data_dir()));
        assert_eq!(leak, None);
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut host = formatter.debug_struct("Host");
        host.field("pid", &self.pid()).field("setup", &self.setup).finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests;
