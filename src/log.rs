//! Logs on stderr, as text, as JSON or in Stash's plugin protocol. The redactor stands here, at the last writer.
//!
//! Only the worker's own events are written: jsonrpc-core and the HTTP stack would log whole messages.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, error};
use tracing_subscriber::filter::Targets;

use crate::secret::Secrets;

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// `\x01<level>\x02<text>`, as Stash reads it (Stash `pkg/plugin/log.go`).
    Stash,
}

/// Longest line, in bytes. Stash closes a plugin's stderr for good at a line of 64 KiB.
const MAX_LINE: usize = 60_000;
/// The only target that is logged.
const OWN: &str = "plexsync";

/// A handle on the log of this process.
#[derive(Debug, Clone)]
pub struct Log {
    format: Arc<AtomicU8>,
}

impl Log {
    /// From now on lines are Stash's. Does nothing where the user chose a format.
    pub fn speak_to_stash(&self) {
        let auto = |format: u8| (format & AUTO != 0).then_some(Format::Stash as u8 | AUTO);
        // Refused when the format was chosen: that is what should happen.
        let _refused = self.format.fetch_update(Ordering::Relaxed, Ordering::Relaxed, auto);
    }
}

/// Set beside a [`Format`] that was found out, not chosen.
const AUTO: u8 = 0x80;

/// Starts the log of this process. `level` is a level or a list of `target=level`; one that can't be read is `info`.
///
/// `chosen` is the user's format; without one it is `guess` until Stash turns out to be the host.
pub fn start(
    level: &str,
    chosen: Option<Format>,
    guess: Format,
    secrets: Secrets,
    writer: impl Write + Send + 'static,
) -> Log {
    let format = chosen.map_or(guess as u8 | AUTO, |format| format as u8);
    let log = Log { format: Arc::new(AtomicU8::new(format)) };
    let filter =
        Targets::from_str(level).unwrap_or_else(|_| Targets::new().with_default(Level::INFO));
    let lines = Lines { filter, secrets, log: log.clone(), writer: Mutex::new(Box::new(writer)) };
    // Refused when there is one already, as in a test: then that one is used.
    let _refused = tracing::subscriber::set_global_default(lines);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!("internal error at {place}: please report it");
    }));
    log
}

struct Lines {
    filter: Targets,
    secrets: Secrets,
    log: Log,
    writer: Mutex<Box<dyn Write + Send>>,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with(OWN)
            && self.filter.would_enable(metadata.target(), metadata.level())
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = match self.log.format.load(Ordering::Relaxed) & !AUTO {
            format if format == Format::Text as u8 => text_line(event.metadata(), &fields),
            format if format == Format::Json as u8 => json_line(event.metadata(), &fields),
            _ => stash_line(event.metadata(), &fields),
        };
        let line = finish(self.secrets.redact(&line).into_owned());
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The reader of the log may be gone. That must not stop the worker.
        let _ignored = writer.write_all(line.as_bytes());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The message of an event, and its other fields.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            name => self.others.push((name, value)),
        }
    }

    /// Message and fields in one line: control characters would begin another one.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.others {
            // Writing to a String can't fail.
            let _infallible = write!(text, " {name}={value}");
        }
        text.replace(|character: char| character.is_control(), " ")
    }
}

fn text_line(metadata: &Metadata<'_>, fields: &Fields) -> String {
    format!("{:5} {}", metadata.level().as_str(), fields.text())
}

fn json_line(metadata: &Metadata<'_>, fields: &Fields) -> String {
    let mut line = serde_json::Map::new();
    line.insert("level".into(), metadata.level().as_str().to_lowercase().into());
    line.insert("message".into(), fields.message.clone().into());
    line.insert("target".into(), metadata.target().into());
    line.extend(
        fields.others.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())),
    );
    serde_json::Value::Object(line).to_string()
}

/// Stash knows `t d i w e`, and `p` for a progress of 0 to 1.
fn stash_line(metadata: &Metadata<'_>, fields: &Fields) -> String {
    if let Some((_, progress)) = fields.others.iter().find(|(name, _)| *name == "progress") {
        return format!("\u{1}p\u{2}{progress}");
    }
    let level = match *metadata.level() {
        Level::TRACE => 't',
        Level::DEBUG => 'd',
        Level::INFO => 'i',
        Level::WARN => 'w',
        Level::ERROR => 'e',
    };
    format!("\u{1}{level}\u{2}{}", fields.text())
}

fn finish(mut line: String) -> String {
    if line.len() > MAX_LINE {
        let end = (0..=MAX_LINE).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        line.truncate(end);
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, level: &str, act: impl FnOnce()) -> String {
        let written = Written::default();
        let secrets = Secrets::default();
        secrets.remember(&Secret::new("s3cret/tok+n=="));
        let lines = Lines {
            filter: Targets::from_str(level).unwrap(),
            secrets,
            log: Log { format: Arc::new(AtomicU8::new(format as u8)) },
            writer: Mutex::new(Box::new(written.clone())),
        };
        tracing::subscriber::with_default(lines, act);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn each_format_has_its_line() {
        let act = || tracing::warn!(path = "/a", "two\nlines");
        assert_eq!(logged(Format::Text, "info", act), "WARN  two lines path=/a\n");
        assert_eq!(logged(Format::Stash, "info", act), "\u{1}w\u{2}two lines path=/a\n");
        let json: serde_json::Value =
            serde_json::from_str(&logged(Format::Json, "info", act)).unwrap();
        assert_eq!(
            (&json["message"], &json["path"], &json["level"]),
            (&"two\nlines".into(), &"/a".into(), &"warn".into())
        );
    }

    #[test]
    fn secrets_are_taken_out_in_every_spelling_and_format() {
        for format in [Format::Text, Format::Json, Format::Stash] {
            for spelling in [
                "s3cret/tok+n==",
                "s3cret%2Ftok%2Bn%3D%3D",
                "czNjcmV0L3RvaytuPT0=",
                "czNjcmV0L3RvaytuPT0",
            ] {
                let line = logged(format, "info", || tracing::info!(url = spelling, "{spelling}"));
                assert!(!line.contains(spelling) && line.contains("REDACTED"), "{line}");
            }
        }
    }

    #[test]
    fn a_chosen_format_stays_and_a_guess_gives_way() {
        let (json, stash) = (Format::Json as u8, Format::Stash as u8 | AUTO);
        for (before, after) in [(json, json), (json | AUTO, stash), (stash, stash)] {
            let log = Log { format: Arc::new(AtomicU8::new(before)) };
            log.speak_to_stash();
            assert_eq!(log.format.load(Ordering::Relaxed), after);
        }
    }

    #[test]
    fn progress_is_a_number_for_stash() {
        assert_eq!(
            logged(Format::Stash, "info", || tracing::info!(progress = 0.25, "a")),
            "\u{1}p\u{2}0.25\n"
        );
    }

    #[test]
    fn no_line_is_too_long_for_stash() {
        let line = logged(Format::Stash, "info", || tracing::info!("{}", "é".repeat(100_000)));
        assert!(line.len() <= MAX_LINE + 1 && line.ends_with('\n'));
    }

    #[test]
    fn only_own_events_of_the_level_are_written() {
        assert_eq!(logged(Format::Text, "info", || tracing::debug!("x")), "");
        assert_eq!(logged(Format::Text, "trace", || tracing::info!(target: "rpc", "x")), "");
        assert_eq!(logged(Format::Text, "trace", || tracing::info!(target: "hyper", "x")), "");
        assert_ne!(logged(Format::Text, "trace", || tracing::trace!("x")), "");
    }
}
