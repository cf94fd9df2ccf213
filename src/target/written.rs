//! URLs and tokens as users write them: with quotes of a YAML list, and with what pasting adds.

use crate::plex::token_refusal;
use crate::secret::Secret;

/// Invisible characters that pasting adds: a byte order mark, and characters without width.
const INVISIBLE: [char; 7] =
    ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{2060}', '\u{ad}'];

/// What is wrong with a text, and what was done or is to be done.
pub(super) type Odd = (&'static str, &'static str);

/// The text without quotes, white space and invisible characters, and a warning for the user.
fn cleaned(text: &str) -> (String, Option<Odd>) {
    let visible = text.replace(INVISIBLE, "");
    let trimmed = visible.trim();
    let bare = ['"', '\'']
        .into_iter()
        .find_map(|quote| trimmed.strip_prefix(quote)?.strip_suffix(quote))
        .map(str::trim);
    let odd = match (bare, visible.len() < text.len()) {
        (Some(_), _) => Some(("is in quotes", "they were removed")),
        (None, true) => Some(("holds invisible characters", "they were removed")),
        (None, false) => None,
    };
    (bare.unwrap_or(trimmed).to_owned(), odd)
}

/// A base URL without what pasting adds: quotes, invisible characters, and the address of Plex's own page. What is
/// still wrong with it is found when it is used.
pub(super) fn url(text: &str) -> (String, Option<Odd>) {
    let (text, odd) = cleaned(text);
    let start = text.find("://").map_or(0, |scheme| scheme + "://".len());
    let is_page = |at: &usize| {
        let rest = &text[at + "/web".len()..];
        *at > start && (rest.is_empty() || rest.starts_with(['/', '#', '?']))
    };
    match text.match_indices("/web").map(|(at, _)| at).find(is_page) {
        Some(at) => {
            let odd = ("is the URL of Plex's web page", "`/web` and what follows was removed");
            (text[..at].to_owned(), Some(odd))
        }
        None => (text, odd),
    }
}

/// A token without what pasting adds.
///
/// # Errors
/// What the text is instead, and what to do; neither holds the text.
pub(super) fn token(text: &str) -> Result<(Secret, Option<Odd>), Odd> {
    let (text, odd) = cleaned(text);
    match token_refusal(&text) {
        None => Ok((Secret::new(text), odd)),
        Some(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests;
