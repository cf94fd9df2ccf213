//! Paths as Plex and Stash write them: on another machine perhaps, with another system's rules. The text decides how a
//! path is read, never the platform that this runs on.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

/// What separates the parts of a path on Windows.
const WINDOWS_SEPARATORS: [char; 2] = ['\\', '/'];

/// An absolute path: `/...` (POSIX), `X:\...` or `X:/...` (Windows), `\\host\share...` or `//host/share...` (UNC). `.`
/// and `..` are resolved, never above the root, and doubled separators count once.
///
/// Two are equal if they are written alike. Its text is tidy: the separators are the ones it was written with, none is
/// doubled, and only a root ends in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePath {
    style: Style,
    written: String,
    /// A drive (`X:`), or host and share, are parts, too.
    parts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A backslash is an ordinary character.
    Posix,
    Drive,
    Unc,
}

/// How two paths are known to mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// By the same bytes; on Windows whatever the letter case, the kind of separator and the Unicode form are.
    Same,
    /// By the same bytes after Unicode NFC: on macOS those are one folder, on Linux there may be two.
    Normalized,
}

impl RemotePath {
    /// Reads an absolute path; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(plain) = without_prefix(text) {
            return Self::parse(&plain);
        }
        let path = Self::read(Style::of(text)?, text);
        if path.style == Style::Unc && path.parts.len() < path.style.root_parts() {
            return text.starts_with('/').then(|| Self::read(Style::Posix, text));
        }
        Some(path)
    }

    /// The folder of the file with this path. A path that ends in a separator, `.` or `..` is a folder itself.
    pub fn folder_of(file: &str) -> Option<Self> {
        let path = Self::parse(file)?;
        let last = file.rsplit(|letter| path.style.separates(letter)).next();
        match last {
            Some("" | "." | "..") => Some(path),
            _ => Self::parse(&format!("{file}/..")),
        }
    }

    /// What `//` begins is one slash too many where no UNC path is meant.
    fn read(style: Style, text: &str) -> Self {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(|letter| style.separates(letter)) {
            match part {
                "" | "." => {}
                ".." if parts.len() > style.root_parts() => drop(parts.pop()),
                ".." => {}
                part => parts.push(part.to_owned()),
            }
        }
        Self { style, written: text.to_owned(), parts }
    }

    /// The text that it was read from.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// How many parts it has: of two folders that hold a path, the one with more is nearer.
    pub fn depth(&self) -> usize {
        self.parts.len()
    }

    /// This folder in its own spelling, and `rest` below it. No separator is doubled behind the folder.
    #[must_use]
    pub fn join(&self, rest: &[String]) -> String {
        if rest.is_empty() {
            return self.written.clone();
        }
        let separator = self.separator();
        let folder = self.written.trim_end_matches(|letter| self.style.separates(letter));
        format!("{folder}{separator}{}", rest.join(&separator.to_string()))
    }

    /// Those of `folders` that hold this path (whole parts), and the rest below each. Compared are the bytes, and
    /// the bytes after Unicode NFC where no folder of that name has the same ones. Windows paths are compared in NFC,
    /// without letter case, and with `/` as `\`, as Windows does.
    pub fn held_by<'f, T>(
        &self,
        folders: impl IntoIterator<Item = (T, &'f Self)>,
    ) -> Vec<(T, &'f Self, Vec<String>)> {
        let held: Vec<_> = folders
            .into_iter()
            .filter_map(|(of, folder)| Some((of, folder, self.below(folder)?)))
            .collect();
        let same = held.iter().filter(|(.., (fit, _))| *fit == Fit::Same);
        let same: Vec<_> = same.map(|(_, folder, _)| folder.depth()).collect();
        let counts = |fit, folder: &Self| fit == Fit::Same || !same.contains(&folder.depth());
        held.into_iter()
            .filter(|(_, folder, (fit, _))| counts(*fit, folder))
            .map(|(of, folder, (_, rest))| (of, folder, rest))
            .collect()
    }

    /// Whether `folder` does not hold this path, but would if letter case did not count.
    pub fn differs_in_case_from(&self, folder: &Self) -> bool {
        self.below(folder).is_none()
            && self.as_in(folder).is_some_and(|path| path.rest(folder, folded).is_some())
    }

    /// Whether both surely mean the same folder.
    pub fn is_same(&self, other: &Self) -> bool {
        self.fit(other) == Some(Fit::Same)
    }

    /// How this path is known to mean the same as `other`; `None` if it does not.
    pub fn fit(&self, other: &Self) -> Option<Fit> {
        self.below(other).and_then(|(fit, rest)| rest.is_empty().then_some(fit))
    }

    /// What is left of this path below `folder`, if that holds it.
    fn below(&self, folder: &Self) -> Option<(Fit, Vec<String>)> {
        let path = self.as_in(folder)?;
        if folder.style != Style::Posix {
            return Some((Fit::Same, path.rest(folder, folded)?));
        }
        let same = path.rest(folder, str::to_owned).map(|rest| (Fit::Same, rest));
        same.or_else(|| Some((Fit::Normalized, path.rest(folder, nfc)?)))
    }

    fn rest(&self, folder: &Self, meaning: fn(&str) -> String) -> Option<Vec<String>> {
        let (head, rest) = self.parts.split_at_checked(folder.parts.len())?;
        let mut pairs = head.iter().zip(&folder.parts);
        pairs.all(|(one, other)| meaning(one) == meaning(other)).then(|| rest.to_vec())
    }

    /// This path read as one of the same kind as `folder`: `//a/b` is `/a/b` beside a POSIX folder.
    fn as_in(&self, folder: &Self) -> Option<Self> {
        match (self.style, folder.style) {
            (one, other) if one == other => Some(self.clone()),
            (Style::Unc, Style::Posix) if self.written.starts_with('/') => {
                Some(Self::read(Style::Posix, &self.written))
            }
            _ => None,
        }
    }

    fn separator(&self) -> char {
        let windows = || self.written.chars().find(|letter| WINDOWS_SEPARATORS.contains(letter));
        match self.style {
            Style::Posix => '/',
            Style::Drive | Style::Unc => windows().unwrap_or('\\'),
        }
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = self.separator().to_string();
        let parts = self.parts.join(&separator);
        match (self.style, self.parts.len()) {
            (Style::Posix, _) => write!(formatter, "/{parts}"),
            (Style::Drive, 1) => write!(formatter, "{parts}{separator}"),
            (Style::Drive, _) => formatter.write_str(&parts),
            (Style::Unc, _) => write!(formatter, "{separator}{separator}{parts}"),
        }
    }
}

/// A path of Windows without the `\\?\` that lifts its limit of length.
fn without_prefix(path: &str) -> Option<String> {
    let path = path.strip_prefix(r"\\?\")?;
    match path.strip_prefix(r"UNC\") {
        Some(share) => Some(format!(r"\\{share}")),
        None => (Style::of(path) == Some(Style::Drive)).then(|| path.to_owned()),
    }
}

impl Style {
    fn of(path: &str) -> Option<Self> {
        match path.as_bytes() {
            [b'\\', b'\\', ..] | [b'/', b'/', ..] => Some(Self::Unc),
            [b'/', ..] => Some(Self::Posix),
            [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic() => Some(Self::Drive),
            _ => None,
        }
    }

    fn separates(self, letter: char) -> bool {
        match self {
            Self::Posix => letter == '/',
            Self::Drive | Self::Unc => WINDOWS_SEPARATORS.contains(&letter),
        }
    }

    /// How many parts belong to the root.
    const fn root_parts(self) -> usize {
        match self {
            Self::Posix => 0,
            Self::Drive => 1,
            Self::Unc => 2,
        }
    }
}

fn nfc(part: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(part).into_owned()
}

/// Without letter case. Upper case, as NTFS compares: `ς` and `σ` are one letter there, and `ß` stays what it is.
fn folded(part: &str) -> String {
    let upper = |letter: char| {
        let mut upper = letter.to_uppercase();
        match upper.len() {
            1 => upper.next().unwrap_or(letter),
            _ => letter,
        }
    };
    nfc(part).chars().map(upper).collect()
}

#[cfg(test)]
mod tests;
