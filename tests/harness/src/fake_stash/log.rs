//! A plugin's stderr, read as Stash reads it (`pkg/logger/plugin.go`, `pkg/plugin/log.go`).

use std::io::{self, BufRead, BufReader, Read};

/// Longest line: a longer one ends the plugin's stderr for good (Go's `bufio.Scanner`).
const LONGEST_LINE: usize = 64 * 1024;

/// Level of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are Stash's")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warning,
    Error,
    /// How far the job is, 0 to 1.
    Progress(f64),
}

/// One line of the plugin's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The level: `Error` for a line that does not name one.
    pub level: Level,
    /// Whether the line named its level.
    pub marked: bool,
    /// The text, trimmed.
    pub text: String,
}

impl Line {
    fn parse(line: &str) -> Self {
        let marked = line.strip_prefix('\x01').filter(|_| line.len() >= 4);
        let split = marked.and_then(|rest| rest.split_once('\x02'));
        let level = split.and_then(|(letter, text)| Level::of(letter, text));
        let text = split.filter(|_| level.is_some()).map_or(line, |(_, text)| text);
        let marked = level.is_some();
        Self { level: level.unwrap_or(Level::Error), marked, text: text.trim().to_owned() }
    }

    /// The line in Stash's log, if its level is one that Stash logs by default.
    pub(super) fn on_the_page(&self, plugin: &str) -> Option<String> {
        let level = match self.level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Trace | Level::Debug | Level::Progress(_) => return None,
        };
        Some(format!("{level} [Plugin / {plugin}] {}", self.text))
    }
}

impl Level {
    fn of(letter: &str, text: &str) -> Option<Self> {
        match letter {
            "t" => Some(Self::Trace),
            "d" => Some(Self::Debug),
            "i" => Some(Self::Info),
            "w" => Some(Self::Warning),
            "e" => Some(Self::Error),
            "p" => text.trim().parse().ok().map(Self::Progress),
            _ => None,
        }
    }
}

/// Reads lines until the end, or until one is too long; then `stderr` is closed under the plugin. A last line without
/// an end counts if `keep_unended`: Stash loses it in an rpc conversation and keeps it in a raw one.
pub(super) fn read(stderr: impl Read, keep_unended: bool) -> Vec<Line> {
    let mut reader = BufReader::new(stderr);
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let limit = LONGEST_LINE as u64;
        let Ok(count) = read_line(&mut reader, limit, &mut line) else { return lines };
        let ended = line.last() == Some(&b'\n');
        if count == 0 || (!ended && (count == LONGEST_LINE || !keep_unended)) {
            return lines;
        }
        lines.push(Line::parse(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])));
    }
}

fn read_line(reader: &mut impl BufRead, limit: u64, line: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(limit).read_until(b'\n', line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_stash_reads_them() {
        let cases = [
            ("\x01i\x02 hello ", Level::Info, true, "hello"),
            ("\x01w\x02x", Level::Warning, true, "x"),
            ("\x01p\x020.5", Level::Progress(0.5), true, "0.5"),
            ("\x01p\x02abc", Level::Error, false, "\x01p\x02abc"),
            ("\x01i\x02", Level::Error, false, "\x01i\x02"),
            ("\x01z\x02x", Level::Error, false, "\x01z\x02x"),
            ("plain", Level::Error, false, "plain"),
            (" \x01i\x02x", Level::Error, false, "\x01i\x02x"),
        ];
        for (line, level, marked, text) in cases {
            let expected = Line { level, marked, text: text.to_owned() };
            assert_eq!(Line::parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_ends_the_log() {
        let stderr = format!("\x01i\x02a\n{}\n\x01i\x02b\n", "x".repeat(LONGEST_LINE));
        assert_eq!(read(stderr.as_bytes(), true).len(), 1);
        assert_eq!(read(&b"\x01i\x02a\n\x01i\x02b"[..], true).len(), 2);
        assert_eq!(read(&b"\x01i\x02a\n\x01i\x02b"[..], false).len(), 1);
    }
}
