//! The way back to the client, for answers that no server should give.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Shared;

/// How often a pause looks whether the client is still there.
const LOOK: Duration = Duration::from_millis(10);

/// Writes bytes to the client. Every method fails when the client is gone or the server stops, so a script that
/// hands errors on with `?` never outlives either.
pub struct Wire<'a> {
    stream: &'a mut (dyn Write + 'a),
    socket: &'a TcpStream,
    shared: &'a Shared,
}

impl<'a> Wire<'a> {
    pub(super) fn new(
        stream: &'a mut (dyn Write + 'a),
        socket: &'a TcpStream,
        shared: &'a Shared,
    ) -> Self {
        Self { stream, socket, shared }
    }

    /// Sends bytes as they are, at once.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Sends a status line and headers; nothing is added to them.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn send_head(
        &mut self,
        status: u16,
        headers: &[(impl AsRef<str>, impl AsRef<[u8]>)],
    ) -> io::Result<()> {
        self.send(head(status, headers))
    }

    /// Waits.
    ///
    /// # Errors
    /// When the server stops, or a client of a plain connection closes its side.
    pub fn pause(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        self.pause_until(|| Instant::now() >= end)
    }

    /// Waits until `done`, which is asked again and again.
    ///
    /// # Errors
    /// When the server stops, or a client of a plain connection closes its side.
    pub fn pause_until(&mut self, mut done: impl FnMut() -> bool) -> io::Result<()> {
        while !done() {
            if self.shared.is_stopping() || self.client_is_gone() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn client_is_gone(&self) -> bool {
        if self.socket.set_nonblocking(true).is_err() {
            return true;
        }
        let peeked = self.socket.peek(&mut [0]);
        let blocking_again = self.socket.set_nonblocking(false);
        match peeked {
            Ok(0) => true,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => true,
            _ => blocking_again.is_err(),
        }
    }
}

/// A status line and headers, with the empty line at their end.
pub(super) fn head(status: u16, headers: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status)).into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_ref().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_ref());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The reason phrase of a status (RFC 9110, section 15).
fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unnamed",
    }
}
