//! The fake Plex as a program, for tests in other languages.

use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::net::TcpStream;
use std::thread;

#[path = "../examples/fake_plex.rs"]
#[expect(dead_code, reason = "the example's `main` is not called")]
mod fake_plex;

#[test]
fn it_says_where_it_is_and_announces_devices_until_its_input_ends() {
    let (input, stdin) = pipe().unwrap();
    let (stdout, output) = pipe().unwrap();
    let serving = thread::spawn(move || fake_plex::serve(input, output));
    let mut lines = BufReader::new(stdout).lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let token = lines.next().unwrap();
    let (address, token) = (&url["PLEX_URL=http://".len()..], &token["PLEX_TOKEN=".len()..]);

    let mut connection = TcpStream::connect(address).unwrap();
    let headers = format!("Host: x\r\nX-Plex-Token: {token}\r\nX-Plex-Client-Identifier: mine\r\n");
    write!(connection, "GET /library/sections HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let announced = lines.next().unwrap();
    assert!(announced.starts_with("New Device: ") && announced.ends_with(": mine"), "{announced}");
    drop(stdin);
    serving.join().unwrap().unwrap();
    assert_eq!(lines.next(), None);
}
