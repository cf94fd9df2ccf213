//! A machine that is switched off: nobody answers the first packet of a connection.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// How long an attempt may take before the queue counts as full.
const PATIENCE: Duration = Duration::from_millis(200);

/// A port that answers no connection: Linux drops what comes to a full queue of connections. Elsewhere it may refuse.
#[derive(Debug)]
pub struct Silent {
    listener: Socket,
    queue: Vec<TcpStream>,
}

impl Silent {
    /// A silent port on 127.0.0.1.
    ///
    /// # Panics
    /// When the loopback has no free port.
    pub fn start() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        listener.listen(0).expect("a listener");
        let mut silent = Self { listener, queue: Vec::new() };
        let address = silent.address();
        while let Ok(waiting) = TcpStream::connect_timeout(&address, PATIENCE) {
            silent.queue.push(waiting);
        }
        silent
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    ///
    /// # Panics
    /// Never: the socket is bound.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    fn address(&self) -> SocketAddr {
        let address = self.listener.local_addr().expect("the address of a bound socket");
        address.as_socket().expect("an address of IPv4")
    }
}
