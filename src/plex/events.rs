//! Plex's event stream (server-sent events): what happens in the library while a call waits for something.
//!
//! No event names a file, so that none is a proof: each is a reason to look. The stream belongs to the call that opened
//! it, and is closed with it.

use std::collections::VecDeque;

use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::http::send::{Answer, Unread};

/// Where the events are; other kinds would only be dropped.
pub(super) const PATH: &str = "/:/eventsource/notifications?filters=activity,timeline";
/// Longest event that is read, in bytes; a longer one is dropped.
const LONGEST: usize = 256 * 1024;
/// Longest name of a scan, in bytes: it is remembered.
const LONGEST_UUID: usize = 100;

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A scan of a section.
    Scan {
        /// Which scan.
        uuid: String,
        /// The section's key. The first event of a scan does not name it.
        section: Option<String>,
        phase: Phase,
    },
    /// An item has changed, or something else is at work.
    Other,
    /// A sign of life.
    Ping,
}

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Started,
    Running,
    Ended,
}

/// An open stream.
pub(super) struct Events {
    body: Unread,
    parser: Parser,
    ready: VecDeque<Event>,
}

impl Events {
    /// The headers that ask for a stream: it is read as it comes, so it can't be compressed.
    pub(super) const HEADERS: [(hyper::header::HeaderName, HeaderValue); 2] = [
        (ACCEPT, HeaderValue::from_static("text/event-stream")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ];

    /// The stream that this answer is; `None` if it is another one.
    pub(super) fn of(answer: Answer) -> Option<Self> {
        let Answer { head, body } = answer;
        let kind = head.header(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let is_stream = head.status == 200 && kind.starts_with("text/event-stream");
        is_stream.then(|| Self { body, parser: Parser::default(), ready: VecDeque::new() })
    }

    /// The next event; `None` when the stream has ended. May be dropped while it waits: nothing is lost.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let piece = self.body.next().await.ok()??;
            self.parser.feed(&piece, &mut self.ready);
        }
    }
}

/// Bytes to events (HTML standard, "Server-sent events", 9.2.6), as far as Plex makes use of them.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: Vec<u8>,
    /// The event is longer than what is read.
    is_long: bool,
}

impl Parser {
    pub(super) fn feed(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + self.data.len() + piece.len() > LONGEST {
                self.is_long = true;
                self.line.clear();
            }
            self.line.extend_from_slice(&piece[..piece.len().min(LONGEST)]);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.end_of_line(line.trim_ascii_end(), events);
            }
        }
    }

    fn end_of_line(&mut self, line: &[u8], events: &mut VecDeque<Event>) {
        if let Some(data) = line.strip_prefix(b"data:") {
            self.data.extend_from_slice(data);
        } else if line.is_empty() && !self.data.is_empty() {
            let data = std::mem::take(&mut self.data);
            events.extend(if self.is_long { vec![Event::Other] } else { event(&data) });
            self.is_long = false;
        }
    }
}

/// What one event's data means: one notification, or a container of several.
fn event(data: &[u8]) -> Vec<Event> {
    let Ok(Value::Object(data)) = serde_json::from_slice(data) else {
        return vec![Event::Other];
    };
    let container = data.get("NotificationContainer").and_then(Value::as_object);
    let members = container.unwrap_or(&data);
    match members.get("ActivityNotification") {
        None if data.is_empty() => vec![Event::Ping],
        None => vec![Event::Other],
        Some(Value::Array(list)) => list.iter().map(activity).collect(),
        Some(one) => vec![activity(one)],
    }
}

fn activity(notification: &Value) -> Event {
    #[derive(Deserialize)]
    struct Notification {
        event: String,
        uuid: String,
        #[serde(rename = "Activity")]
        activity: Activity,
    }
    #[derive(Deserialize)]
    struct Activity {
        r#type: String,
        #[serde(rename = "Context", default)]
        context: Value,
    }
    let Ok(Notification { event, uuid, activity }) = Notification::deserialize(notification) else {
        return Event::Other;
    };
    if activity.r#type != "library.update.section" || uuid.len() > LONGEST_UUID {
        return Event::Other;
    }
    let section = match &activity.context["librarySectionID"] {
        Value::String(key) => Some(key.clone()),
        Value::Number(key) => Some(key.to_string()),
        _ => None,
    };
    let phase = match event.as_str() {
        "started" => Phase::Started,
        "ended" => Phase::Ended,
        _ => Phase::Running,
    };
    Event::Scan { uuid, section, phase }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(phase: Phase, section: Option<&str>) -> Event {
        Event::Scan { uuid: "u1".to_owned(), section: section.map(str::to_owned), phase }
    }

    /// The events of a text, the same whatever the pieces are in which it comes.
    fn events(text: &str) -> Vec<Event> {
        let read = |size: usize| {
            let (mut parser, mut events) = (Parser::default(), VecDeque::new());
            text.as_bytes().chunks(size).for_each(|piece| parser.feed(piece, &mut events));
            Vec::from(events)
        };
        let whole = read(text.len().max(1));
        assert!([1, 2, 3, 7].into_iter().all(|size| read(size) == whole), "{text}");
        whole
    }

    #[test]
    fn events_are_read_in_every_shape() {
        let activity = |event: &str, context: &str| {
            format!(
                r#"{{"event":"{event}","uuid":"u1","Activity":{{"uuid":"u1","type":"library.update.section"{context}}}}}"#
            )
        };
        let (started, ended) =
            (activity("started", ""), activity("ended", r#","Context":{"librarySectionID":"1"}"#));
        let running = activity("updated", r#","Context":{"librarySectionID":7}"#);
        for (text, expected) in [
            ("event: ping\ndata: {}\n\n".to_owned(), vec![Event::Ping]),
            ("event: ping\r\ndata: {}\r\n\r\n".to_owned(), vec![Event::Ping]),
            (
                format!("event: activity\ndata: {{\"ActivityNotification\":{started}}}\n\n"),
                vec![scan(Phase::Started, None)],
            ),
            (
                format!("data:{{\"ActivityNotification\":[{running},{ended}]}}\n\n"),
                vec![scan(Phase::Running, Some("7")), scan(Phase::Ended, Some("1"))],
            ),
            (
                format!(
                    "data: {{\"NotificationContainer\":{{\"type\":\"activity\",\ndata: \"ActivityNotification\":[{ended}]}}}}\n\n"
                ),
                vec![scan(Phase::Ended, Some("1"))],
            ),
            ("data: {\"TimelineEntry\":{\"state\":5}}\n\n".to_owned(), vec![Event::Other]),
            ("data: {\"ActivityNotification\":{\"event\":1}}\n\n".to_owned(), vec![Event::Other]),
            ("data: no JSON\n\n".to_owned(), vec![Event::Other]),
            (": a comment\n\nretry: 3\n\nid: 5\n\n".to_owned(), vec![]),
            ("data: {}\n".to_owned(), vec![]),
        ] {
            assert_eq!(events(&text), expected, "{text}");
        }
    }

    #[test]
    fn an_event_without_end_takes_no_memory_and_the_next_one_is_read() {
        let (mut parser, mut events) = (Parser::default(), VecDeque::new());
        for _ in 0..100 {
            parser.feed(&[b'x'; 64 * 1024], &mut events);
            assert!(parser.line.capacity() + parser.data.capacity() <= 4 * LONGEST);
        }
        parser.feed(b"\n\ndata: {}\n\ndata: {}\n\n", &mut events);
        assert_eq!(events.pop_back(), Some(Event::Ping));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let (mut parser, mut events) = (Parser::default(), VecDeque::new());
            parser.feed(&bytes, &mut events);
        }
    }
}
