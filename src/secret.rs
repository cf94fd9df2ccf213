//! Secrets: a type that can't be printed, and the list of values that the log's redactor takes out.

use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

/// A token or a session cookie. It has no `Display`; its `Debug` tells nothing.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value: the boundary that a reader should look for.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The secrets that this process has seen, the longest first: one may be the beginning of another. Clones share one
/// list.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<RwLock<Vec<Secret>>>);

impl Secrets {
    /// Adds a secret, once. Empty ones are no secrets.
    pub fn remember(&self, secret: &Secret) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !secret.expose().is_empty()
            && !list.iter().any(|known| known.expose() == secret.expose())
        {
            let longer = |known: &Secret| known.expose().len() >= secret.expose().len();
            let place = list.partition_point(longer);
            list.insert(place, secret.clone());
        }
    }

    /// Calls `visit` with each, the longest first.
    pub fn each(&self, mut visit: impl FnMut(&str)) {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        list.iter().for_each(|secret| visit(secret.expose()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_remembered_once() {
        let secrets = Secrets::default();
        for value in ["one", "", "two", "one", "three"] {
            secrets.remember(&Secret::new(value));
        }
        let mut seen = Vec::new();
        secrets.clone().each(|secret| seen.push(secret.to_owned()));
        assert_eq!(seen, ["three", "one", "two"]);
    }
}
