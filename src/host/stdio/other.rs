//! Stdin and stdout where there is nothing to watch: a thread reads, signals keep their default effect.

use std::io::{self, Read, Write};

use tokio::sync::mpsc::{self, Sender};

use super::{CHUNK, CHUNKS_AHEAD, Flags, STACK, Watched, typed};
use crate::host::session::{Channel, Event};

/// The way to a host through stdin and stdout.
pub type Stdio<W> = Channel<W>;

/// Opens the way. `by_hand` is for a person who types.
///
/// # Errors
/// When there is no thread to be had.
pub fn open<Input, Replies, W: Write>(
    watched: Watched<Input, Replies>,
    replies: W,
    _: (Flags, fn()),
    by_hand: bool,
) -> io::Result<Stdio<W>>
where
    Input: Read + Send + 'static,
{
    let (sender, mut events) = mpsc::channel(CHUNKS_AHEAD);
    let input = watched.input;
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .stack_size(STACK)
        .spawn(move || read_to_end(input, &sender))?;
    if by_hand {
        events = typed::by_hand(events)?;
    }
    Ok(Channel::new(events, replies))
}

/// Sends what is read until there is no more.
fn read_to_end(mut input: impl Read, events: &Sender<Event>) {
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
