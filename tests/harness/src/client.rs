//! A client for hosts in Rust: starts a worker, calls it from any thread, and ends it.
//!
//! ```no_run
//! use std::process::Command;
//! use plexsync_harness::Client;
//! use plexsync_protocol::plex::RequestParams;
//!
//! let mut command = Command::new("plexsync-worker");
//! command.args(["--plex-url", "http://127.0.0.1:32400", "--plex-token-file", "token"]);
//! let client = Client::start(command)?;
//! println!("{}", client.identity_get()?.device_id);
//! println!("{}", client.plex_request(&RequestParams::get("/identity"))?.body);
//! client.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plexsync_protocol::error::ErrorObject;
use plexsync_protocol::identity::{Identity, ResetParams, ResetResult};
use plexsync_protocol::message::{DRAIN, DRAIN_ON_SIGNAL, method};
use plexsync_protocol::plex::{RequestParams, RequestResult, ScanParams, ScanResult, TIMEOUT_MS};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How long a call may take, unless [`Client::with_timeout`] says otherwise: a little more than the worker gives Plex.
pub const TIMEOUT: Duration = Duration::from_millis(TIMEOUT_MS + 5_000);
/// How much of the worker's stderr is kept, in bytes.
const STDERR_KEPT: usize = 64 * 1024;
/// How much longer the client waits than the worker takes at most.
const MARGIN: Duration = Duration::from_millis(500);

/// Why a call has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The worker answered with an error: its code says what to do.
    Worker(ErrorObject),
    /// There was no answer in time. The worker was told to stop the call.
    Timeout,
    /// The worker has ended, or takes no input; the end of its stderr tells why.
    Gone {
        /// The end of its stderr.
        stderr: String,
    },
    /// The answer is not what the contract says.
    Unreadable(serde_json::Error),
}

impl Display for CallError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Worker(error) => error.fmt(formatter),
            Self::Timeout => formatter.write_str("no answer in time: the call was cancelled"),
            Self::Gone { stderr } => {
                write!(formatter, "the worker has ended: {}", stderr.trim_end())
            }
            Self::Unreadable(error) => write!(formatter, "not the answer of that method: {error}"),
        }
    }
}

impl std::error::Error for CallError {}

/// A running worker. Dropping it ends the worker, in 3 s at most; [`Client::close`] waits for calls first.
#[derive(Debug)]
pub struct Client {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
    shared: Arc<Shared>,
    last_id: AtomicU64,
    timeout: Duration,
}

/// A worker's answer.
type Answer = Result<Value, ErrorObject>;

/// What the threads that read the worker's output know.
#[derive(Debug, Default)]
struct Shared {
    /// Calls that wait for their answer; none when no more will come.
    waiting: Mutex<Option<HashMap<u64, Sender<Answer>>>>,
    stderr: Mutex<VecDeque<u8>>,
}

/// A call on its way.
#[derive(Debug)]
#[must_use = "wait for it, or cancel it"]
pub struct Call<'a> {
    client: &'a Client,
    id: u64,
    answer: Receiver<Answer>,
}

impl Client {
    /// Starts the worker. Its three streams are taken; everything else is as `command` says.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let shared = Arc::new(Shared::default());
        *locked(&shared.waiting) = Some(HashMap::new());
        let input = Mutex::new(child.stdin.take());
        if let Some(stdout) = child.stdout.take() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.read_answers(stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.keep_stderr(stderr));
        }
        Ok(Self { child, input, shared, last_id: AtomicU64::new(0), timeout: TIMEOUT })
    }

    /// Gives every call this much time instead of [`TIMEOUT`].
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// `identity.get`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn identity_get(&self) -> Result<Identity, CallError> {
        self.call(method::IDENTITY_GET, &json!({}))
    }

    /// `identity.reset`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn identity_reset(&self, params: &ResetParams) -> Result<ResetResult, CallError> {
        self.call(method::IDENTITY_RESET, params)
    }

    /// `plex.request`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn plex_request(&self, params: &RequestParams) -> Result<RequestResult, CallError> {
        self.call(method::PLEX_REQUEST, params)
    }

    /// `plex.scan`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn plex_scan(&self, params: &ScanParams) -> Result<ScanResult, CallError> {
        self.call(method::PLEX_SCAN, params)
    }

    /// Calls any method and waits for its answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<T, CallError> {
        let answer = self.start_call(method, params)?.wait()?;
        serde_json::from_value(answer).map_err(CallError::Unreadable)
    }

    /// Sends a call, and does not wait for its answer.
    ///
    /// # Errors
    /// The worker is gone, or the params are no JSON.
    pub fn start_call(&self, method: &str, params: &impl Serialize) -> Result<Call<'_>, CallError> {
        let params = serde_json::to_value(params).map_err(CallError::Unreadable)?;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, answer) = mpsc::channel();
        match locked(&self.shared.waiting).as_mut() {
            Some(waiting) => waiting.insert(id, sender),
            None => return Err(self.gone()),
        };
        let call = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&call).map_err(|_| self.gone())?;
        Ok(Call { client: self, id, answer })
    }

    /// The end of what the worker wrote to stderr.
    pub fn stderr(&self) -> String {
        let kept: Vec<u8> = locked(&self.shared.stderr).iter().copied().collect();
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// Ends the worker: closes its stdin and waits while it answers what it has accepted; if that takes too long, asks
    /// it with SIGTERM, then kills it.
    ///
    /// # Errors
    /// Its end can't be observed.
    pub fn close(mut self) -> io::Result<ExitStatus> {
        self.end(DRAIN + MARGIN)
    }

    fn end(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        locked(&self.input).take();
        if let Some(status) = self.ended_within(patience)? {
            return Ok(status);
        }
        self.terminate();
        if let Some(status) = self.ended_within(DRAIN_ON_SIGNAL + MARGIN)? {
            return Ok(status);
        }
        self.child.kill()?;
        self.child.wait()
    }

    fn ended_within(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let end = Instant::now() + patience;
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[cfg(unix)]
    fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        // It may have ended meanwhile; its id is its own until it is waited for.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    #[cfg(not(unix))]
    fn terminate(&self) {}

    fn send(&self, message: &Value) -> io::Result<()> {
        match locked(&self.input).as_mut() {
            Some(input) => input.write_all(format!("{message}\n").as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn gone(&self) -> CallError {
        CallError::Gone { stderr: self.stderr() }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.end(Duration::from_secs(1));
    }
}

impl Call<'_> {
    /// Waits for the answer, for as long as the client gives a call.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait(self) -> Result<Value, CallError> {
        match self.answer.recv_timeout(self.client.timeout) {
            Ok(answer) => answer.map_err(CallError::Worker),
            Err(RecvTimeoutError::Timeout) => {
                self.cancel();
                Err(CallError::Timeout)
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.client.gone()),
        }
    }

    /// Tells the worker to stop the call. [`Call::wait`] then has its answer: -32800, or the result that was faster.
    pub fn cancel(&self) {
        let params = json!({"id": self.id});
        // A worker that is gone has stopped it already.
        let _ = self
            .client
            .send(&json!({"jsonrpc": "2.0", "method": method::CANCEL, "params": params}));
    }
}

impl Shared {
    fn read_answers(&self, stdout: ChildStdout) {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let Ok(reply) = serde_json::from_slice::<Value>(&line) else { continue };
            self.hand_over(reply);
        }
        // Those who wait see their sender go.
        *locked(&self.waiting) = None;
    }

    fn hand_over(&self, mut reply: Value) {
        let Some(id) = reply["id"].as_u64() else { return };
        let waiting = locked(&self.waiting).as_mut().and_then(|waiting| waiting.remove(&id));
        let answer = match reply.get_mut("error").map(Value::take) {
            None => Ok(reply["result"].take()),
            Some(error) => Err(serde_json::from_value(error).unwrap_or_else(|problem| {
                ErrorObject { code: 0, message: format!("no error object: {problem}"), data: None }
            })),
        };
        // Nobody waits for a call that was given up.
        let _ = waiting.map(|waiting| waiting.send(answer));
    }

    fn keep_stderr(&self, mut stderr: ChildStderr) {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut piece) {
            let mut kept = locked(&self.stderr);
            kept.extend(&piece[..count]);
            let surplus = kept.len().saturating_sub(STDERR_KEPT);
            kept.drain(..surplus);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Client {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Client::start(command).unwrap()
    }

    /// Answers every call with the name of its method.
    const ECHO: &str = r#"sed -u 's/"method"/"result"/'"#;

    #[test]
    fn calls_from_many_threads_get_their_own_answers() {
        let client = shell(ECHO);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let client = &client;
                scope.spawn(move || {
                    let name = format!("method {number}");
                    assert_eq!(client.call::<String>(&name, &json!({})).unwrap(), name);
                });
            }
        });
        assert!(client.close().unwrap().success());
    }

    #[test]
    fn an_error_keeps_its_code_and_another_shape_is_told_apart() {
        let reply = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"m"}}"#;
        let client = shell(&format!("read call; echo '{reply}'; {ECHO}"));
        match client.identity_get() {
            Err(CallError::Worker(error)) => assert_eq!(error.code, -32001),
            other => panic!("{other:?}"),
        }
        assert!(matches!(client.identity_get(), Err(CallError::Unreadable(_))));
    }

    #[test]
    fn a_call_that_takes_too_long_is_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard");
        let client = shell(&format!("cat > '{}'; exit 0", heard.display()))
            .with_timeout(Duration::from_millis(50));
        assert!(matches!(client.identity_get(), Err(CallError::Timeout)));
        client.close().unwrap();
        let heard = std::fs::read_to_string(heard).unwrap();
        assert!(heard.contains(r#""method":"$/cancelRequest""#), "{heard}");
    }

    #[test]
    fn a_worker_that_ends_says_why() {
        let client = shell("read call; echo 'it hurts' >&2; exec 2>&-; sleep 0.2; exit 3");
        match client.identity_get() {
            Err(CallError::Gone { stderr }) => assert_eq!(stderr, "it hurts\n"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(client.identity_get(), Err(CallError::Gone { .. })));
        assert_eq!(client.close().unwrap().code(), Some(3));
    }

    #[test]
    fn stderr_is_drained_and_its_end_kept() {
        let client = shell(
            "i=0; while [ $i -lt 5000 ]; do echo \"line $i .........................\" >&2; i=$((i+1)); done; exec sed -u 's/\"method\"/\"result\"/'",
        );
        client.call::<String>("m", &json!({})).unwrap();
        assert!(client.stderr().len() <= STDERR_KEPT);
    }

    #[test]
    fn a_stubborn_worker_is_asked_and_then_killed() {
        use std::os::unix::process::ExitStatusExt;
        let mut client = shell("trap 'exit 7' TERM; echo; while :; do sleep 0.02; done");
        client.end(Duration::from_millis(500)).unwrap();
        assert_eq!(client.child.wait().unwrap().code(), Some(7));
        let mut client = shell("trap '' TERM; while :; do sleep 0.02; done");
        let status = client.end(Duration::from_millis(500)).unwrap();
        assert_eq!(status.signal(), Some(9));
    }
}
