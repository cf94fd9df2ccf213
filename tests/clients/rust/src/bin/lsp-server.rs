//! rust-analyzer's lsp-server: the codec, in headers.

use std::io::{BufReader, Read};
use std::process::{ChildStdin, Command, Stdio};

use lsp_server::{Message, Notification, Request, ResponseError};
use plexsync_clients::*;
use serde_json::{Value, json};

struct Client<R> {
    input: ChildStdin,
    output: BufReader<R>,
    calls: i32,
    progress: Value,
}

impl<R: Read> Client<R> {
    fn send(&mut self, method: &str, params: Value) -> i32 {
        self.calls += 1;
        let request = Request::new(self.calls.into(), method.into(), params);
        Message::Request(request).write(&mut self.input).unwrap();
        self.calls
    }

    fn receive(&mut self) -> (i32, Result<Value, ResponseError>) {
        loop {
            match Message::read(&mut self.output).unwrap().expect("an answer") {
                Message::Response(response) => {
                    let id = response.id.to_string().parse().unwrap();
                    return (id, response.response_result);
                }
                Message::Notification(told) => self.progress = told.params["done"].clone(),
                Message::Request(request) => panic!("asked for {}", request.method),
            }
        }
    }

    fn call(&mut self, method: &str, params: Value) -> Result<Value, ResponseError> {
        self.send(method, params);
        self.receive().1
    }
}

fn main() {
    let mut worker =
        Command::new(worker()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (input, output) =
        (worker.stdin.take().unwrap(), BufReader::new(worker.stdout.take().unwrap()));
    let mut client = Client { input, output, calls: 0, progress: Value::Null };
    let identity = client.call("identity.get", Value::Null).unwrap();
    let unknown = client.call(UNKNOWN, Value::Null).unwrap_err().code;
    let ids: Vec<_> = (0..CALLS).map(|n| client.send("plex.request", request(n))).collect();
    let mut answered = 0;
    for _ in 0..CALLS {
        let (id, result) = client.receive();
        let n = ids.iter().position(|sent| *sent == id).unwrap();
        answered += i32::from(result.unwrap()["body"]["text"] == text(n));
    }
    client.call("plex.request", listing()).unwrap();
    let id = client.send("plex.request", slow());
    let stop = Notification::new("$/cancelRequest".into(), json!({"id": id}));
    Message::Notification(stop).write(&mut client.input).unwrap();
    let cancelled = client.receive().1.unwrap_err().code;
    let exit = Message::Notification(Notification::new("exit".into(), Value::Null));
    exit.write(&mut client.input).unwrap();
    tell(
        "lsp-server",
        json!({
            "device_id": identity["device_id"],
            "unknown": unknown,
            "answered": answered,
            "progress": client.progress,
            "cancelled": cancelled,
            "exit": worker.wait().unwrap().code(),
        }),
    );
}
