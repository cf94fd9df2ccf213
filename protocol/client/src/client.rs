//! The client: which worker runs, and the methods that can be called.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::find::{FindParams, FindResult};
use plexsync_protocol::identity::{Identity, ResetParams, ResetResult};
use plexsync_protocol::message::{DRAIN, method};
use plexsync_protocol::plex::{RequestParams, RequestResult, ScanParams, ScanResult, TIMEOUT_MS};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::builder::Builder;
use crate::call::Call;
use crate::error::CallError;
use crate::locked;
use crate::slot::Slot;
use crate::timer::Timer;
use crate::worker::Worker;

/// How much longer the client waits than the worker takes at most.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);
/// How long a worker has to exit whose client was dropped.
const DROPPED: Duration = Duration::from_secs(1);

/// A running worker, for any number of threads: share it by reference or in an `Arc`.
///
/// Dropping it ends the worker, in a second at most; [`close`](Client::close) waits for the calls on their way first.
#[derive(Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What calls and the client share.
pub(crate) struct Inner {
    setup: Mutex<Builder>,
    last_id: AtomicU64,
    current: Mutex<Current>,
    timer: Arc<Timer>,
}

struct Current {
    worker: Arc<Worker>,
    is_closed: bool,
}

/// A JSON-RPC 2.0 request.
#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: &'a RawValue,
}

impl Client {
    /// How to start the worker `program`: a path, or a name that is looked for in `PATH`.
    pub fn builder(program: impl AsRef<OsStr>) -> Builder {
        Builder::new(program.as_ref())
    }

    /// Starts the worker. Its three streams are taken; everything else is as `command` says.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(command: Command) -> io::Result<Self> {
        Builder::from(command).start()
    }

    pub(crate) fn new(mut setup: Builder) -> io::Result<Self> {
        let worker = Worker::start(&mut setup.command, setup.handler.clone())?;
        let inner = Inner {
            setup: Mutex::new(setup),
            last_id: AtomicU64::new(0),
            current: Mutex::new(Current { worker, is_closed: false }),
            timer: Arc::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// `identity.get`.
    pub fn identity_get(&self) -> Call<Identity> {
        self.call(method::IDENTITY_GET, &BTreeMap::<String, Value>::new())
    }

    /// `identity.reset`.
    pub fn identity_reset(&self, params: &ResetParams) -> Call<ResetResult> {
        self.call(method::IDENTITY_RESET, params)
    }

    /// `plex.request`. The client waits a little longer than `timeout_ms`.
    pub fn plex_request(&self, params: &RequestParams) -> Call<RequestResult> {
        self.timed(method::PLEX_REQUEST, params, params.timeout_ms)
    }

    /// `plex.scan`. The client waits a little longer than `timeout_ms` and `wait_ms` together.
    pub fn plex_scan(&self, params: &ScanParams) -> Call<ScanResult> {
        let whole = |wait| params.timeout_ms.unwrap_or(TIMEOUT_MS).saturating_add(wait);
        self.timed(method::PLEX_SCAN, params, params.wait_ms.map(whole).or(params.timeout_ms))
    }

    /// `plex.find`.
    pub fn plex_find(&self, params: &FindParams) -> Call<FindResult> {
        self.timed(method::PLEX_FIND, params, params.timeout_ms)
    }

    /// A call that has its own time: the client waits a little longer.
    pub(crate) fn timed<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
        timeout_ms: Option<u64>,
    ) -> Call<T> {
        let call = self.call(method, params);
        match timeout_ms {
            Some(timeout) => call.timeout(Duration::from_millis(timeout).saturating_add(MARGIN)),
            None => call,
        }
    }

    /// `rpc.discover`: the OpenRPC document.
    pub fn discover(&self) -> Call<Value> {
        self.call(method::RPC_DISCOVER, &BTreeMap::<String, Value>::new())
    }

    /// Any method, by its name. As `T` a `Box<RawValue>` takes every result as the worker wrote it.
    pub fn call<T: DeserializeOwned>(&self, method: &str, params: &impl Serialize) -> Call<T> {
        let params = to_raw_value(params)
            .map_err(|_| ErrorObject::invalid_params("", "can't be written as JSON").into());
        let timeout = locked(&self.inner.setup).timeout;
        Call::new(Arc::clone(&self.inner), method, params, timeout)
    }

    /// The end of the worker's log, at most 64 KiB. It also notes replies that belong to no call.
    pub fn log(&self) -> String {
        locked(&self.inner.current).worker.log()
    }

    /// The process id of the worker that runs, or ran last.
    pub fn pid(&self) -> u32 {
        locked(&self.inner.current).worker.pid()
    }

    /// Kills the worker, for one that does not reply any more: what it has on disk survives that. Calls on their way
    /// have [`CallError::Ended`]; with [`restart`](Builder::restart) the next call starts another worker.
    pub fn kill(&self) {
        let worker = Arc::clone(&locked(&self.inner.current).worker);
        worker.kill();
    }

    /// Ends the worker: closes its stdin and waits while it answers what it has accepted (10 s at most), then kills it.
    ///
    /// # Errors
    /// Its end can't be observed.
    pub fn close(self) -> io::Result<ExitStatus> {
        self.inner.end(DRAIN + MARGIN)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // After `close` this finds its exit status.
        let _ = self.inner.end(DROPPED);
    }
}

impl Inner {
    /// Sends a call to the worker that runs, and returns that and the call's id.
    pub(crate) fn send(
        &self,
        method: &str,
        params: Box<RawValue>,
        wants_progress: bool,
        slot: &Arc<Slot>,
    ) -> Result<(Arc<Worker>, u64), CallError> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let params = if wants_progress { with_token(&params, id)? } else { params };
        let line = line(&Request { jsonrpc: "2.0", id, method, params: &params });
        let limit = locked(&self.setup).max_message;
        if line.len() > limit {
            let message = format!("`{method}` is longer than `{limit}` bytes: raise `max_message`");
            return Err(ErrorObject::new(Code::InvalidRequest, message).into());
        }
        let worker = self.worker()?;
        worker.send(id, method, line, slot)?;
        Ok((worker, id))
    }

    /// The worker that runs; another one in place of one that has ended, if the host wants that.
    fn worker(&self) -> Result<Arc<Worker>, CallError> {
        let mut current = locked(&self.current);
        if current.is_closed {
            return Err(CallError::Closed);
        }
        if let Some(end) = current.worker.end() {
            let mut setup = locked(&self.setup);
            if !setup.restart {
                return Err(end);
            }
            let handler = setup.handler.clone();
            current.worker =
                Worker::start(&mut setup.command, handler).map_err(CallError::Start)?;
        }
        Ok(Arc::clone(&current.worker))
    }

    /// Wakes the task of an awaited call at its deadline.
    pub(crate) fn watch(&self, deadline: Instant, slot: &Arc<Slot>) {
        self.timer.watch(deadline, slot);
    }

    fn end(&self, patience: Duration) -> io::Result<ExitStatus> {
        let worker = {
            let mut current = locked(&self.current);
            current.is_closed = true;
            Arc::clone(&current.worker)
        };
        worker.close(patience)
    }
}

/// The params with the call's id as `progress_token`.
fn with_token(params: &RawValue, id: u64) -> Result<Box<RawValue>, CallError> {
    let refused = |_| ErrorObject::invalid_params("", "progress needs params that are an object");
    let mut members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(params.get()).map_err(refused)?;
    members.insert("progress_token".to_owned(), to_raw_value(&id).map_err(refused)?);
    Ok(to_raw_value(&members).map_err(refused)?)
}

/// The message on one line: a body that was given as text may hold line ends, between tokens only.
fn line(request: &Request<'_>) -> Vec<u8> {
    let mut line = serde_json::to_vec(request).unwrap_or_default();
    for byte in line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    line.push(b'\n');
    line
}

impl std::fmt::Debug for Inner {
    /// The command's environment may hold a token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inner").finish_non_exhaustive()
    }
}
