//! The bytes of a connection. hyper parses what a server sends for as long as there is some, and takes what it finds for
//! the answer to the next request; so this is where floods and unrequested answers are stopped.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Most bytes that are read before others get a turn.
const TURN: usize = 256 * 1024;
/// Most bytes from which neither a head nor a piece of a body comes: endless interim answers, zeros in front of a
/// chunk's size. hyper's own buffers together are smaller.
const FRUITLESS: usize = 1024 * 1024;

/// A TCP connection, perhaps with TLS over it.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {
    /// The connection itself.
    fn tcp(&self) -> &TcpStream;
}

impl Io for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl<T: Io> Io for TlsStream<T> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.tcp()
    }
}

impl Io for Box<dyn Io> {
    fn tcp(&self) -> &TcpStream {
        (**self).tcp()
    }
}

/// An old connection was no good any more, and nothing was sent over it.
#[derive(Debug, thiserror::Error)]
#[error("the connection was no good any more")]
pub(crate) struct Unsent;

/// What the readers of responses report to their connection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Bytes read since something came of them.
    fruitless: AtomicUsize,
    /// The last answer is done with: before the next request nothing may have come.
    idle: AtomicBool,
}

impl Progress {
    /// A head or a piece of a body has come.
    pub(crate) fn made(&self) {
        self.fruitless.store(0, Relaxed);
    }

    /// Nothing more is expected.
    pub(crate) fn ended(&self) {
        self.made();
        self.idle.store(true, Relaxed);
    }
}

/// A connection as hyper sees it.
pub(crate) struct Stream {
    io: Box<dyn Io>,
    read: usize,
    progress: Arc<Progress>,
}

impl Stream {
    pub(crate) fn new(io: Box<dyn Io>) -> Self {
        Self { io, read: 0, progress: Arc::default() }
    }

    /// Whether the server has neither sent anything nor closed its end. Asks the system: the runtime may not have been
    /// reported yet.
    fn is_quiet(&self) -> bool {
        let peeked = SockRef::from(self.io.tcp()).peek(&mut [MaybeUninit::uninit()]);
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Refuses to send a request where an answer is there already.
    fn check(&self) -> io::Result<()> {
        match self.progress.idle.swap(false, Relaxed) && !self.is_quiet() {
            true => Err(io::Error::new(io::ErrorKind::ConnectionAborted, Unsent)),
            false => Ok(()),
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(Arc::clone(&self.progress))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.read >= TURN {
            self.read = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Poll::Ready(outcome) = Pin::new(&mut self.io).poll_read(context, buffer) else {
            self.read = 0;
            return Poll::Pending;
        };
        let read = buffer.filled().len() - before;
        self.read += read;
        if self.progress.fruitless.fetch_add(read, Relaxed) > FRUITLESS {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
