//! One connection from its first byte to its last.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::request::Reader;
use super::{After, Handler, Listen, Request, Response, Shared, Wire};

/// First byte of a TLS record that holds a ClientHello (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Answers the requests of one connection until either side ends it.
pub(super) fn serve(
    mut socket: TcpStream,
    listen: &Listen,
    number: u64,
    shared: &Shared,
    handler: &Handler,
) -> io::Result<()> {
    let Listen::Tls(config) = listen else {
        let reader = Reader::new(number, false);
        let after =
            Conversation { reader, shared, handler }.hold(&mut socket.try_clone()?, &socket);
        return end(&socket, after?);
    };
    let mut first = [0];
    if socket.peek(&mut first)? == 0 || first != [TLS_HANDSHAKE] {
        return Ok(());
    }
    let mut tls = rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let raw = socket.try_clone()?;
    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
    let reader = Reader::new(number, true);
    let after = Conversation { reader, shared, handler }.hold(&mut stream, &raw)?;
    if after == After::Close {
        stream.conn.send_close_notify();
        let _ = stream.flush();
    }
    end(&raw, after)
}

struct Conversation<'a> {
    reader: Reader,
    shared: &'a Shared,
    handler: &'a Handler,
}

impl Conversation<'_> {
    fn hold(mut self, stream: &mut (impl Read + Write), socket: &TcpStream) -> io::Result<After> {
        loop {
            let request = match self.request(stream) {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(After::Close),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    return Ok(After::Close);
                }
                Err(error) => return Err(error),
            };
            let after = self.answer(stream, socket, &request)?;
            let asked_to_close = request
                .header("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close"));
            match after {
                After::KeepAlive if !asked_to_close && !self.shared.is_stopping() => {
                    self.shared.set_busy(self.reader.connection, false);
                }
                After::KeepAlive => return Ok(After::Close),
                end => return Ok(end),
            }
        }
    }

    fn request(&mut self, stream: &mut (impl Read + Write)) -> io::Result<Option<Request>> {
        let Some(mut request) = self.reader.head(stream)? else { return Ok(None) };
        self.shared.set_busy(self.reader.connection, true);
        if request.header("expect").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            stream.flush()?;
        }
        request.body = self.reader.body(stream, &request)?;
        Ok(Some(request))
    }

    fn answer(
        &self,
        stream: &mut (impl Read + Write),
        socket: &TcpStream,
        request: &Request,
    ) -> io::Result<After> {
        // A test's handler that fails must not look like a server that hangs.
        let response = catch_unwind(AssertUnwindSafe(|| (self.handler)(request)))
            .unwrap_or_else(|_| Response::text(500, "text/plain", "the fake's handler panicked"));
        response.write(&mut Wire::new(stream, socket, self.shared), request)
    }
}

/// Ends the connection. A close lingers until the client has closed too, so that its unread bytes don't turn the
/// close into a reset (RFC 9112, section 9.6).
fn end(socket: &TcpStream, after: After) -> io::Result<()> {
    if after == After::Reset {
        return socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
    }
    socket.shutdown(std::net::Shutdown::Write)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut rest = [0; 4096];
    let mut socket = socket;
    for _ in 0..1024 {
        if !matches!(socket.read(&mut rest), Ok(1..)) {
            break;
        }
    }
    Ok(())
}
