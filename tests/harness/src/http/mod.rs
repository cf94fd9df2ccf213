//! A small HTTP/1.1 server for fakes: a thread per connection, keep-alive, TLS where asked for, and a way to answer
//! with anything at all, legal or not.
//!
//! ```
//! use plexsync_harness::http::{HttpServer, Response};
//!
//! let server = HttpServer::start(|request| Response::text(200, "text/plain", request.path()));
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! ```

mod connection;
mod request;
mod response;
mod silent;
mod wire;

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use request::Request;
pub use response::{After, Response};
pub use silent::Silent;
pub use wire::Wire;

/// How connections are taken.
#[derive(Debug, Clone, Default)]
pub enum Listen {
    /// Plain HTTP.
    #[default]
    Plain,
    /// TLS; a client that speaks plain HTTP is closed without an answer, as Plex does with
    /// `secureConnections` set to "Required".
    Tls(Arc<rustls::ServerConfig>),
    /// Every connection is closed without a byte.
    CloseAtOnce,
}

/// Answers one request. It may block; it may not assume that the client is still there.
type Handler = dyn Fn(&Request) -> Response + Send + Sync;

/// A server on a free port of 127.0.0.1. Dropping it closes every connection.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Starts a plain HTTP server whose every request goes to `handler`.
    ///
    /// # Panics
    /// When the loopback has no free port.
    pub fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::listen(Listen::Plain, handler)
    }

    /// Starts a server that takes connections as `listen` says.
    ///
    /// # Panics
    /// When the loopback has no free port.
    pub fn listen(
        listen: Listen,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self::listen_on(0, listen, handler)
    }

    /// The same on this port, which somebody left before; 0 is any free one.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn listen_on(
        port: u16,
        listen: Listen,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port of the loopback");
        let address = listener.local_addr().expect("the address of a bound listener");
        let shared = Arc::new(Shared::default());
        let handler: Arc<Handler> = Arc::new(handler);
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &listen, &shared, &handler)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.open().len()
    }

    /// Closes the connections on which no request is being answered, as Plex does after 20 s of idleness.
    pub fn close_idle_connections(&self) {
        for open in self.shared.open().values().filter(|open| !open.busy) {
            hang_up(&open.socket);
        }
    }

    /// Closes every connection, whatever it is doing.
    pub fn close_connections(&self) {
        for open in self.shared.open().values() {
            hang_up(&open.socket);
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The acceptor waits in accept(2): one more connection wakes it up.
        let woken = TcpStream::connect(self.address).is_ok();
        self.close_connections();
        if let Some(acceptor) = self.acceptor.take()
            && woken
        {
            let _ = acceptor.join();
        }
        self.close_connections();
    }
}

impl std::fmt::Debug for HttpServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("HttpServer").field("address", &self.address).finish_non_exhaustive()
    }
}

/// One open connection, as the server sees it from outside the connection's thread.
struct Open {
    socket: TcpStream,
    busy: bool,
}

/// What the server and its connections' threads share.
#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    accepted: AtomicU64,
    open: Mutex<HashMap<u64, Open>>,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn set_busy(&self, number: u64, busy: bool) {
        if let Some(open) = self.open().get_mut(&number) {
            open.busy = busy;
        }
    }
}

fn accept(listener: &TcpListener, listen: &Listen, shared: &Arc<Shared>, handler: &Arc<Handler>) {
    while !shared.is_stopping() {
        let Ok((socket, _)) = listener.accept() else { continue };
        if shared.is_stopping() || matches!(listen, Listen::CloseAtOnce) {
            continue;
        }
        let _ = serve_on_a_thread(socket, listen.clone(), shared, handler);
    }
}

fn serve_on_a_thread(
    socket: TcpStream,
    listen: Listen,
    shared: &Arc<Shared>,
    handler: &Arc<Handler>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let number = shared.accepted.fetch_add(1, Ordering::SeqCst) + 1;
    shared.open().insert(number, Open { socket: socket.try_clone()?, busy: false });
    let (shared, handler) = (Arc::clone(shared), Arc::clone(handler));
    std::thread::Builder::new().spawn(move || {
        // A client that goes away, or speaks nonsense, ends its connection and nothing else.
        let _ = connection::serve(socket, &listen, number, &shared, &*handler);
        shared.open().remove(&number);
    })?;
    Ok(())
}

fn hang_up(socket: &TcpStream) {
    let _ = socket.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests;
