//! Every token that a worker is started with is a canary: what the worker says and leaves behind must not hold it.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Shorter values are switches of a test, no tokens.
const SHORTEST: usize = 8;

/// Tokens that must not get out.
#[derive(Debug, Clone, Default)]
pub struct Canary {
    spellings: Vec<String>,
}

impl Canary {
    /// Watches for these tokens.
    pub fn of<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Self {
        let tokens = tokens.into_iter().filter(|token| token.len() >= SHORTEST);
        Self { spellings: tokens.flat_map(spellings).collect() }
    }

    /// Where in `text` a token stands, as a sentence; none where there is none.
    pub fn found(&self, what: &str, text: &str) -> Option<String> {
        let spelling = self.spellings.iter().find(|spelling| text.contains(*spelling))?;
        Some(format!("the token got out as `{spelling}`, in {what}: {text}"))
    }

    /// The same for every file below a folder.
    pub fn found_below(&self, folder: &Path) -> Option<String> {
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

/// As it is, as in a URL, and as base64 whatever stands behind it: the last characters of that depend on what does.
fn spellings(token: &str) -> [String; 4] {
    const UNRESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let percent = utf8_percent_encode(token, UNRESERVED).to_string();
    let whole_groups = token.as_bytes().as_chunks::<3>().0.as_flattened();
    [token.to_owned(), percent.to_ascii_lowercase(), percent, STANDARD.encode(whole_groups)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_seen_in_every_spelling() {
        let canary = Canary::of(["tok/en+9=x", "short"]);
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
        let canary = Canary::of(["tok/en+9=x"]);
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/a"), "innocent").unwrap();
        assert_eq!(canary.found_below(folder.path()), None);
        fs::write(folder.path().join("deep/b"), "x tok/en+9=x").unwrap();
        assert!(canary.found_below(folder.path()).is_some());
    }
}
