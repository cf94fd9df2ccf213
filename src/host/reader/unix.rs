//! Reading and watching with poll(2).

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use plexsync_protocol::message::DRAIN_ON_SIGNAL;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, getppid};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{CHUNK, Credit, Flags, STACK};
use crate::host::Event;
use crate::host::events::Events;

/// How often the parent is checked.
const PARENT_CHECK: Duration = Duration::from_millis(250);
/// First buffer, in bytes; a hook's one call is shorter.
const FIRST_READ: usize = 4096;
/// The part of the promised time that the exit itself takes.
const EXIT: Duration = Duration::from_millis(20);

/// Starts the reader. `replies` is watched, never written. `exit` ends the process with a code if it has
/// not ended in time after a signal.
///
/// # Errors
/// When the system refuses a pipe, a signal's handler or a thread.
pub fn start<Input, Replies>(
    input: Input,
    replies: Replies,
    flags: Flags,
    events: Events,
    exit: fn(i32),
) -> io::Result<Arc<Credit>>
where
    Input: AsFd + Send + 'static,
    Replies: AsFd + Send + 'static,
{
    let (woken, waker) = io::pipe()?;
    rustix::io::ioctl_fionbio(&waker, true)?;
    watch_signals(&flags, &waker)?;
    let credit = Arc::new(Credit::new(move || {
        // Refused when the pipe is full: then the reader will wake anyway.
        let _refused = io::Write::write(&mut &waker, &[0]);
    }));
    let reader = Reader {
        input,
        replies,
        woken,
        flags,
        events,
        credit: credit.clone(),
        exit,
        parent: getppid(),
        buffer: vec![0; FIRST_READ],
        at_end: false,
        host_gone: false,
        exit_at: None,
    };
    std::thread::Builder::new()
        .name("reader".to_owned())
        .stack_size(STACK)
        .spawn(move || reader.run())?;
    Ok(credit)
}

/// The first signal sets the flag and wakes the reader; a second one ends the process at once with 128 plus the
/// signal's number, as a shell reports it.
fn watch_signals(flags: &Flags, waker: &PipeWriter) -> io::Result<()> {
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, flags.stop.clone())?;
    }
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, flags.stop.clone())?;
        signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
    }
    Ok(())
}

struct Reader<Input, Replies> {
    input: Input,
    replies: Replies,
    /// Becomes readable when there is credit again, or a signal came.
    woken: PipeReader,
    flags: Flags,
    events: Events,
    credit: Arc<Credit>,
    exit: fn(i32),
    parent: Option<Pid>,
    buffer: Vec<u8>,
    at_end: bool,
    host_gone: bool,
    /// When the process must have ended, after a signal.
    exit_at: Option<Instant>,
}

impl<Input: AsFd, Replies: AsFd> Reader<Input, Replies> {
    fn run(mut self) {
        loop {
            let (input, host_gone) = self.wait();
            self.obey_signals();
            self.watch_host(host_gone);
            if input {
                self.read();
            }
        }
    }

    /// Waits for input, if there is room for it, and for the other events.
    fn wait(&mut self) -> (bool, bool) {
        let mut polled = vec![PollFd::new(&self.woken, PollFlags::IN)];
        if !self.host_gone {
            // Asking for nothing still reports errors: of a pipe whose other end is closed.
            polled.push(PollFd::new(&self.replies, PollFlags::empty()));
        }
        if !self.at_end && self.credit.left() > 0 {
            polled.push(PollFd::new(&self.input, PollFlags::IN));
        }
        let timeout = self.timeout().map(timespec);
        let found = poll(&mut polled, timeout.as_ref()).is_ok();
        let found = |at: usize| found && polled.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let replies = usize::from(!self.host_gone);
        let ready = (found(1 + replies), replies == 1 && found(1));
        if found(0) {
            // Only to empty the pipe.
            let _ignored = self.woken.read(&mut [0; 64]);
        }
        ready
    }

    fn timeout(&self) -> Option<Duration> {
        let exit = self.exit_at.map(|at| at.saturating_duration_since(Instant::now()));
        let parent = self.flags.stash.load(Ordering::Relaxed).then_some(PARENT_CHECK);
        exit.into_iter().chain(parent).min()
    }

    fn obey_signals(&mut self) {
        match self.exit_at {
            None if self.flags.stop.load(Ordering::Relaxed) => {
                let asked = Instant::now();
                self.exit_at = Some(asked + DRAIN_ON_SIGNAL.saturating_sub(EXIT));
                self.events.send(Event::Stop(asked));
            }
            // Failure if a reply is unwritten; success if the host has closed its end.
            Some(at) if at <= Instant::now() => (self.exit)(i32::from(!self.host_gone)),
            _ => {}
        }
    }

    fn watch_host(&mut self, closed: bool) {
        let orphaned = self.flags.stash.load(Ordering::Relaxed) && getppid() != self.parent;
        if (closed || orphaned) && !self.host_gone {
            self.host_gone = true;
            self.events.send(Event::HostGone);
        }
    }

    fn read(&mut self) {
        let room = self.credit.left().min(self.buffer.len());
        match rustix::io::read(&self.input, &mut self.buffer[..room]) {
            Ok(count) if count > 0 => {
                self.credit.take(count);
                self.events.send(Event::Bytes(self.buffer[..count].to_vec()));
                if count == self.buffer.len() {
                    // The host sends much at once: read larger pieces from now on.
                    self.buffer.resize(CHUNK, 0);
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // Also a terminal that was closed: there will be no more.
            Ok(_) | Err(_) => {
                self.at_end = true;
                self.events.send(Event::End);
            }
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
