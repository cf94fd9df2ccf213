//! Reading and watching with poll(2).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use plexsync_protocol::message::DRAIN_ON_SIGNAL;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, getppid};
use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::registered::Registered;
use super::takes_at_once;
use crate::host::session::Event;
use crate::host::stdio::{CHUNK, Flags, Watched};

/// How long the thread rests when the loop is behind.
const BEHIND: Duration = Duration::from_millis(1);
/// How often one looks whether Stash still lives.
const PARENT_CHECK: Duration = Duration::from_millis(250);
/// What is left of the time to end in, for the end itself.
const EXIT: Duration = Duration::from_millis(50);
/// A hook's one call is shorter than this.
const FIRST_READ: usize = 4096;

/// A pipe that becomes readable when a signal asks the process to stop. Whoever is in the middle of something sees
/// the flag.
fn signals(flags: &Flags) -> io::Result<OwnedFd> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, flags.stop.clone())?;
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

pub(super) struct Reader<Input, Replies> {
    watched: Watched<Input, Replies>,
    signals: OwnedFd,
    flags: Flags,
    exit: fn(),
    parent: Option<Pid>,
    buffer: Vec<u8>,
    filled: bool,
    at_end: bool,
    host_gone: bool,
    /// When the process has to be gone, once a signal has asked for it.
    exit_at: Option<Instant>,
}

/// What poll(2) has found.
#[derive(Default)]
struct Ready {
    input: bool,
    signal: bool,
    host_gone: bool,
}

impl<Input: AsFd, Replies: AsFd> Reader<Input, Replies> {
    pub(super) fn new(
        watched: Watched<Input, Replies>,
        flags: Flags,
        exit: fn(),
    ) -> io::Result<Self> {
        Ok(Self {
            watched,
            signals: signals(&flags)?,
            flags,
            exit,
            parent: getppid(),
            buffer: vec![0; FIRST_READ],
            filled: false,
            at_end: false,
            host_gone: false,
            exit_at: None,
        })
    }

    /// Reads and watches for a loop that may be busy writing.
    pub(super) fn run(mut self, events: &Sender<Event>) {
        while self.exit_at.is_none() {
            match self.wait() {
                Event::Stop => break,
                event => self.send(events, event),
            }
        }
        self.see_to_the_exit(events);
    }

    /// Waits for the next event.
    pub(super) fn wait(&mut self) -> Event {
        loop {
            if let Some(event) = self.look(self.rest()) {
                return event;
            }
        }
    }

    /// How long one may wait without looking whether Stash still lives.
    pub(super) fn rest(&self) -> Option<Duration> {
        self.flags.stash.load(Ordering::Relaxed).then_some(PARENT_CHECK)
    }

    /// Whether a look without waiting is worth while: the last read took all there was room for.
    pub(super) fn may_have_more(&self) -> bool {
        self.filled
    }

    /// Whether more input may come.
    pub(super) fn may_have_input(&self) -> bool {
        !self.at_end
    }

    /// Has the runtime that this runs on watch what this watches.
    pub(super) fn register(&self) -> Registered {
        Registered::new(&self.watched.input, &self.signals, &self.watched.replies)
    }

    /// Whether a reply of `length` bytes can be written without waiting for the host.
    pub(super) fn host_takes(&self, length: usize) -> bool {
        takes_at_once(&self.watched.replies, length)
    }

    /// Waits for an event, at most for `timeout`.
    pub(super) fn look(&mut self, timeout: Option<Duration>) -> Option<Event> {
        let ready = self.poll(timeout);
        if ready.signal {
            return self.signalled();
        }
        let orphaned = self.flags.stash.load(Ordering::Relaxed) && getppid() != self.parent;
        if (ready.host_gone || orphaned) && !self.host_gone {
            self.host_gone = true;
            return Some(Event::HostGone);
        }
        if ready.input { self.read() } else { None }
    }

    fn poll(&self, timeout: Option<Duration>) -> Ready {
        let mut polled = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if !self.host_gone {
            // Asking for nothing still tells of errors: of a pipe whose other end is closed.
            polled.push(PollFd::new(&self.watched.replies, PollFlags::empty()));
        }
        if !self.at_end {
            polled.push(PollFd::new(&self.watched.input, PollFlags::IN));
        }
        if poll(&mut polled, timeout.map(timespec).as_ref()).is_err() {
            return Ready::default();
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

    fn read(&mut self) -> Option<Event> {
        match rustix::io::read(&self.watched.input, &mut *self.buffer) {
            Ok(count) if count > 0 => Some(Event::Bytes(self.taken(count))),
            Err(Errno::INTR | Errno::AGAIN) => None,
            // A terminal that is gone, a closed descriptor: there will be no more.
            Ok(_) | Err(_) => {
                (self.at_end, self.filled) = (true, false);
                Some(Event::End)
            }
        }
    }

    /// What was read. Who sends much at once is read in larger pieces from then on.
    fn taken(&mut self, count: usize) -> Vec<u8> {
        let taken = self.buffer[..count].to_vec();
        self.filled = count == self.buffer.len();
        if self.filled && count < CHUNK {
            self.buffer = vec![0; CHUNK];
        }
        taken
    }

    /// A second signal means at once.
    fn signalled(&mut self) -> Option<Event> {
        let mut drained = [0; 16];
        // What matters is that the byte is gone: the next one is a second signal.
        let _ignored = rustix::io::read(&self.signals, &mut drained);
        if self.exit_at.is_some() {
            (self.exit)();
            return None;
        }
        self.exit_at = Some(Instant::now() + DRAIN_ON_SIGNAL.saturating_sub(EXIT));
        Some(Event::Stop)
    }

    /// Hands an event over. While the loop is behind, signals must still be seen.
    fn send(&self, events: &Sender<Event>, event: Event) {
        let mut event = event;
        loop {
            match events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(back)) => event = back,
            }
            if self.signal_within(BEHIND) {
                return;
            }
        }
    }

    fn signal_within(&self, timeout: Duration) -> bool {
        let mut polled = [PollFd::new(&self.signals, PollFlags::IN)];
        poll(&mut polled, Some(&timespec(timeout))).is_ok_and(|found| found > 0)
    }

    /// Has the loop end the process, and ends it when the loop does not: in time, and at once at a second signal.
    fn see_to_the_exit(&self, events: &Sender<Event>) {
        // A loop that is behind may have stopped because nobody reads what it writes.
        while matches!(events.try_send(Event::Stop), Err(TrySendError::Full(_))) {
            if self.time_left().is_zero() || self.signal_within(BEHIND) {
                return (self.exit)();
            }
        }
        let _either_way = self.signal_within(self.time_left());
        (self.exit)();
    }

    fn time_left(&self) -> Duration {
        let left = self.exit_at.map(|at| at.saturating_duration_since(Instant::now()));
        left.unwrap_or_default()
    }
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
