//! Secrets: a type that can't be printed, and the one redactor that the log, results and Stash's errors share.

mod view;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

use self::view::View;

/// Replaces a secret; valid in a URL and in a header.
pub const REDACTED: &str = "REDACTED";
/// Shorter values, in bytes, are not searched for: they occur in ordinary words, and no service issues such tokens.
const SHORTEST: usize = 4;
/// Longest value that is searched for, in bytes. A longer one is refused as a token, so it is never sent.
pub const LONGEST: usize = 4096;
/// How many secrets are remembered for the life of the process; the one not used for the longest time goes first.
const MOST: usize = 256;
/// How many secrets of ended calls are still searched for: a server may echo one in a later response.
const MOST_ENDED: usize = 16;
/// How often an escape may be escaped itself (`%2541` for `A`).
const MOST_ESCAPES: usize = 3;

/// A token or a session cookie. It has no `Display`; its `Debug` shows nothing.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value. Search for this name to review every use.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The secrets that this process must not show. Clones share one list.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<RwLock<Vec<Known>>>);

/// Keeps the secret of a call remembered until the call ends.
#[must_use = "the secret may be forgotten as soon as this is dropped"]
#[derive(Debug)]
pub struct Held(Option<(Secrets, Secret)>);

impl Secrets {
    /// Remembers a configured secret for the life of the process, unless it is too short or too long.
    pub fn remember(&self, secret: &Secret) {
        if !is_searched_for(secret) {
            return;
        }
        let mut list = self.write();
        if list.last().is_some_and(|newest| newest.configured && newest.is(secret)) {
            return;
        }
        let mut known = take(&mut list, secret).unwrap_or_else(|| Known::new(secret));
        known.configured = true;
        list.push(known);
        keep_newest(&mut list, MOST, |known| known.configured);
    }

    /// Remembers the secret of one call until the call ends, and for some calls after it.
    pub fn remember_until_dropped(&self, secret: &Secret) -> Held {
        if !is_searched_for(secret) {
            return Held(None);
        }
        let mut list = self.write();
        match list.iter_mut().find(|known| known.is(secret)) {
            Some(known) => known.holders += 1,
            None => list.push(Known { holders: 1, ..Known::new(secret) }),
        }
        Held(Some((self.clone(), secret.clone())))
    }

    /// The text with [`REDACTED`] in place of every secret, however it is spelled: as it is, with percent or JSON
    /// escapes or character references for some or all of its characters, in base64 of either alphabet at any offset, in
    /// hexadecimal digits.
    pub fn redact<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // No spelling is shorter than the secret itself.
        if list.iter().all(|known| text.len() < known.plain.expose().len()) {
            return Cow::Borrowed(text);
        }
        let mut places = Vec::new();
        let mut view = Some(View::new(text.as_bytes().into(), None));
        for _ in 0..=MOST_ESCAPES {
            let Some(current) = view else { break };
            list.iter().for_each(|known| known.find(&current, &mut places));
            view = current.unescaped();
        }
        replace(text, places)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Known>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((secrets, secret)) = self.0.take() {
            let mut list = secrets.write();
            if let Some(mut known) = take(&mut list, &secret) {
                known.holders = known.holders.saturating_sub(1);
                list.push(known);
            }
            keep_newest(&mut list, MOST_ENDED, |known| !known.configured && known.holders == 0);
        }
    }
}

fn is_searched_for(secret: &Secret) -> bool {
    (SHORTEST..=LONGEST).contains(&secret.expose().len())
}

/// Forgets the oldest of these where there are more than `most`.
fn keep_newest(list: &mut Vec<Known>, most: usize, is_one: impl Fn(&Known) -> bool) {
    let mut surplus = list.iter().filter(|known| is_one(known)).count().saturating_sub(most);
    list.retain(|known| {
        let goes = surplus > 0 && is_one(known);
        surplus -= usize::from(goes);
        !goes
    });
}

fn take(list: &mut Vec<Known>, secret: &Secret) -> Option<Known> {
    list.iter().position(|known| known.is(secret)).map(|index| list.remove(index))
}

/// One secret with its spellings, computed once and not for each line.
#[derive(Debug)]
struct Known {
    plain: Secret,
    spellings: [Spelling; 5],
    configured: bool,
    holders: usize,
}

/// One encoding of a secret.
#[derive(Debug)]
struct Spelling {
    text: Secret,
    /// In which copy of a [`View`] it is searched for.
    copy: for<'view> fn(&'view View<'_>) -> &'view [u8],
    /// Whether the digit before, or behind, holds bits of the secret, too.
    shared: [bool; 2],
}

impl Known {
    fn new(secret: &Secret) -> Self {
        let digits = secret.expose().bytes().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits: String =
            digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
        let whole = |text, copy| Spelling { text, copy, shared: [false; 2] };
        let [first, second, third] = [0, 1, 2].map(|offset| Spelling::base64(secret, offset));
        let plain = whole(secret.clone(), |view| &view.bytes);
        let hexadecimal = whole(Secret::new(digits), |view| view.lower_case());
        let spellings = [plain, hexadecimal, first, second, third];
        Self { plain: secret.clone(), spellings, configured: false, holders: 0 }
    }

    fn is(&self, secret: &Secret) -> bool {
        self.plain.expose() == secret.expose()
    }

    /// Adds the places of this secret, as bytes of the text.
    fn find(&self, view: &View, places: &mut Vec<Range<usize>>) {
        for Spelling { text, copy, shared } in &self.spellings {
            let text = text.expose().as_bytes();
            // Each copy is as long as the text: one that is too short need not be made.
            if view.bytes.len() < text.len() {
                continue;
            }
            let searched = copy(view);
            let mut end = 0;
            // Most texts are short: an iterator would prepare for a long one each time.
            while let Some(at) = memmem::find(&searched[end..], text) {
                let start = end + at;
                end = start + text.len();
                places.push(view.place(start..end, *shared));
            }
        }
    }
}

impl Spelling {
    /// The digits that depend on the secret alone, at one of the three offsets that it can have in what was encoded.
    fn base64(secret: &Secret, offset: usize) -> Self {
        let secret = secret.expose().as_bytes();
        let digits = STANDARD_NO_PAD.encode([&[0; 2][..offset], secret].concat());
        let (before, bits) = (offset * 8, (offset + secret.len()) * 8);
        let own = digits.get(before.div_ceil(6)..bits / 6).unwrap_or_default();
        let shared = [offset > 0, bits % 6 > 0];
        Self { text: Secret::new(own), copy: |view| view.one_alphabet(), shared }
    }
}

/// Overlapping places are one: of two secrets that begin alike the longer one goes whole.
fn replace(text: &str, mut places: Vec<Range<usize>>) -> Cow<'_, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    places.sort_by_key(|place| place.start);
    let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
    for place in places {
        let start = text.floor_char_boundary(place.start);
        if start >= end {
            shown.push_str(&text[end..start]);
            shown.push_str(REDACTED);
        }
        end = end.max(text.ceil_char_boundary(place.end));
    }
    shown.push_str(&text[end..]);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests;
