//! URLs and tokens as people write them: with quotes of a YAML list, with what pasting adds, with something else in
//! their place.

use crate::plex::token_refusal;
use crate::secret::Secret;

/// What nobody sees and pasting adds: a byte order mark, and characters without width.
const INVISIBLE: [char; 7] =
    ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{2060}', '\u{ad}'];

/// What is odd about a text, and what was done.
pub(super) type Odd = (&'static str, &'static str);

/// A text without what surrounds it, and what that was, where a person should know.
fn cleaned(text: &str) -> (String, Option<Odd>) {
    let visible = text.replace(INVISIBLE, "");
    let trimmed = visible.trim();
    let bare = ['"', '\'']
        .into_iter()
        .find_map(|quote| trimmed.strip_prefix(quote)?.strip_suffix(quote))
        .map(str::trim);
    let odd = match (bare, visible.len() < text.len()) {
        (Some(_), _) => Some(("stands in quotes", "they were taken off")),
        (None, true) => Some(("holds characters that can't be seen", "they were taken off")),
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
            let odd = ("names Plex's web page", "`/web` and what follows was cut off");
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
