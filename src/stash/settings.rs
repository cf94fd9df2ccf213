//! The user's settings in Stash.

use serde_json::{Map, Value};

use super::error::StashError;
use super::path_map::PathMap;
use crate::secret::{Secret, Secrets};

/// The settings that Stash keeps for this plugin. What is empty or all spaces counts as unset.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Base URL of the Plex server.
    pub plex_url: Option<String>,
    /// The token that belongs to it.
    pub plex_token: Option<Secret>,
    /// The account's server that is meant, by name or identifier, where there is no URL.
    pub plex_server: Option<String>,
    /// The same folders under Stash's and Plex's names.
    pub path_map: PathMap,
}

impl Settings {
    /// Reads what Stash keeps under the plugin's id. The token is redacted from now on.
    ///
    /// # Errors
    /// [`StashError::Setting`] for a `path_map` that can't be read.
    pub(super) fn read(saved: &Map<String, Value>, secrets: &Secrets) -> Result<Self, StashError> {
        let plex_token = text(saved, "plex_token").map(Secret::new);
        if let Some(token) = &plex_token {
            secrets.remember(token);
        }
        let path_map = text(saved, "path_map").unwrap_or_default();
        let path_map = PathMap::parse(&path_map).map_err(|reason| {
            // The token may have been entered in the wrong field.
            let reason = secrets.redact(&reason).into_owned();
            StashError::Setting { name: "path_map", reason }
        })?;
        let [plex_url, plex_server] = ["plex_url", "plex_server"].map(|name| text(saved, name));
        Ok(Self { plex_url, plex_token, plex_server, path_map })
    }
}

/// A setting as text. The API takes any JSON, so a token of digits may have been saved as a number.
fn text(saved: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match saved.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(saved: Value) -> Result<Settings, StashError> {
        Settings::read(saved.as_object().unwrap(), &Secrets::default())
    }

    #[test]
    fn empty_and_strange_values_are_unset() {
        for value in [json!(""), json!(" \t"), json!(null), json!([]), json!({})] {
            let settings =
                read(json!({"plex_url": value, "plex_token": value, "path_map": value})).unwrap();
            assert_eq!(settings.plex_url, None);
            assert!(settings.plex_token.is_none());
            assert!(settings.path_map.is_empty());
        }
        assert_eq!(read(json!({})).unwrap().plex_url, None);
    }

    #[test]
    fn values_are_trimmed_and_numbers_are_text() {
        let settings =
            read(json!({"enabled": true, "plex_url": " http://plex:32400\n", "plex_token": 12345}))
                .unwrap();
        assert_eq!(settings.plex_url.as_deref(), Some("http://plex:32400"));
        assert_eq!(settings.plex_token.unwrap().expose(), "12345");
    }

    #[test]
    fn a_token_is_a_secret_even_when_another_setting_is_wrong() {
        let secrets = Secrets::default();
        let saved = json!({"plex_token": "T0ken", "path_map": "/a"});
        let error = Settings::read(saved.as_object().unwrap(), &secrets).unwrap_err();
        assert!(error.to_string().starts_with("setting `path_map` of `Settings > Plugins > "));
        assert_eq!(secrets.redact("a T0ken"), "a REDACTED");
        let saved = json!({"plex_token": "T0ken", "path_map": "T0ken"});
        let error = Settings::read(saved.as_object().unwrap(), &secrets).unwrap_err();
        assert!(!error.to_string().contains("T0ken"), "{error}");
    }
}
