//! Logs on stderr, as text, as JSON or in Stash's plugin protocol. Secrets are redacted here, in the last writer.
//!
//! Only the worker's own events are written: jsonrpc-core and the HTTP stack would log whole messages.

use std::fmt::{self, Write as _};
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, error};

use crate::secret::Secrets;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    /// One JSON object a line.
    Json,
    /// `\x01<level>\x02<text>`, as Stash reads it (Stash `pkg/plugin/log.go`).
    Stash,
}

/// Longest line, in bytes. Stash closes a plugin's stderr for good at a line of 64 KiB.
const MAX_LINE: usize = 60_000;
/// Only targets that begin with this are logged.
const OWN: &str = "plexsync";

/// A handle on the log of this process.
#[derive(Debug, Clone, Default)]
pub struct Log {
    in_stash: Arc<AtomicBool>,
}

impl Log {
    /// From now on lines are Stash's, unless the user chose a format.
    pub fn use_stash_format(&self) {
        self.in_stash.store(true, Ordering::Relaxed);
    }
}

/// The least important level that is logged, by name: `off`, `error`, `warn`, `info`, `debug` or `trace`.
///
/// # Errors
/// The names, if it is none of them.
pub fn level(text: &str) -> Result<LevelFilter, String> {
    let is_name = text.chars().all(|letter| letter.is_ascii_alphabetic()) && !text.is_empty();
    let level = text.parse().ok().filter(|_| is_name);
    level.ok_or_else(|| "expected `off`, `error`, `warn`, `info`, `debug` or `trace`".to_owned())
}

/// The level that `RUST_LOG` names for this program, in the syntax of the crate `env_logger`; `None` if it names only
/// other programs'.
///
/// # Errors
/// As [`level`].
pub fn level_of_rust_log(text: &str) -> Result<Option<LevelFilter>, String> {
    let is_own = |target: &str| target.replace('-', "_").starts_with(OWN);
    let (mut own, mut general) = (None, None);
    let directives = text.split('/').next().unwrap_or_default().split(',').map(str::trim);
    for directive in directives.filter(|directive| !directive.is_empty()) {
        match directive.split_once('=') {
            Some((target, name)) if is_own(target) => own = Some(level(name)?),
            Some(_) => {}
            None if is_own(directive) => own = Some(LevelFilter::TRACE),
            None => general = level(directive).ok().or(general),
        }
    }
    Ok(own.or(general))
}

/// Starts the log of this process. `chosen` is the user's format; without one it is `guess` until Stash turns out to be
/// the host.
pub fn start(
    level: LevelFilter,
    chosen: Option<Format>,
    guess: Format,
    secrets: Secrets,
    writer: impl Write + Send + 'static,
) -> Log {
    let log = Log::default();
    let writer = Mutex::new(Box::new(writer) as Box<dyn Write + Send>);
    let dropped = AtomicU64::new(0);
    let lines = Lines { level, chosen, guess, secrets, log: log.clone(), writer, dropped };
    // Refused if there is one already, as in a test: then that one is used.
    let _refused = tracing::subscriber::set_global_default(lines);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!("internal error at {place}: please report it");
    }));
    log
}

struct Lines {
    level: LevelFilter,
    chosen: Option<Format>,
    guess: Format,
    secrets: Secrets,
    log: Log,
    writer: Mutex<Box<dyn Write + Send>>,
    /// Lines that were not written and not reported yet.
    dropped: AtomicU64,
}

impl Lines {
    fn format(&self) -> Format {
        let in_stash = self.log.in_stash.load(Ordering::Relaxed);
        self.chosen.unwrap_or(if in_stash { Format::Stash } else { self.guess })
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with(OWN) && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 && !fields.is_progress() {
            fields.others.push(("log_lines_dropped", dropped.to_string()));
        }
        let line = match self.format() {
            Format::Text => text_line(event.metadata(), &fields),
            Format::Json => json_line(event.metadata(), &fields),
            Format::Stash => stash_line(event.metadata(), &fields),
        };
        let line = finish(self.secrets.redact(&line).into_owned());
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.write_all(line.as_bytes()) {
            // The host does not read: the next line reports how many were dropped.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Ok(()) if !fields.is_progress() => {
                self.dropped.fetch_sub(dropped, Ordering::Relaxed);
            }
            // A closed stderr must not stop the worker.
            _ => {}
        }
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

    fn is_progress(&self) -> bool {
        self.others.iter().any(|(name, _)| *name == PROGRESS)
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

/// The field that makes an event a task's progress.
const PROGRESS: &str = "progress";

/// Stash knows `t d i w e`, and `p` for a progress of 0 to 1.
fn stash_line(metadata: &Metadata<'_>, fields: &Fields) -> String {
    if let Some((_, progress)) = fields.others.iter().find(|(name, _)| *name == PROGRESS) {
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
mod tests;
