//! Reading on Windows, where a pipe can't be waited for together with something else: one thread reads stdin, another
//! one waits for what ends a console's programs. That the host has closed the replies' pipe shows at the next reply.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use plexsync_protocol::message::DRAIN_ON_SIGNAL;
use tokio::signal::windows as console;
use tokio::time::timeout;

use super::{CHUNK, Credit, Flags, STACK};
use crate::host::Event;
use crate::host::events::Events;

/// The part of the promised time that the exit itself takes.
const EXIT: Duration = Duration::from_millis(20);
/// Exit codes of a process that a signal has ended, as a shell reports them: 128 and the signal's number.
const INTERRUPTED: i32 = 128 + 2;
const TERMINATED: i32 = 128 + 15;

/// Starts the reader. `exit` ends the process with a code if it has not ended in time after a signal.
///
/// # Errors
/// When the system refuses a thread, or to tell of Ctrl-C.
pub fn start<Replies>(
    input: impl Read + Send + 'static,
    _replies: Replies,
    flags: Flags,
    events: Events,
    exit: fn(i32),
) -> io::Result<Arc<Credit>> {
    let (signals, told) = (Signals::new()?, events.clone());
    let watch = move || watch(signals, &flags, &told, exit);
    thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    let (sender, receiver) = std::sync::mpsc::channel::<Arc<Credit>>();
    let read = move || {
        if let Ok(credit) = receiver.recv() {
            read(input, &credit, &events);
        }
    };
    let reader = thread::Builder::new().name("reader".to_owned()).stack_size(STACK).spawn(read)?;
    let reader = reader.thread().clone();
    let credit = Arc::new(Credit::new(move || reader.unpark()));
    // The thread waits for it.
    let _never_refused = sender.send(credit.clone());
    Ok(credit)
}

fn read(mut input: impl Read, credit: &Credit, events: &Events) {
    let mut buffer = vec![0; CHUNK];
    loop {
        while credit.left() == 0 {
            thread::park();
        }
        let room = credit.left().min(buffer.len());
        match input.read(&mut buffer[..room]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return events.send(Event::End),
            Ok(count) => {
                credit.take(count);
                events.send(Event::Bytes(buffer[..count].to_vec()));
            }
        }
    }
}

/// What ends a console's programs. Registered, it does not end this one.
struct Signals {
    ctrl_c: console::CtrlC,
    ctrl_break: console::CtrlBreak,
    close: console::CtrlClose,
    log_off: console::CtrlLogoff,
    shutdown: console::CtrlShutdown,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            ctrl_c: console::ctrl_c()?,
            ctrl_break: console::ctrl_break()?,
            close: console::ctrl_close()?,
            log_off: console::ctrl_logoff()?,
            shutdown: console::ctrl_shutdown()?,
        })
    }

    /// Waits for the next one. The exit code that it asks for.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.ctrl_c.recv() => INTERRUPTED,
            _ = self.ctrl_break.recv() => INTERRUPTED,
            _ = self.close.recv() => TERMINATED,
            _ = self.log_off.recv() => TERMINATED,
            _ = self.shutdown.recv() => TERMINATED,
        }
    }
}

/// The first signal sets the flag and tells the loop; a second one ends the process at once.
fn watch(mut signals: Signals, flags: &Flags, events: &Events, exit: fn(i32)) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return;
    };
    let code = runtime.block_on(async {
        signals.next().await;
        flags.stop.store(true, Ordering::Relaxed);
        events.send(Event::Stop(Instant::now()));
        // Out of time, a reply is unwritten.
        timeout(DRAIN_ON_SIGNAL.saturating_sub(EXIT), signals.next()).await.unwrap_or(1)
    });
    exit(code);
}
