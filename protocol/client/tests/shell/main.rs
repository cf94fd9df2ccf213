//! The client against workers of a few lines of shell.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod cancel;
mod process;
mod replies;

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use plexsync_client::{Builder, Client, Event};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers every call with the name of its method.
const ECHO: &str = r#"sed -u 's/"method"/"result"/'"#;

fn shell(script: &str) -> Builder {
    Client::builder("/bin/sh").args(["-c", script])
}

/// Runs `rest` for every call, with its text in `$line` and its id in `$id`.
fn answering(rest: &str) -> String {
    format!(r#"while read -r line; do id=${{line#*'"id":'}}; id=${{id%%,*}}; {rest}; done"#)
}

/// A client whose events can be waited for.
fn heard(builder: Builder) -> (Client, Receiver<Event>) {
    let (sender, events) = channel();
    let client = builder.on_event(move |event| drop(sender.send(event))).start().unwrap();
    (client, events)
}

fn wait_for(events: &Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(left).unwrap();
        if wanted(&event) {
            return event;
        }
    }
}
