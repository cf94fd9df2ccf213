//! One process: its three streams, each with a thread, and the calls that wait for it.

mod output;

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use plexsync_protocol::message::method;

use crate::error::{CallError, Ended};
use crate::event::{Event, Handler};
use crate::locked;
use crate::slot::Slot;

/// How long a worker that closed its stdout has to exit.
const EXIT: Duration = Duration::from_secs(1);
/// How long the log of a worker that has exited is read; a process that it started may hold the stream.
const LAST_WORDS: Duration = Duration::from_millis(200);

pub(crate) struct Worker {
    child: Mutex<Child>,
    /// Lines for stdin. Without it, stdin is closed after the last of them.
    input: Mutex<Option<Sender<Vec<u8>>>>,
    calls: Mutex<Calls>,
    log: Mutex<VecDeque<u8>>,
    handler: Handler,
}

enum Calls {
    /// Those without a reply yet, by id.
    Open(HashMap<u64, Sent>),
    /// No reply will come.
    Ended(Option<ExitStatus>),
}

/// A call without a reply yet.
struct Sent {
    method: String,
    /// `None` if the host no longer waits for the reply.
    slot: Option<Arc<Slot>>,
}

impl Worker {
    pub(crate) fn start(command: &mut Command, handler: Handler) -> io::Result<Arc<Self>> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (input, lines) = mpsc::channel();
        let worker = Arc::new(Self {
            child: Mutex::new(child),
            input: Mutex::new(Some(input)),
            calls: Mutex::new(Calls::Open(HashMap::new())),
            log: Mutex::default(),
            handler,
        });
        worker.spawn_threads(stdin, stdout, stderr, lines).inspect_err(|_| worker.kill())?;
        Ok(worker)
    }

    fn spawn_threads(
        self: &Arc<Self>,
        stdin: Option<ChildStdin>,
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
        lines: Receiver<Vec<u8>>,
    ) -> io::Result<()> {
        // Never sent to: the receiver sees its end.
        let (log_open, log_end) = mpsc::channel::<()>();
        let worker = Arc::clone(self);
        named("plexsync-log", move || {
            if let Some(stderr) = stderr {
                worker.read_log(stderr);
            }
            drop(log_open);
        })?;
        let worker = Arc::clone(self);
        named("plexsync-replies", move || {
            worker.handler.emit(Event::Started { pid: worker.pid() });
            if let Some(stdout) = stdout {
                worker.read_replies(stdout);
            }
            worker.at_end(&log_end);
        })?;
        // A call never waits for a worker that does not read.
        named("plexsync-calls", move || {
            let Some(mut stdin) = stdin else { return };
            let _ = lines.iter().try_for_each(|line| stdin.write_all(&line));
        })
    }

    /// Sends the call `id`, whose answer goes to `slot`.
    pub(crate) fn send(
        &self,
        id: u64,
        method: &str,
        line: Vec<u8>,
        slot: &Arc<Slot>,
    ) -> Result<(), CallError> {
        let call = Sent { method: method.to_owned(), slot: Some(Arc::clone(slot)) };
        match &mut *locked(&self.calls) {
            Calls::Open(calls) => calls.insert(id, call),
            Calls::Ended(status) => return Err(self.ended(*status)),
        };
        if self.write(line) {
            return Ok(());
        }
        self.take(id);
        Err(CallError::Closed)
    }

    /// Asks the worker to cancel the call, if it is still without a reply.
    pub(crate) fn cancel(&self, id: u64) {
        let open = matches!(&*locked(&self.calls), Calls::Open(calls) if calls.contains_key(&id));
        if open {
            let method = method::CANCEL;
            let line = format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{{\"id\":{id}}}}}\n"
            );
            self.write(line.into_bytes());
        }
    }

    /// Cancels the call, whose reply is not waited for.
    pub(crate) fn give_up(&self, id: u64) {
        if let Calls::Open(calls) = &mut *locked(&self.calls)
            && let Some(call) = calls.get_mut(&id)
        {
            call.slot = None;
        }
        self.cancel(id);
    }

    fn write(&self, line: Vec<u8>) -> bool {
        locked(&self.input).as_ref().is_some_and(|input| input.send(line).is_ok())
    }

    /// Takes the call out of those that wait for their reply.
    fn take(&self, id: u64) -> Option<Sent> {
        match &mut *locked(&self.calls) {
            Calls::Open(calls) => calls.remove(&id),
            Calls::Ended(_) => None,
        }
    }

    fn at_end(&self, log_end: &Receiver<()>) {
        locked(&self.input).take();
        let status = self.exit_within(EXIT).ok().flatten();
        let status = status.or_else(|| {
            self.kill();
            locked(&self.child).try_wait().ok().flatten()
        });
        let _ = log_end.recv_timeout(LAST_WORDS);
        let calls = std::mem::replace(&mut *locked(&self.calls), Calls::Ended(status));
        if let Calls::Open(calls) = calls {
            for slot in calls.into_values().filter_map(|call| call.slot) {
                slot.complete(Err(self.ended(status)));
            }
        }
        self.handler.emit(Event::Ended { status });
    }

    fn ended(&self, status: Option<ExitStatus>) -> CallError {
        CallError::Ended(Ended { status, log: self.log() })
    }

    /// How it ended, if it has.
    pub(crate) fn end(&self) -> Option<CallError> {
        match &*locked(&self.calls) {
            Calls::Open(_) => None,
            Calls::Ended(status) => Some(self.ended(*status)),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        locked(&self.child).id()
    }

    /// Closes stdin behind what was sent, waits for the exit, and kills a worker that takes longer than `patience`.
    pub(crate) fn close(&self, patience: Duration) -> io::Result<ExitStatus> {
        locked(&self.input).take();
        if let Some(status) = self.exit_within(patience)? {
            return Ok(status);
        }
        self.kill();
        locked(&self.child).wait()
    }

    pub(crate) fn kill(&self) {
        let mut child = locked(&self.child);
        // One that has exited meanwhile is killed in vain.
        let _ = child.kill().and_then(|()| child.wait());
    }

    fn exit_within(&self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let end = Instant::now() + patience;
        loop {
            let status = locked(&self.child).try_wait()?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn named(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}
