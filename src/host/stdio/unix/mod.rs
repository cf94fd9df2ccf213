//! Stdin and stdout of a process whose host reads what it is told: the loop waits for both itself, with poll(2), and
//! beside slow calls on their runtime. Before a write that may have to wait for the host, a thread takes over the
//! reading and the watching, for good: a signal must be seen while a write waits.

mod reader;
mod registered;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::PIPE_BUF;
use tokio::sync::mpsc;

use self::reader::{Reader, timespec};
use self::registered::Registered;
use super::{CHUNKS_AHEAD, Flags, STACK, Watched, typed};
use crate::host::session::{Channel, Event, Transport};

/// The way to a host through stdin and stdout.
pub struct Stdio<Input, Replies, W> {
    direct: Option<Direct<Input, Replies>>,
    channel: Channel<W>,
}

/// What reads as long as no thread does.
struct Direct<Input, Replies> {
    /// Before the reader, which owns the descriptors.
    registered: Option<Registered>,
    reader: Reader<Input, Replies>,
    /// Where a thread would send what it sees.
    events: mpsc::Sender<Event>,
    /// The last look has found something: there may be more.
    more: bool,
}

/// Opens the way. `by_hand` is for a person who types; `exit` ends the process when it does not end by itself after a
/// signal.
///
/// # Errors
/// When there is no pipe, or for a person no thread, to be had.
pub fn open<Input, Replies, W>(
    watched: Watched<Input, Replies>,
    replies: W,
    (flags, exit): (Flags, fn()),
    by_hand: bool,
) -> io::Result<Stdio<Input, Replies, W>>
where
    Input: AsFd + Send + 'static,
    Replies: AsFd + Send + 'static,
{
    let (sender, mut events) = mpsc::channel(CHUNKS_AHEAD);
    let direct = Direct {
        registered: None,
        reader: Reader::new(watched, flags, exit)?,
        events: sender,
        more: false,
    };
    let mut direct = Some(direct);
    if by_hand {
        direct.take().map_or(Ok(()), Direct::read_on_thread)?;
        events = typed::by_hand(events)?;
    }
    Ok(Stdio { direct, channel: Channel::new(events, replies) })
}

impl<Input, Replies, W> Transport for Stdio<Input, Replies, W>
where
    Input: AsFd + Send + 'static,
    Replies: AsFd + Send + 'static,
    W: Write,
{
    fn ready(&mut self) -> Option<Event> {
        match &mut self.direct {
            Some(direct) if direct.reader.may_have_more() => direct.look(),
            Some(_) => None,
            None => self.channel.ready(),
        }
    }

    fn wait(&mut self) -> Event {
        match &mut self.direct {
            Some(direct) => direct.wait(),
            None => self.channel.wait(),
        }
    }

    async fn next(&mut self) -> Event {
        match &mut self.direct {
            Some(direct) => direct.next().await,
            None => self.channel.next().await,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(direct) = self.direct.take_if(|direct| !direct.reader.host_takes(bytes.len())) {
            direct.read_on_thread()?;
        }
        self.channel.write_all(bytes)
    }
}

impl<Input, Replies> Direct<Input, Replies>
where
    Input: AsFd + Send + 'static,
    Replies: AsFd + Send + 'static,
{
    fn look(&mut self) -> Option<Event> {
        self.reader.look(Some(Duration::ZERO))
    }

    fn wait(&mut self) -> Event {
        self.more = true;
        self.reader.wait()
    }

    /// The runtime tells of a change once, poll(2) as long as there is something: asking it last loses nothing.
    async fn next(&mut self) -> Event {
        let registered = self.registered.get_or_insert_with(|| self.reader.register());
        loop {
            if self.more
                && let Some(event) = self.reader.look(Some(Duration::ZERO))
            {
                return event;
            }
            self.more = false;
            registered.change(self.reader.may_have_input(), self.reader.rest()).await;
            self.more = true;
        }
    }

    fn read_on_thread(self) -> io::Result<()> {
        let Self { registered, reader, events, .. } = self;
        drop(registered);
        std::thread::Builder::new()
            .name("stdin".to_owned())
            .stack_size(STACK)
            .spawn(move || reader.run(&events))
            .map(drop)
    }
}

/// Whether a write of `length` bytes would not wait. That a pipe takes `PIPE_BUF` at once is what poll(2) promises.
fn takes_at_once(fd: impl AsFd, length: usize) -> bool {
    if length > PIPE_BUF {
        return pipe_takes(&fd, length);
    }
    let mut polled = [PollFd::new(&fd, PollFlags::OUT)];
    poll(&mut polled, Some(&timespec(Duration::ZERO))).is_ok_and(|found| found > 0)
}

/// An empty pipe takes as much as it holds.
#[cfg(target_os = "linux")]
fn pipe_takes(fd: impl AsFd, length: usize) -> bool {
    rustix::pipe::fcntl_getpipe_size(&fd).is_ok_and(|size| length <= size)
        && rustix::io::ioctl_fionread(&fd).is_ok_and(|unread| unread == 0)
}

#[cfg(not(target_os = "linux"))]
fn pipe_takes(_: impl AsFd, _: usize) -> bool {
    false
}
