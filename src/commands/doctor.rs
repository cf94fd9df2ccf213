//! `doctor`: the report of `doctor.run` in lines.

use std::io;

use plexsync_protocol::doctor::{Check, CheckState, DoctorParams, DoctorReport};
use plexsync_protocol::message::method;
use serde_json::value::to_raw_value;

use super::{End, Setting, Streams};

/// Column of the messages.
const INDENT: usize = 9;
/// Longest line, in columns, where no terminal says how long it may be, and where one has room for more.
const WIDTH: usize = 80;

/// Checks everything. The report goes to the output, as lines or as one JSON object.
pub(super) fn doctor(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    json: bool,
    create: bool,
) -> io::Result<End> {
    let params = to_raw_value(&DoctorParams { create }).ok();
    let result = match setting.call(method::DOCTOR_RUN, params) {
        Ok(result) => result.into_bytes(),
        error => return streams.show(error),
    };
    let report: DoctorReport = serde_json::from_slice(&result)?;
    if json {
        streams.output.write_all(&result)?;
        writeln!(streams.output)?;
    } else {
        writeln!(streams.output, "{}", setting.whose())?;
        let width = streams.width.map_or(WIDTH, |width| width.min(WIDTH));
        for check in &report.checks {
            streams.output.write_all(lines(check, streams.colour, width).as_bytes())?;
        }
        writeln!(streams.output, "{}", summary(&report))?;
    }
    Ok(match report.worst {
        CheckState::Ok => End::Fine,
        CheckState::Warning => End::Warnings,
        CheckState::Failure => End::Failures,
    })
}

fn summary(report: &DoctorReport) -> String {
    let count = |state| report.checks.iter().filter(|check| check.state == state).count();
    match (count(CheckState::Failure), count(CheckState::Warning)) {
        (0, 0) => "All is well.".to_owned(),
        (failures, warnings) => format!("Failures: {failures}, warnings: {warnings}."),
    }
}

fn lines(check: &Check, colour: bool, width: usize) -> String {
    let (word, code) = match check.state {
        CheckState::Ok => ("ok", "32"),
        CheckState::Warning => ("warning", "33"),
        CheckState::Failure => ("failure", "31"),
    };
    let word = format!("{word:<7}");
    let word = if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word };
    let message = wrapped(&format!("{}: {}", check.name, check.message), INDENT, width);
    let hint = check.hint.as_ref().map_or_else(String::new, |hint| {
        format!("{:INDENT$}-> {}", "", wrapped(hint, INDENT + "-> ".len(), width))
    });
    format!("{word}  {message}{hint}")
}

/// Wraps a text at `width` and indents all lines but the first; a longer word is not broken.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let (mut lines, mut column) = (String::new(), indent);
    for word in harmless(text).split(' ') {
        let length = word.chars().count();
        let fits = |column: usize| column + length <= width;
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

/// A name from a server or a disk must not control the terminal (ECMA-48).
fn harmless(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_there_is_room() {
        let message = "no Plex server is configured";
        let check = Check::new("plex_url", CheckState::Warning, message)
            .with_hint("run `plexsync-worker login`, or give `--plex-url URL`");
        let at = |width| lines(&check, false, width);
        assert_eq!(at(80).lines().count(), 2);
        let narrow = at(40);
        assert!(narrow.lines().count() > 3, "{narrow}");
        for line in narrow.lines() {
            assert!(line.chars().count() <= 40, "{narrow}");
        }
        assert_eq!(at(1).split_whitespace().count(), at(80).split_whitespace().count());
    }
}
