//! Connections that are kept: what comes over one unasked is nobody's answer, and who needs none keeps none.

use std::sync::mpsc::{Receiver, Sender as Channel, channel};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// What servers say on a connection that nobody waits for.
const UNASKED: [&[u8]; 7] = [
    b"HTTP/1.1 408 Request Time-out\r\nContent-Length: 5\r\nConnection: close\r\n\r\nstale",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstale\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"x",
    b"\x15\x03\x03\x00\x02\x01\x00",
    b"\r\n\0\xff rubbish",
];

/// What arrives on a connection without being TLS: the TLS layer takes it in and waits for more.
const BELOW_TLS: [&[u8]; 2] = [b"\x17", b"\x17\x03\x03\x00\x40abc"];

/// Answers each request with its first line. When it is told so, it says `unasked` over the first connection and tells
/// that it has; instead of saying nothing it closes its end.
fn says(
    unasked: &'static [u8],
    below_tls: bool,
    tls: Option<Arc<ServerConfig>>,
) -> (SocketAddr, Channel<()>, Receiver<()>) {
    let ((go, gone), (said, wait)) = (channel(), channel());
    let gone = Arc::new(Mutex::new(gone));
    let address = listen(move |socket, number| {
        let mut plain = socket.try_clone().unwrap();
        let mut stream: Box<dyn Stream> = match &tls {
            None => Box::new(socket),
            Some(config) => {
                let tls = ServerConnection::new(Arc::clone(config)).unwrap();
                Box::new(StreamOwned::new(tls, socket))
            }
        };
        while let Some(head) = head_of(&mut stream) {
            let line = head.lines().next().unwrap();
            let body = if line.starts_with("HEAD") { "" } else { line };
            answer(&mut stream, body);
            if number == 0 && gone.lock().unwrap().recv().is_ok() {
                let says: &mut dyn Write = if below_tls { &mut plain } else { &mut stream };
                let _ = says.write_all(unasked).and_then(|()| says.flush());
                if unasked.is_empty() {
                    plain.shutdown(std::net::Shutdown::Write).unwrap();
                }
                said.send(()).unwrap();
            }
        }
    });
    (address, go, wait)
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

async fn own_answers_only(
    scheme: &str,
    clients: impl Fn() -> Clients,
    tls: Option<Arc<ServerConfig>>,
) {
    let below = if tls.is_some() { &BELOW_TLS[..] } else { &[] };
    let said = UNASKED.into_iter().chain([&b""[..]]).map(|unasked| (unasked, false));
    for (unasked, below_tls) in said.chain(below.iter().map(|unasked| (*unasked, true))) {
        for (method, retries) in [("GET", 0), ("HEAD", 0), ("PUT", 2), ("DELETE", 2)] {
            for driven in [false, true] {
                let (address, go, said) = says(unasked, below_tls, tls.clone());
                let clients = clients();
                let url = format!("{scheme}://localhost:{}", address.port());
                let first = call(&clients, &request("GET", &format!("{url}/first")), 0).await;
                assert!(first.answer.is_ok());
                // The connection becomes an idle one.
                tokio::time::sleep(Duration::from_millis(5)).await;
                go.send(()).unwrap();
                // Blocks the thread of this runtime: it can't have seen what came.
                said.recv().unwrap();
                if driven {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let second =
                    call(&clients, &request(method, &format!("{url}/second")), retries).await;
                let (status, body) = second.answer.unwrap();
                assert_eq!((status, second.attempts), (StatusCode::OK, 1), "{method} {unasked:?}");
                let own = format!("{method} /second HTTP/1.1");
                assert_eq!(body, if method == "HEAD" { "" } else { &own }, "{unasked:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_comes_unasked_is_nobodys_answer() {
    own_answers_only("http", clients, None).await;
}

#[tokio::test]
async fn what_comes_unasked_over_tls_is_nobodys_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.pem");
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&file, own.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let clients = || Clients::new(Trust::Exactly(file.clone()), ProxySettings::default(), |_| ());
    own_answers_only("https", clients, Some(Arc::new(config))).await;
}

#[tokio::test]
async fn a_redirect_over_a_connection_that_said_more_goes_over_another() {
    let address = listen(|mut socket, _| {
        while let Some(head) = head_of(&mut socket) {
            if head.starts_with("PUT /a ") {
                // In one packet: what comes after the next request could not be told from its answer.
                let both = "HTTP/1.1 307 There\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n\
                            HTTP/1.1 408 Late\r\n\r\n";
                let _ = socket.write_all(both.as_bytes());
            } else {
                answer(&mut socket, head.lines().next().unwrap());
            }
        }
    });
    for retries in [0, 2] {
        let request = request("PUT", &format!("http://{address}/a"));
        let outcome = call(&clients(), &request, retries).await;
        assert_eq!(outcome.answer.unwrap().1, "PUT /b HTTP/1.1");
        assert_eq!(outcome.attempts, 1);
    }
}

#[tokio::test]
async fn a_kept_connection_is_used_again() {
    let address = listen(|mut socket, number| {
        while head_of(&mut socket).is_some() {
            answer(&mut socket, &number.to_string());
        }
    });
    let clients = clients();
    let request = request("GET", &format!("http://{address}/"));
    for _ in 0..20 {
        assert_eq!(call(&clients, &request, 0).await.answer.unwrap().1, "0");
    }
}

/// Tells when the client's end is closed.
fn closes(answers: bool) -> (SocketAddr, Receiver<&'static str>) {
    let (sender, events) = channel();
    let address = listen(move |mut socket, _| {
        head_of(&mut socket).unwrap();
        sender.send("asked").unwrap();
        if answers {
            answer(&mut socket, "");
            socket.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let _ = socket.read(&mut [0]);
        sender.send("closed").unwrap();
    });
    (address, events)
}

/// Long for a busy machine; nobody waits so long where all is well.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cancelled_call_gives_its_connection_back_and_its_body() {
    struct Alive {
        _body: Arc<()>,
    }
    impl Sink for Alive {
        fn begin(&mut self, _: &Head, _: Option<u64>) {}
        async fn push(&mut self, _: Bytes) -> Result<(), HttpError> {
            Ok(())
        }
    }
    let (address, events) = closes(false);
    let alive = Arc::new(());
    let mut sink = Alive { _body: Arc::clone(&alive) };
    let calling = tokio::spawn(async move {
        let clients = clients();
        let sender = Sender::new(&clients, Instant::now() + SOON, SOON);
        let mut retry = Retry { sender, retries: 0, attempts: 0, route: None };
        let _ = retry.send(&request("GET", &format!("http://{address}/")), None, &mut sink).await;
    });
    assert_eq!(events.recv_timeout(SOON), Ok("asked"));
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    assert_eq!(events.recv_timeout(SOON), Ok("closed"));
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_that_the_server_has_closed_is_closed_here_too() {
    let (address, events) = closes(true);
    let clients = clients();
    call(&clients, &request("GET", &format!("http://{address}/")), 0).await.answer.unwrap();
    assert_eq!(events.recv_timeout(SOON), Ok("asked"));
    assert_eq!(events.recv_timeout(SOON), Ok("closed"));
}
