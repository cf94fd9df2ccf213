//! jsonrpsee: its client over a transport of one's own, in lines.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use jsonrpsee::core::client::{
    Client, ClientT, Error, ReceivedMessage, SubscriptionClientT, TransportReceiverT,
    TransportSenderT,
};
use jsonrpsee::core::params::ObjectParams;
use plexsync_clients::*;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};

struct Sender(ChildStdin);

impl TransportSenderT for Sender {
    type Error = io::Error;

    async fn send(&mut self, message: String) -> io::Result<()> {
        self.0.write_all(format!("{message}\n").as_bytes()).await
    }
}

struct Receiver(Lines<BufReader<ChildStdout>>);

impl TransportReceiverT for Receiver {
    type Error = io::Error;

    async fn receive(&mut self) -> io::Result<ReceivedMessage> {
        let line = self.0.next_line().await?;
        line.map(ReceivedMessage::Text).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn params(params: Value) -> ObjectParams {
    let mut members = ObjectParams::new();
    for (name, value) in params.as_object().unwrap() {
        members.insert(name, value).unwrap();
    }
    members
}

fn code(result: Result<Value, Error>) -> i32 {
    match result {
        Err(Error::Call(error)) => error.code(),
        other => panic!("no error of the worker: {other:?}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut worker =
        Command::new(worker()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let sender = Sender(worker.stdin.take().unwrap());
    let receiver = Receiver(BufReader::new(worker.stdout.take().unwrap()).lines());
    let client = Arc::new(Client::builder().build_with_tokio(sender, receiver));
    let calling = client.clone();
    let call = move |method: &'static str, value: Value| {
        let client = calling.clone();
        async move { client.request::<Value, _>(method, params(value)).await }
    };
    let mut news = client.subscribe_to_method::<Value>("$/progress").await.unwrap();
    let identity = call("identity.get", json!({})).await.unwrap();
    let unknown = code(call(UNKNOWN, json!({})).await);
    let calls: Vec<_> =
        (0..CALLS).map(|n| tokio::spawn(call("plex.request", request(n)))).collect();
    let mut answered = 0;
    for (n, call) in calls.into_iter().enumerate() {
        answered += i32::from(call.await.unwrap().unwrap()["body"]["text"] == text(n));
    }
    call("plex.request", listing()).await.unwrap();
    let mut progress = Value::Null;
    while progress != 250 {
        progress = news.next().await.unwrap().unwrap()["done"].clone();
    }
    let slow = tokio::spawn(call("plex.request", slow()));
    tokio::task::yield_now().await; // it goes out; the library counts its calls from 0
    let id = json!({"id": CALLS + 3});
    client.notification("$/cancelRequest", params(id)).await.unwrap();
    let cancelled = code(slow.await.unwrap());
    drop((call, news, client));
    let exit = worker.wait().await.unwrap().code();
    tell(
        "jsonrpsee",
        json!({
            "device_id": identity["device_id"],
            "unknown": unknown,
            "answered": answered,
            "progress": progress,
            "cancelled": cancelled,
            "exit": exit,
        }),
    );
}
