//! `doctor`: what a person would check by hand, a line each, with the cure. It writes nothing: no identity is made or
//! mended, and Plex is asked only as the device that is already on disk.

mod configuration;
mod folder;
mod identity;
mod plex;
mod stash;

use std::io;

use serde::Serialize;

use crate::commands::{End, Setting, Streams};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warning,
    Failure,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

/// All of them, and the worst state.
#[derive(Serialize)]
struct Findings {
    checks: Vec<Check>,
    worst: State,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: State::Ok, message: message.into(), cure: None }
    }

    fn warning(name: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, state: State::Warning, message: message.into(), cure: Some(cure.into()) }
    }

    fn failure(name: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, state: State::Failure, message: message.into(), cure: Some(cure.into()) }
    }

    /// A failure whose text already tells the cure, after a semicolon.
    fn told(name: &'static str, text: &str) -> Self {
        let (message, cure) = match text.split_once("; ") {
            Some((message, cure)) => (message, Some(cure.to_owned())),
            None => (text, None),
        };
        Self { name, state: State::Failure, message: message.to_owned(), cure }
    }
}

/// Checks everything. The findings go to the output, as lines or as one JSON object.
pub(crate) fn doctor(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    json: bool,
) -> io::Result<End> {
    let mut checks = Vec::new();
    let parent = stash::check(setting, streams, &mut checks)?;
    let configured = configuration::check(setting, parent.settings, &mut checks);
    let device_id = match folder::check(setting, parent.data_folder, &mut checks) {
        Some(folder) => identity::check(&folder, &mut checks),
        None => None,
    };
    plex::check(setting, configured, device_id, &mut checks)?;
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    let findings = Findings { checks, worst };
    if json {
        serde_json::to_writer(&mut *streams.output, &findings)?;
        writeln!(streams.output)?;
    } else {
        streams.output.write_all(lines(&findings, streams.colour).as_bytes())?;
    }
    Ok(match worst {
        State::Ok => End::Fine,
        State::Warning => End::Warnings,
        State::Failure => End::Failures,
    })
}

fn lines(findings: &Findings, colour: bool) -> String {
    let mut text = String::new();
    for check in &findings.checks {
        let (word, code) = match check.state {
            State::Ok => ("ok", "32"),
            State::Warning => ("warning", "33"),
            State::Failure => ("failure", "31"),
        };
        let word = format!("{word:<7}");
        let word = if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word };
        text.push_str(&format!("{word}  "));
        text.push_str(&wrapped(&format!("{}: {}", check.name, check.message), INDENT));
        if let Some(cure) = &check.cure {
            text.push_str(&format!("{:INDENT$}-> ", ""));
            text.push_str(&wrapped(cure, INDENT + "-> ".len()));
        }
    }
    text
}

/// Where texts begin, in columns.
const INDENT: usize = 9;
/// Where they end: wider terminals gain nothing by longer lines.
const WIDTH: usize = 80;

/// A text in lines that begin at a column and end before [`WIDTH`]; a word that fits into no line stays where it is. The
/// first line's beginning is there already.
fn wrapped(text: &str, indent: usize) -> String {
    let (mut lines, mut column) = (String::new(), indent);
    for word in harmless(text).split(' ') {
        let length = word.chars().count();
        let fits = |column: usize| column + length <= WIDTH;
        if column > indent && !fits(column + 1) && fits(indent) {
            lines.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines.push('\n');
    lines
}

/// A server's name or a file's must not steer the terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
