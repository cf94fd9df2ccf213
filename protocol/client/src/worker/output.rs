//! What a worker writes: replies to the calls that wait for them, its log to the host.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStderr, ChildStdout};

use plexsync_protocol::error::Code;
use plexsync_protocol::message::Progress;

use super::{Calls, Sent, Worker};
use crate::error::CallError;
use crate::event::Event;
use crate::locked;
use crate::reply::{self, Incoming};
use crate::slot::Answer;

/// How much of the log is kept, and the longest piece of a line, in bytes.
const LOG_KEPT: usize = 64 * 1024;

/// What a pipe holds on Linux, in bytes.
const PIPE: usize = 64 * 1024;

impl Worker {
    pub(super) fn read_replies(&self, stdout: ChildStdout) {
        let mut stdout = BufReader::with_capacity(PIPE, stdout);
        let mut line = Vec::new();
        while let Ok(1..) = stdout.read_until(b'\n', &mut line) {
            match reply::read(&line) {
                // The worker's end cut it off: its call has `Ended`.
                Incoming::Reply { answer: Err(CallError::Unreadable(_)), .. }
                    if !line.ends_with(b"\n") => {}
                Incoming::Reply { id, answer } => self.hand_over(id, answer, line.len()),
                Incoming::Progress(progress) => self.report(progress),
                Incoming::Unexpected { .. } if line.trim_ascii().is_empty() => {}
                Incoming::Unexpected { reason } => self.unexpected(reason, line.len()),
            }
            // A reply of 50 MB is not kept for the sake of the next one.
            line = Vec::new();
        }
    }

    fn hand_over(&self, id: u64, answer: Answer, bytes: usize) {
        match self.take(id) {
            Some(Sent { slot: Some(slot), .. }) => slot.complete(answer),
            Some(Sent { method, slot: None }) => self.late(method, answer, bytes),
            None => self.unexpected(format!("a reply to {id}, which is not an open call"), bytes),
        }
    }

    fn late(&self, method: String, answer: Answer, bytes: usize) {
        let error = match answer {
            Ok(_) => None,
            Err(error) => match error.worker() {
                Some(error) if error.code == Code::Cancelled.number() => return,
                Some(error) => Some(error.clone()),
                None => return self.unexpected(error.to_string(), bytes),
            },
        };
        self.handler.emit(Event::Late { method, error });
    }

    fn report(&self, progress: Progress) {
        let id = progress.token.as_u64();
        if let (Calls::Open(calls), Some(id)) = (&*locked(&self.calls), id)
            && let Some(call) = calls.get(&id)
        {
            if let Some(slot) = &call.slot {
                slot.progress(progress);
            }
            return;
        }
        self.handler.emit(Event::Progress(progress));
    }

    /// Also in the log, for hosts that take no events.
    fn unexpected(&self, reason: String, bytes: usize) {
        self.keep(
            format!("plexsync-client: unexpected message of {bytes} bytes: {reason}\n").as_bytes(),
        );
        self.handler.emit(Event::Unexpected { reason, bytes });
    }

    pub(super) fn read_log(&self, stderr: ChildStderr) {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        while let Ok(1..) = (&mut stderr).take(LOG_KEPT as u64).read_until(b'\n', &mut line) {
            self.keep(&line);
            let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            self.handler.emit(Event::Log(text));
            line.clear();
        }
    }

    fn keep(&self, text: &[u8]) {
        let mut log = locked(&self.log);
        log.extend(text);
        let surplus = log.len().saturating_sub(LOG_KEPT);
        log.drain(..surplus);
    }

    /// The end of the log.
    pub(crate) fn log(&self) -> String {
        let log: Vec<u8> = locked(&self.log).iter().copied().collect();
        String::from_utf8_lossy(&log).into_owned()
    }
}
