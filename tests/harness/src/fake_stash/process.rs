//! One run of a plugin, from the start of its process to its end (Stash `pkg/plugin/rpc.go`, `raw.go`; pie's
//! `closeProc`).

use std::io::{BufReader, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::log::{self, Line};

/// How long a test waits for a plugin: Stash itself waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long Stash waits between SIGINT and SIGKILL.
const PATIENCE_OF_STASH: Duration = Duration::from_secs(1);
/// How often a process is looked at while waiting for its end.
const LOOK: Duration = Duration::from_millis(2);
/// Ids that Go's client gives: it counts from 0.
const RUN: u64 = 0;
const STOP: u64 = 1;

/// What Stash got from a plugin, and what happened to its process.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Run {
    /// The failure that Stash shows, perhaps an empty text; none on success.
    pub error: Option<String>,
    /// The output that Stash hands on.
    pub output: Value,
    /// Why Stash called it success although the plugin did not say so: a reply that it could not use.
    pub swallowed: Option<String>,
    /// Replies in the order they came, decoded; for raw the whole of stdout as a string.
    pub replies: Vec<Value>,
    /// The plugin's log.
    pub log: Vec<Line>,
    /// How the process ended.
    pub status: ExitStatus,
    /// Whether Stash had to kill it: it did not end within a second of SIGINT.
    pub killed: bool,
    /// Time from the end of the conversation to the end of the process.
    pub exit_time: Duration,
}

/// A plugin with `interface: rpc` that is running.
#[derive(Debug)]
pub struct RpcTask {
    child: Child,
    stdin: Option<ChildStdin>,
    replies: Receiver<Result<Value, String>>,
    seen: Vec<Value>,
    log: JoinHandle<Vec<Line>>,
}

impl RpcTask {
    pub(super) fn start(mut command: Command, input: &Value) -> Self {
        let mut child = spawn(&mut command);
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let (sender, replies) = channel();
        std::thread::spawn(move || read_replies(stdout, &sender));
        let log = std::thread::spawn(move || log::read(stderr, false));
        let stdin = child.stdin.take();
        let mut task = Self { child, stdin, replies, seen: Vec::new(), log };
        task.send("RPCRunner.Run", &go_input(input), RUN);
        task
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the plugin to stop, and waits for its answer. Stash waits for ever.
    ///
    /// # Panics
    /// When there is no answer within 30 s, or one that ends the conversation.
    pub fn stop(&mut self) {
        self.send("RPCRunner.Stop", "null", STOP);
        loop {
            let reply =
                self.receive().unwrap_or_else(|reason| panic!("no answer to Stop: {reason}"));
            let is_stop = id_of(&reply) == Some(STOP);
            assert!(!is_stop || !reply["result"].is_null(), "Stop's result is null: {reply}");
            self.seen.push(reply);
            if is_stop {
                return;
            }
        }
    }

    /// Waits for the reply to Run, then ends the process as Stash does: stdout closed, stdin closed, SIGINT, and
    /// SIGKILL a second later.
    ///
    /// # Panics
    /// When there is no reply within 30 s.
    pub fn finish(mut self) -> Run {
        let end = loop {
            match self.seen.iter().find(|reply| id_of(reply) == Some(RUN)) {
                Some(reply) => break outcome(&reply.clone()),
                None => match self.receive() {
                    Ok(reply) => self.seen.push(reply),
                    Err(reason) => break (None, Value::Null, Some(reason)),
                },
            }
        };
        // The thread that reads replies has closed stdout: it ends with the reply to Run.
        let started = Instant::now();
        drop(self.stdin.take());
        interrupt(&self.child);
        let (status, killed) = match wait(&mut self.child, PATIENCE_OF_STASH) {
            Some(status) => (status, false),
            None => (kill(&mut self.child), true),
        };
        let (error, output, swallowed) = end;
        Run {
            error,
            output,
            swallowed,
            replies: self.seen,
            log: self.log.join().expect("the log's reader does not panic"),
            status,
            killed,
            exit_time: started.elapsed(),
        }
    }

    /// Writes one line as Go's encoder does. A plugin that is gone shows when it should reply.
    fn send(&mut self, method: &str, params: &str, id: u64) {
        let line = format!(r#"{{"method":"{method}","params":[{params}],"id":{id}}}"#);
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(format!("{line}\n").as_bytes());
        }
    }

    fn receive(&mut self) -> Result<Value, String> {
        match self.replies.recv_timeout(PATIENCE) {
            Ok(reply) => reply,
            Err(RecvTimeoutError::Disconnected) => Err("the conversation is over".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                kill(&mut self.child);
                panic!("no reply within {PATIENCE:?}");
            }
        }
    }
}

/// A plugin with `interface: raw` that is running.
#[derive(Debug)]
pub struct RawTask {
    child: Child,
    stdout: JoinHandle<String>,
    log: JoinHandle<Vec<Line>>,
}

impl RawTask {
    pub(super) fn start(mut command: Command, input: &Value) -> Self {
        let mut child = spawn(&mut command);
        let mut stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let stdin = child.stdin.take();
        let input = go_input(input);
        std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { child, stdout, log: std::thread::spawn(move || log::read(stderr, true)) }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the plugin as Stash does: SIGKILL, at once.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
    }

    /// Reads to the end, then waits for the process.
    ///
    /// # Panics
    /// When the process does not end within 30 s.
    pub fn finish(mut self) -> Run {
        let started = Instant::now();
        let Some(status) = wait(&mut self.child, PATIENCE) else {
            kill(&mut self.child);
            panic!("the plugin did not end within {PATIENCE:?}");
        };
        let stdout = self.stdout.join().expect("the reader does not panic");
        let (mut error, output, swallowed) = raw_outcome(&stdout);
        if error.is_none() && !status.success() {
            error = Some(status.to_string());
        }
        Run {
            error,
            output,
            swallowed,
            replies: vec![Value::String(stdout)],
            log: self.log.join().expect("the log's reader does not panic"),
            status,
            killed: false,
            exit_time: started.elapsed(),
        }
    }
}

type Outcome = (Option<String>, Value, Option<String>);

/// What Stash makes of the reply to Run. Errors of the RPC itself are never looked at.
fn outcome(reply: &Value) -> Outcome {
    let swallowed = |reason: &str| (None, Value::Null, Some(format!("{reason}: {reply}")));
    if !reply["error"].is_null() {
        return swallowed("an error of the RPC");
    }
    match &reply["result"] {
        Value::Object(result) => {
            let output = result.get("output").cloned().unwrap_or_default();
            match result.get("error") {
                None | Some(Value::Null) => (None, output, None),
                Some(Value::String(error)) => (Some(error.clone()), output, None),
                Some(_) => (Some(String::new()), output, None),
            }
        }
        _ => swallowed("a result that is no object"),
    }
}

/// What Stash makes of a raw plugin's stdout: one JSON object, or a text that counts as success.
fn raw_outcome(stdout: &str) -> Outcome {
    match serde_json::from_str::<Value>(stdout) {
        Ok(Value::Object(answer)) => {
            let output = answer.get("output").cloned().unwrap_or_default();
            let known = answer.contains_key("error") || answer.contains_key("output");
            let swallowed = (!known).then(|| "neither `error` nor `output`".to_owned());
            match answer.get("error") {
                None | Some(Value::Null) => (None, output, swallowed),
                Some(Value::String(error)) => (Some(error.clone()), output, None),
                Some(_) => (Some(String::new()), Value::String(stdout.to_owned()), None),
            }
        }
        Ok(Value::Null) => (None, Value::Null, Some("null".to_owned())),
        _ => (None, Value::String(stdout.to_owned()), Some("no JSON object".to_owned())),
    }
}

/// The id that Go's client reads; none and null are 0.
fn id_of(reply: &Value) -> Option<u64> {
    match &reply["id"] {
        Value::Null => Some(RUN),
        id => id.as_u64(),
    }
}

/// Reads replies until the one to Run, or until one that ends the conversation; then closes stdout.
fn read_replies(stdout: ChildStdout, replies: &Sender<Result<Value, String>>) {
    let values = serde_json::Deserializer::from_reader(BufReader::new(stdout)).into_iter::<Value>();
    for value in values {
        let reply = match value {
            Ok(reply) if !reply.is_object() => Err(format!("a reply that is no object: {reply}")),
            Ok(reply) if id_of(&reply).is_none() => {
                Err(format!("an id that is no number: {reply}"))
            }
            Ok(reply) if reply["result"].is_null() && !reply["error"].is_string() => {
                Err(format!("neither a result nor a string as error: {reply}"))
            }
            Ok(reply) => Ok(reply),
            Err(error) => Err(format!("no JSON: {error}")),
        };
        let is_last = reply.as_ref().map_or(true, |reply| id_of(reply) == Some(RUN));
        if replies.send(reply).is_err() || is_last {
            return;
        }
    }
    let _ = replies.send(Err("stdout was closed".to_owned()));
}

/// A plugin's input with its members in the order of Go's struct.
fn go_input(input: &Value) -> String {
    match (input.get("server_connection"), input.get("args")) {
        (Some(connection), Some(args)) => {
            let (connection, args) = (go_json(connection), go_json(args));
            format!(r#"{{"server_connection":{connection},"args":{args}}}"#)
        }
        _ => go_json(input),
    }
}

/// JSON as Go's encoder writes it: what HTML and old JavaScript trip over is escaped. Outside of strings none of it
/// can stand.
fn go_json(value: &Value) -> String {
    let escapes =
        [('<', "003c"), ('>', "003e"), ('&', "0026"), ('\u{2028}', "2028"), ('\u{2029}', "2029")];
    escapes.iter().fold(value.to_string(), |text, (character, code)| {
        text.replace(*character, &format!("\\u{code}"))
    })
}

/// A program that another thread of the test has just written may be busy for a moment: a process that was forked
/// meanwhile holds the file open until it becomes its own program.
fn spawn(command: &mut Command) -> Child {
    let end = Instant::now() + PATIENCE;
    loop {
        match command.spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < end => {
                std::thread::sleep(LOOK);
            }
            Err(error) => panic!("{command:?} can't be started: {error}"),
        }
    }
}

fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + patience;
    loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => return Some(status),
            None if Instant::now() >= end => return None,
            None => std::thread::sleep(LOOK),
        }
    }
}

fn kill(child: &mut Child) -> ExitStatus {
    let _ = child.kill();
    child.wait().expect("a killed child ends")
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
}

/// Go has no interrupt for Windows: pie gives up there and kills nothing.
#[cfg(not(unix))]
fn interrupt(_: &Child) {}
