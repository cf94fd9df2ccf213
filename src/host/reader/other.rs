//! Reading on platforms without poll(2): signals keep their default effect.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use super::{CHUNK, Credit, Flags, STACK};
use crate::host::Event;
use crate::host::events::Events;

/// Starts the reader.
///
/// # Errors
/// When the system refuses a thread.
pub fn start<Replies>(
    mut input: impl Read + Send + 'static,
    _replies: Replies,
    _flags: Flags,
    events: Events,
    _exit: fn(i32),
) -> io::Result<Arc<Credit>> {
    let (sender, receiver) = std::sync::mpsc::channel::<Arc<Credit>>();
    let read = move || {
        let Ok(credit) = receiver.recv() else { return };
        let mut buffer = vec![0; CHUNK];
        loop {
            while credit.left() == 0 {
                std::thread::park();
            }
            let room = credit.left().min(buffer.len());
            let event = match input.read(&mut buffer[..room]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => Event::End,
                Ok(count) => {
                    credit.take(count);
                    Event::Bytes(buffer[..count].to_vec())
                }
            };
            let last = matches!(event, Event::End);
            events.send(event);
            if last {
                return;
            }
        }
    };
    let thread =
        std::thread::Builder::new().name("reader".to_owned()).stack_size(STACK).spawn(read)?;
    let reader = thread.thread().clone();
    let credit = Arc::new(Credit::new(move || reader.unpark()));
    // The thread waits for it.
    let _never_refused = sender.send(credit.clone());
    Ok(credit)
}
