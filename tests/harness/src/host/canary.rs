//! Every token that a worker is started with is a canary: what the worker says and leaves behind must not hold it.

use std::fs;
use std::path::Path;

/// Shorter values are switches of a test, no tokens.
const SHORTEST: usize = 8;

/// The tokens of one worker.
#[derive(Debug, Clone, Default)]
pub(super) struct Canary {
    spellings: Vec<String>,
}

impl Canary {
    /// Watches for these tokens.
    pub(super) fn of<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let tokens = tokens.filter(|token| token.len() >= SHORTEST);
        Self { spellings: tokens.flat_map(spellings).collect() }
    }

    /// Where in `text` a token stands, as a sentence; none where there is none.
    pub(super) fn found(&self, what: &str, text: &str) -> Option<String> {
        let spelling = self.spellings.iter().find(|spelling| text.contains(*spelling))?;
        Some(format!("the token got out as `{spelling}`, in {what}: {text}"))
    }

    /// The same for every file below a folder.
    pub(super) fn found_below(&self, folder: &Path) -> Option<String> {
        if self.spellings.is_empty() {
            return None;
        }
        fs::read_dir(folder).into_iter().flatten().flatten().find_map(|entry| {
            let path = entry.path();
            let kind = entry.file_type().ok()?;
            if kind.is_dir() {
                return self.found_below(&path);
            }
            // A test may have put a FIFO or a device there: reading that would not end.
            let text = kind.is_file().then(|| fs::read(&path).ok()).flatten()?;
            self.found(&path.display().to_string(), &String::from_utf8_lossy(&text))
        })
    }
}

/// As it is, as in a URL, and as base64 whatever stands around it.
fn spellings(token: &str) -> Vec<String> {
    let percent: String = token
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let mut all = vec![token.to_owned(), percent.to_ascii_lowercase(), percent, base64(token)];
    all.sort();
    all.dedup();
    all
}

/// RFC 4648, section 4, without the last characters: they depend on what follows.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = text.as_bytes().as_chunks::<3>().0.iter();
    let digits = groups.flat_map(|[a, b, c]| {
        let bits = u32::from_be_bytes([0, *a, *b, *c]);
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
    });
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_seen_in_every_spelling() {
        let canary = Canary::of(["tok/en+9=x", "short"].into_iter());
        for text in
            ["a tok/en+9=x b", "?t=tok%2Fen%2B9%3Dx", "?t=tok%2fen%2b9%3dx", "dG9rL2VuKzk9eA=="]
        {
            assert!(canary.found("a log", text).is_some(), "{text}");
        }
        assert_eq!(canary.found("a log", "short tok en"), None);
    }

    #[test]
    fn files_are_looked_at_in_folders_too() {
        let folder = tempfile::tempdir().unwrap();
        let canary = Canary::of(["tok/en+9=x"].into_iter());
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/a"), "innocent").unwrap();
        assert_eq!(canary.found_below(folder.path()), None);
        fs::write(folder.path().join("deep/b"), "x tok/en+9=x").unwrap();
        assert!(canary.found_below(folder.path()).is_some());
    }
}
