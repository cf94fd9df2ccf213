//! Reading where there is nothing to watch.

use std::io::Read;

use tokio::sync::mpsc::Sender;

use super::CHUNK;
use crate::serve::Event;

/// Sends what is read until there is no more.
pub(super) fn read_to_end(mut input: impl Read, events: &Sender<Event>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let event = match input.read(&mut buffer) {
            Ok(0) => Event::End,
            Ok(count) => Event::Bytes(buffer[..count].to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => Event::End,
        };
        let last = matches!(event, Event::End);
        if events.blocking_send(event).is_err() || last {
            return;
        }
    }
}
