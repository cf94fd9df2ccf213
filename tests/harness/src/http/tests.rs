use std::io::{Read, Write};

use super::*;

/// Sends `request` on a connection of its own and reads until the server closes.
fn exchange(server: &HttpServer, request: &str) -> String {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_connection_serves_many_requests_and_numbers_them_alike() {
    let server = HttpServer::start(|request| {
        let said = format!("{} {} {}", request.connection, request.target, request.body_text());
        Response::text(200, "text/plain", said)
    });
    let answers = exchange(
        &server,
        "PUT /a?b=c HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiPOST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n1\r\nd\r\n0\r\n\r\nHEAD /y HTTP/1.1\r\nConnection: close\r\n\r\n",
    );
    assert!(answers.contains("\r\n\r\n1 /a?b=c hi"), "{answers}");
    assert!(answers.contains("\r\n\r\n1 /x abcd"), "{answers}");
    assert!(answers.ends_with("Content-Length: 5\r\n\r\n"), "{answers}");
}

#[test]
fn headers_keep_order_case_and_repetition() {
    let server = HttpServer::start(|request| {
        let names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(request.headers_named("x-b").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(request.query_value("q").as_deref(), Some("ä b"));
        Response::text(200, "text/plain", names.join(",")).closing()
    });
    let answer =
        exchange(&server, "GET /?q=%C3%A4+b HTTP/1.1\r\nx-B: 1\r\nHost: h\r\nX-b: 2\r\n\r\n");
    assert!(answer.ends_with("x-B,Host,X-b"), "{answer}");
}

#[test]
fn nonsense_is_answered_with_400_and_a_failing_handler_with_500() {
    let server = HttpServer::start(|_| panic!("as a test wants it"));
    assert!(exchange(&server, "\0\0\0\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let answer = exchange(&server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}

#[test]
fn dropping_the_server_ends_a_script_that_waits() {
    let server = HttpServer::start(|_| {
        Response::script(|wire, _| wire.pause_until(|| false).map(|()| After::Close))
    });
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    while server.connections() == 0 {
        std::thread::yield_now();
    }
    drop(server);
    let _ = socket.read(&mut [0]);
}

#[test]
fn idle_connections_are_closed_and_no_others() {
    let server = HttpServer::start(|_| Response::new(200));
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let expected = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    socket.read_exact(&mut vec![0; expected.len()]).unwrap();
    while server.connections() > 0 {
        server.close_idle_connections();
    }
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
}
