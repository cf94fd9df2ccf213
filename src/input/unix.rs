//! Reading and watching with poll(2).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use plexsync_protocol::message::DRAIN_ON_SIGNAL;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, getppid};
use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::{CHUNK, Flags, Watched};
use crate::serve::Event;

/// How long the reader rests when the loop is behind.
const BEHIND: Duration = Duration::from_millis(1);
/// How often it looks whether Stash still lives.
const PARENT_CHECK: Duration = Duration::from_millis(250);

/// A pipe that becomes readable when a signal asks the process to stop.
pub(super) fn signals() -> io::Result<OwnedFd> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    for signal in [SIGTERM, SIGINT] {
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

pub(super) struct Reader<Input, Replies> {
    watched: Watched<Input, Replies>,
    signals: OwnedFd,
    flags: Flags,
    events: Sender<Event>,
    exit: fn(),
    parent: Option<Pid>,
    at_end: bool,
    host_gone: bool,
}

/// What poll(2) has found.
struct Ready {
    input: bool,
    signal: bool,
    host_gone: bool,
}

impl<Input: AsFd, Replies: AsFd> Reader<Input, Replies> {
    pub(super) fn new(
        watched: Watched<Input, Replies>,
        signals: OwnedFd,
        flags: Flags,
        events: Sender<Event>,
        exit: fn(),
    ) -> Self {
        let parent = getppid();
        Self { watched, signals, flags, events, exit, parent, at_end: false, host_gone: false }
    }

    pub(super) fn run(mut self) {
        let mut buffer = vec![0; CHUNK];
        loop {
            let ready = self.wait();
            if ready.signal {
                return self.stop();
            }
            let orphaned = self.flags.stash.load(Ordering::Relaxed) && getppid() != self.parent;
            if (ready.host_gone || orphaned) && !self.host_gone {
                self.host_gone = true;
                self.send(Event::HostGone);
            }
            if ready.input {
                let event = self.read(&mut buffer);
                self.at_end = matches!(event, Some(Event::End));
                event.into_iter().for_each(|event| self.send(event));
            }
        }
    }

    fn wait(&self) -> Ready {
        let mut polled = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if !self.host_gone {
            // Asking for nothing still tells of errors: of a pipe whose other end is closed.
            polled.push(PollFd::new(&self.watched.replies, PollFlags::empty()));
        }
        if !self.at_end {
            polled.push(PollFd::new(&self.watched.input, PollFlags::IN));
        }
        let timeout = self.flags.stash.load(Ordering::Relaxed) || self.at_end;
        let timeout = timeout.then(|| timespec(PARENT_CHECK));
        if poll(&mut polled, timeout.as_ref()).is_err() {
            return Ready { input: false, signal: false, host_gone: false };
        }
        let found = |at: usize| polled.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let replies = (!self.host_gone).then_some(1);
        let input = (!self.at_end).then_some(1 + usize::from(!self.host_gone));
        Ready {
            signal: found(0),
            host_gone: replies.is_some_and(found),
            input: input.is_some_and(found),
        }
    }

    fn read(&self, buffer: &mut [u8]) -> Option<Event> {
        match rustix::io::read(&self.watched.input, &mut *buffer) {
            Ok(0) => Some(Event::End),
            Ok(count) => Some(Event::Bytes(buffer[..count].to_vec())),
            Err(Errno::INTR | Errno::AGAIN) => None,
            // A terminal that is gone, a closed descriptor: there will be no more.
            Err(_) => Some(Event::End),
        }
    }

    /// Hands an event over. While the loop is behind, signals must still be seen.
    fn send(&self, event: Event) {
        let mut event = event;
        loop {
            match self.events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(back)) => event = back,
            }
            if self.signalled(BEHIND) {
                return;
            }
        }
    }

    fn signalled(&self, timeout: Duration) -> bool {
        let mut polled = [PollFd::new(&self.signals, PollFlags::IN)];
        poll(&mut polled, Some(&timespec(timeout))).is_ok_and(|found| found > 0)
    }

    /// Tells the loop, then sees to it that the process ends: in time, and at once at a second signal.
    fn stop(&self) {
        self.flags.stop.store(true, Ordering::Relaxed);
        let mut drained = [0; 16];
        // What matters is that the byte is gone: the next one is a second signal.
        let _ignored = rustix::io::read(&self.signals, &mut drained);
        // A loop that is behind has stopped writing because nobody reads: it can't answer anyway.
        let _ignored = self.events.try_send(Event::Stop);
        let _either_way = self.signalled(DRAIN_ON_SIGNAL.saturating_sub(Duration::from_millis(50)));
        (self.exit)();
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
